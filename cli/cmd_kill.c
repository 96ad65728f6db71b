#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "cli/cmd.h"
#include "cli/signals.h"

struct kill_values {
	bool all;
	const char *signal;
};

static const struct option_row rows[] = {
	{ .name = "all",
	  .letter = 'a',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct kill_values, all),
	  .help = "send the signal to all processes of the container" },
};

const struct option_table kill_options = { rows, ARRAY_LEN(rows), sizeof(struct kill_values), NULL,
					   false };

/* Docker's way to say which. */
static const struct option_row people_rows[] = {
	{ .name = "signal",
	  .letter = 's',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct kill_values, signal),
	  .argument = "SIGNAL",
	  .help = "which signal, in place of the argument" },
};

const struct option_table people_kill_options = { people_rows, ARRAY_LEN(people_rows),
						  sizeof(struct kill_values), &kill_options, true };

int cmd_kill(const struct call *call, struct err *e)
{
	const struct kill_values *values = call->options.values;
	const struct strings *args = &call->options.args;
	int signal = SIGTERM;

	if (args->n > 1 && values->signal)
		return err_set(e, EINVAL, "kill: the signal is said twice");
	if (values->signal)
		TRY(signal_parse(values->signal, &signal, e));
	else if (args->n > 1)
		TRY(signal_parse(args->at[1], &signal, e));
	TRY(container_kill(&call->runtime, args->at[0], signal, values->all, e));
	return 0;
}
