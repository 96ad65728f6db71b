#include <stddef.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/ps_table.h"
#include "cli/show.h"

struct ps_values {
	const char *format;
};

static const struct option_row rows[] = {
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct ps_values, format),
	  .argument = "table|json",
	  .help = "print a table or JSON (default: table)" },
};

const struct option_table ps_options = { rows, ARRAY_LEN(rows), sizeof(struct ps_values), NULL,
					 false };

int cmd_ps(const struct call *call, struct err *e)
{
	const struct ps_values *values = call->options.values;
	const struct strings *args = &call->options.args;
	const struct strings ps_args = { args->at + 1, args->n ? args->n - 1 : 0 };

	if (args->n == 0)
		return list_containers(&call->runtime, values->format, false, e);
	return ps_show(&call->runtime, args->at[0], &ps_args, choice_is(values->format, "json"), e);
}
