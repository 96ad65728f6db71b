/* cmd_export.c - `hull export CONTAINER`. */
#include <stddef.h>

#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/export.h"

struct export_values {
	const char *output;
};
static const struct option_row export_rows[] = {
	{ .name = "output",
	  .letter = 'o',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct export_values, output),
	  .argument = "FILE",
	  .help = "write to FILE instead of standard output" },
};
const struct option_table export_options = { export_rows, ARRAY_LEN(export_rows),
					     sizeof(struct export_values), NULL, true };

int cmd_export(const struct call *call, struct err *e)
{
	const struct export_values *values = call->options.values;
	auto_engine struct engine g = ENGINE_CLOSED;

	TRY(people_engine(call, &g, e));
	return export_container(&g, call->options.args.at[0], values->output, e);
}
