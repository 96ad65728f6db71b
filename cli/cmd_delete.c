#include <stddef.h>

#include "cli/cmd.h"

struct delete_values {
	bool force;
};

static const struct option_row rows[] = {
	{ .name = "force",
	  .letter = 'f',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct delete_values, force),
	  .help = "kill a container that still runs; one that is not there is fine" },
};

const struct option_table delete_options = { rows, ARRAY_LEN(rows), sizeof(struct delete_values),
					     NULL, false };

int cmd_delete(const struct call *call, struct err *e)
{
	const struct delete_values *values = call->options.values;

	TRY(container_delete(&call->runtime, call->options.args.at[0], values->force, e));
	return 0;
}
