#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

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

#define STOP_SIGNAL "org.opencontainers.image.stopSignal" /* config.md, "Annotations" */

/* Where nobody says one, the image does; without a word of either it is SIGTERM. */
static int usual_signal(const struct call *call, const char *id, int *ret, struct err *e)
{
	auto_state struct state state = { 0 };

	TRY(container_state(&call->runtime, id, &state, e));
	for (size_t i = 0; i < state.annotations.n; i++)
		if (strcmp(state.annotations.at[i].key, STOP_SIGNAL) == 0 &&
		    signal_parse(state.annotations.at[i].value, ret, e) < 0)
			return err_wrap(e, "annotations." STOP_SIGNAL);
	return 0;
}

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
	else
		TRY(usual_signal(call, args->at[0], &signal, e));
	TRY(container_kill(&call->runtime, args->at[0], signal, values->all, e));
	return 0;
}
