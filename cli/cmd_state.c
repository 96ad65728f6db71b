#include <stdio.h>

#include "cli/cmd.h"
#include "cli/show.h"

int cmd_state(const struct call *call, struct err *e)
{
	auto_state struct state state = { 0 };
	auto_buf struct buf text = { 0 };

	TRY(container_state(&call->runtime, call->options.args.at[0], &state, e));
	show_state(&text, &state);
	fputs(text.text, stdout);
	return 0;
}
