#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/people.h"
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
	  .help = "which signal (default: SIGKILL)" },
};

const struct option_table people_kill_options = { people_rows, ARRAY_LEN(people_rows),
						  sizeof(struct kill_values), &kill_options, true };

#define STOP_SIGNAL "org.opencontainers.image.stopSignal" /* config.md, "Annotations" */

/* Where nobody says one, the image does; without a word of either it is SIGTERM. */
static int usual_signal(const struct call *call, const char *id, int *ret, struct err *e)
{
	auto_state struct state state = { 0 };

	*ret = SIGTERM;
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
	int signal;

	if (args->n > 1)
		TRY(signal_parse(args->at[1], &signal, e));
	else
		TRY(usual_signal(call, args->at[0], &signal, e));
	TRY(container_kill(&call->runtime, args->at[0], signal, values->all, e));
	return 0;
}

/* By its whole name: a number that begins an id is a signal all the same. */
static bool is_container(const struct call *call, const char *word)
{
	auto_state struct state state = { 0 };
	struct err ignored = { 0 };
	const char *name;

	if (container_state(&call->runtime, word, &state, &ignored) >= 0)
		return true;
	return people_kept(call, word, &name, &ignored) >= 0 && name && strcmp(name, word) == 0;
}

struct killing {
	const struct call *call;
	int signal;
};

static int kill_one(const char *who, void *ctx, struct err *e)
{
	const struct killing *k = ctx;
	const struct kill_values *values = k->call->options.values;
	const char *id;

	TRY(people_container(k->call, who, &id, e));
	TRY(container_kill(&k->call->runtime, id, k->signal, values->all, e));
	people_happened(k->call, id, "kill", "signal",
			arena_printf(k->call->arena, "%d", k->signal));
	return 0;
}

int cmd_people_kill(const struct call *call, struct err *e)
{
	const struct kill_values *values = call->options.values;
	struct killing k = { call, SIGKILL };
	struct strings who = call->options.args;
	struct err ignored = { 0 };
	const char *name;
	int said = 0;

	/* runc's form: CONTAINER SIGNAL. A signal that is mistyped must not end the container. */
	if (who.n == 2 && !is_container(call, who.at[1])) {
		if (signal_parse(who.at[1], &said, &ignored) >= 0) {
			if (values->signal)
				return err_set(e, EINVAL, "kill: the signal is said twice");
			k.signal = said;
			who.n = 1;
		} else if (people_kept(call, who.at[1], &name, &ignored) < 0 || !name) {
			return err_set(e, EINVAL, "kill: \"%.64s\" is no container and no signal",
				       who.at[1]);
		}
	}
	if (values->signal)
		TRY(signal_parse(values->signal, &k.signal, e));
	return people_words(call, &who, kill_one, &k, e);
}
