#include <stdio.h>

#include "cli/cmd.h"
#include "cli/metrics.h"
#include "runtime/stats.h"

int cmd_metrics(const struct call *call, struct err *e)
{
	struct stats_list list;
	auto_buf struct buf text = { 0 };

	TRY(container_stats_all(&call->runtime, call->arena, &list, e));
	metrics_text(&text, &list);
	fputs(text.text, stdout);
	return 0;
}
