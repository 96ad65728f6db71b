/*
 * cmd_containers.c - the verbs of people on containers: start, stop,
 * restart, kill, rm, wait, rename, attach, port.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/full.h"
#include "cli/cmd.h"
#include "cli/follow.h"
#include "cli/people.h"
#include "cli/ps_filter.h"
#include "cli/signals.h"
#include "engine/attach.h"

/* clang-format off */
#define ROW(T, n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, .member = offsetof(struct T, m), \
	  .argument = arg, .help = h }
/* clang-format on */

/* start, stop, restart, kill, rm, wait */

struct start_values {
	bool attach, interactive, all;
	struct strings filter;
};
static const struct option_row start_rows[] = {
	ROW(start_values, "attach", 'a', FLAG, attach, NULL,
	    "run in the foreground, with our standard streams and without a log"),
	ROW(start_values, "interactive", 'i', FLAG, interactive, NULL, "keep standard input open"),
	ROW(start_values, "all", 0, FLAG, all, NULL,
	    "all that do not run, the one that was made first before the others"),
	ROW(start_values, "filter", 'f', STRINGS, filter, "KEY=VALUE",
	    "with --all: only those that \"hull ps\" would list with it (may be repeated)"),
};
const struct option_table people_start_options = { start_rows, ARRAY_LEN(start_rows),
						   sizeof(struct start_values), NULL, true };

/* A created container of the runtime is what the runtime's start is for. */
static bool is_runtimes_own(const struct call *call, const char *who)
{
	auto_state struct state s = { 0 };
	struct err e;

	return container_state(&call->runtime, who, &s, &e) >= 0;
}

struct starting {
	const struct engine *g;
	struct filters filters;
};

/* One that runs is as it should be. */
static int start_matching(const char *id, void *ctx, struct err *e)
{
	const struct starting *s = ctx;
	auto_ps_entry struct ps_entry entry = { 0 };
	int status, r = ps_entry_read(s->g, id, s->filters.needs, &entry, e);

	if (r == -ENOENT)
		return 0; /* gone meanwhile */
	TRY(r);
	if (entry.view.state != STATE_STOPPED || !filters_match(&s->filters, &entry))
		return 0;
	r = engine_start(s->g, id, false, &status, e);
	if (r == -EBUSY)
		return 0; /* by somebody else */
	if (r < 0)
		return err_wrap(e, "start %s", entry.view.record.name);
	printf("%s\n", entry.view.record.name);
	return 0;
}

/* Those that can be started are, whatever others say. */
static int start_all(const struct call *call, struct err *e)
{
	const struct start_values *values = call->options.values;
	auto_engine struct engine g = ENGINE_CLOSED;
	struct starting s = { .g = &g };
	struct ps_filter_facts facts = { .g = &g };
	struct strings ids;

	if (call->options.args.n || values->attach || values->interactive)
		return err_set(e, EINVAL, "start --all takes no %s",
			       call->options.args.n ? "container"
			       : values->attach     ? "--attach"
						    : "--interactive");
	if (!people_has_engine(call))
		return 0;
	TRY(full_become(e));
	TRY(people_engine(call, &g, e));
	TRY(record_list(&g, call->arena, &facts.ids, e));
	TRY(filters_read(&ps_filters, &values->filter, &facts, call->arena, &s.filters, e));
	ids = (struct strings){ arena_array(call->arena, facts.ids.n, sizeof(char *)), 0 };
	while (ids.n < facts.ids.n) {
		ids.at[ids.n] = facts.ids.at[facts.ids.n - 1 - ids.n];
		ids.n++;
	}
	return people_words(call, &ids, start_matching, &s, e);
}

int cmd_people_start(const struct call *call, struct err *e)
{
	const struct start_values *values = call->options.values;
	auto_engine struct engine g = ENGINE_CLOSED;
	char id[RECORD_ID_LEN + 1];
	struct err other = { 0 };
	int status = 0;

	if (values->all)
		return start_all(call, e);
	if (values->filter.n)
		return err_set(e, EINVAL, "start: --filter is of --all");
	if (!call->options.args.n)
		return err_set(e, EINVAL, "start: which container?");
	if (values->attach && call->options.args.n > 1)
		return err_set(e, EINVAL, "start: only one container can be attached to");
	/* What the engine does not know is the runtime's, or nobody's. */
	if (call->options.args.n == 1 &&
	    (is_runtimes_own(call, call->options.args.at[0]) || !people_has_engine(call)))
		return container_start(&call->runtime, call->options.args.at[0], e);
	/* Who keeps it until its end has to be able to ask systemd then. */
	TRY(full_become(e));
	TRY(people_engine(call, &g, e));
	if (call->options.args.n == 1 &&
	    record_find(&g, call->options.args.at[0], id, &other) == -ENOENT)
		return container_start(&call->runtime, call->options.args.at[0], e);
	for (size_t i = 0; i < call->options.args.n; i++) {
		TRY(engine_start(&g, call->options.args.at[i],
				 values->attach || values->interactive, &status, e));
		if (!values->attach && !values->interactive)
			printf("%s\n", call->options.args.at[i]);
	}
	return status;
}

struct stop_values {
	struct opt_i64 time;
};
static const struct option_row stop_rows[] = {
	ROW(stop_values, "time", 't', I64, time, "SECONDS",
	    "how long to wait before it is killed (default: the container's own)"),
};
const struct option_table stop_options = { stop_rows, ARRAY_LEN(stop_rows),
					   sizeof(struct stop_values), NULL, true };

static int64_t timeout_of(const struct call *call)
{
	const struct stop_values *v = call->options.values;

	return v->time.set ? v->time.value : -1;
}

static int stop_one(const struct engine *g, const char *who, const struct call *call, struct err *e)
{
	TRY(engine_stop(g, who, timeout_of(call), e));
	printf("%s\n", who);
	return 0;
}

int cmd_stop(const struct call *call, struct err *e)
{
	return people_each(call, stop_one, e);
}

static int restart_one(const struct engine *g, const char *who, const struct call *call,
		       struct err *e)
{
	int status;

	TRY(engine_stop(g, who, timeout_of(call), e));
	TRY(engine_start(g, who, false, &status, e));
	printf("%s\n", who);
	return 0;
}

int cmd_restart(const struct call *call, struct err *e)
{
	return people_each(call, restart_one, e);
}

struct rm_values {
	bool force, volumes;
};
static const struct option_row rm_rows[] = {
	ROW(rm_values, "force", 'f', FLAG, force, NULL, "also one that runs: it is killed first"),
	ROW(rm_values, "volumes", 'v', FLAG, volumes, NULL,
	    "also the volumes that were made for it and have no name"),
};
const struct option_table rm_options = { rm_rows, ARRAY_LEN(rm_rows), sizeof(struct rm_values),
					 NULL, true };

static int rm_one(const struct engine *g, const char *who, const struct call *call, struct err *e)
{
	const struct rm_values *v = call->options.values;
	int r = engine_remove(g, who, v->force, v->volumes, e);

	if (r == -ENOENT && v->force)
		return 0;
	TRY(r);
	printf("%s\n", who);
	return 0;
}

int cmd_rm(const struct call *call, struct err *e)
{
	return people_each(call, rm_one, e);
}

static int wait_one(const struct engine *g, const char *who, const struct call *call UNUSED,
		    struct err *e)
{
	int status = engine_wait(g, who, e);

	TRY(status);
	printf("%d\n", status);
	return 0;
}

int cmd_wait(const struct call *call, struct err *e)
{
	return people_each(call, wait_one, e);
}

int cmd_rename(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	auto_engine struct engine g = ENGINE_CLOSED;
	char id[RECORD_ID_LEN + 1];

	TRY(people_engine(call, &g, e));
	TRY(record_find(&g, args->at[0], id, e));
	return record_rename(&g, id, args->at[1], e);
}

struct attach_values {
	bool no_stdin;
	struct follow_values follow;
};
static const struct option_row attach_rows[] = {
	ROW(attach_values, "no-stdin", 0, FLAG, no_stdin, NULL, "do not pass standard input on"),
	ROW(attach_values, "sig-proxy", 0, TRISTATE, follow.sig_proxy, NULL,
	    "hand signals on to the program (default: true); if not, they end the command"),
	ROW(attach_values, "detach-keys", 0, STRING, follow.detach_keys, "KEYS",
	    "in a terminal, the keys that leave it running (default: ctrl-p,ctrl-q); \"\": none"),
};
const struct option_table attach_options = { attach_rows, ARRAY_LEN(attach_rows),
					     sizeof(struct attach_values), NULL, true };

int cmd_attach(const struct call *call, struct err *e)
{
	const struct attach_values *values = call->options.values;
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_record struct record record = { 0 };
	char id[RECORD_ID_LEN + 1];
	struct follow_target target = { &g, id };
	struct attach_wish how;
	struct attach_end end;
	auto_fd int dir = -1, fd = -1;
	sigset_t before;

	TRY(people_engine(call, &g, e));
	TRY(record_find(&g, call->options.args.at[0], id, e));
	dir = record_open(&g, id, &record, e);
	TRY(dir);
	TRY(follow_plan(&values->follow, record.terminal, record.stdin_open && !values->no_stdin,
			&target, &how, e));
	fd = attach_connect(dir, e);
	TRY(fd);
	attach_block_signals(&how, &before);
	TRY(attach_run(fd, &how, &before, &end, e));
	return end.status;
}
