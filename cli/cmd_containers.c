/*
 * cmd_containers.c - the verbs of people on containers: ps, start, stop,
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
#include "cli/people.h"
#include "cli/ps_table.h"
#include "cli/show.h"
#include "cli/signals.h"
#include "engine/attach.h"

/* ps */

struct people_ps_values {
	const char *format;
	struct strings filter;
	bool all, quiet, no_trunc, latest;
};

/* clang-format off */
#define ROW(T, n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, .member = offsetof(struct T, m), \
	  .argument = arg, .help = h }

static const struct option_row ps_rows[] = {
	ROW(people_ps_values, "all", 'a', FLAG, all, NULL, "also those that do not run"),
	ROW(people_ps_values, "quiet", 'q', FLAG, quiet, NULL, "print ids only"),
	ROW(people_ps_values, "no-trunc", 0, FLAG, no_trunc, NULL, "print ids and commands in full"),
	ROW(people_ps_values, "latest", 'l', FLAG, latest, NULL, "only the one made last"),
	ROW(people_ps_values, "filter", 'f', STRINGS, filter, "KEY=VALUE", "only those with this name, id, status, exited (status), ancestor, health or label, or made before or since another (may be repeated)"),
	ROW(people_ps_values, "format", 0, STRING, format, "FORMAT", "table, json or a template like '{{.ID}} {{.Names}}'"),
};
const struct option_table people_ps_options = { ps_rows, ARRAY_LEN(ps_rows), sizeof(struct people_ps_values), NULL, true };

static const struct people_field ps_fields[] = {
	{ "ID", "CONTAINER ID" }, { "Image", "IMAGE" }, { "Command", "COMMAND" },
	{ "CreatedAt", "CREATED" }, { "Status", "STATUS" }, { "Ports", "PORTS" },
	{ "Names", "NAMES" }, { "State", NULL }, { "Created", NULL }, { "Pid", NULL },
	{ "ExitCode", NULL }, { "Labels", NULL }, { 0 },
};
/* clang-format on */

static const char *join(const struct strings *list, const char *by, struct arena *a)
{
	auto_buf struct buf b = { 0 };

	buf_str(&b, "");
	for (size_t i = 0; i < list->n; i++)
		buf_printf(&b, "%s%s", i ? by : "", list->at[i]);
	return arena_strdup(a, b.text);
}

static const char *labels_of(const struct record *r, struct arena *a)
{
	auto_buf struct buf b = { 0 };

	buf_str(&b, "");
	for (size_t i = 0; i < r->labels.n; i++)
		buf_printf(&b, "%s%s=%s", i ? "," : "", r->labels.at[i].key, r->labels.at[i].value);
	return arena_strdup(a, b.text);
}

static const char *status_of(const struct container_view *v, struct arena *a)
{
	const char *state = container_view_status(v);

	if (strcmp(state, "exited") == 0)
		return arena_printf(a, "Exited (%d) %s", v->status.exit_code,
				    people_ago(v->status.finished, a));
	if (strcmp(state, "checkpointed") == 0)
		return arena_printf(a, "Checkpointed %s", people_ago(v->status.checkpointed, a));
	if (strcmp(state, "created") == 0)
		return "Created";
	return arena_printf(a, "Up, started %s%s%s", people_ago(v->status.started, a),
			    v->health.status == HEALTH_NONE       ? ""
			    : v->health.status == HEALTH_STARTING ? " (health: starting)"
			    : v->health.status == HEALTH_HEALTHY  ? " (healthy)"
								  : " (unhealthy)",
			    v->state == STATE_PAUSED ? " (Paused)" : "");
}

/* Where it stands among all containers, the one made last first. */
struct place {
	const struct strings *ids;
	size_t at;
};

static bool matches_name(const struct container_view *v, const char *value)
{
	return strstr(v->record.name, value);
}

static bool matches_id(const struct container_view *v, const char *value)
{
	return strncmp(v->id, value, strlen(value)) == 0;
}

static bool matches_status(const struct container_view *v, const char *value)
{
	return strcmp(container_view_status(v), value) == 0;
}

static bool matches_exited(const struct container_view *v, const char *value)
{
	uint32_t code;

	return number_parse(value, 255, &code) >= 0 && v->status.exit_code == (int)code &&
	       strcmp(container_view_status(v), "exited") == 0;
}

static bool matches_ancestor(const struct container_view *v, const char *value)
{
	return strcmp(v->record.image, value) == 0;
}

static bool matches_health(const struct container_view *v, const char *value)
{
	return strcmp(health_status_name(v->health.status), value) == 0;
}

static bool matches_label(const struct container_view *v, const char *value)
{
	const struct record *r = &v->record;
	size_t len = strcspn(value, "=");

	for (size_t i = 0; i < r->labels.n; i++)
		if (strlen(r->labels.at[i].key) == len &&
		    strncmp(r->labels.at[i].key, value, len) == 0 &&
		    (!value[len] || strcmp(r->labels.at[i].value, value + len + 1) == 0))
			return true;
	return false;
}

/* before and since name another container, and are answered by its place. */
static const struct filter_row {
	const char *key;
	bool (*matches)(const struct container_view *v, const char *value);
} filter_rows[] = {
	{ "name", matches_name },
	{ "id", matches_id },
	{ "status", matches_status },
	{ "exited", matches_exited },
	{ "health", matches_health },
	{ "label", matches_label },
	{ "ancestor", matches_ancestor },
	{ "before", NULL },
	{ "since", NULL },
};

static const struct filter_row *filter_find(const char *filter, const char **ret_value)
{
	size_t len = strcspn(filter, "=");

	*ret_value = filter + len + 1;
	for (size_t i = 0; filter[len] && i < ARRAY_LEN(filter_rows); i++)
		if (strlen(filter_rows[i].key) == len &&
		    strncmp(filter_rows[i].key, filter, len) == 0)
			return &filter_rows[i];
	return NULL;
}

/* Also where there is no container that could be asked. */
static int filters_check(const struct engine *g, const struct strings *filters, struct err *e)
{
	for (size_t i = 0; i < filters->n; i++) {
		const char *value;
		const struct filter_row *row = filter_find(filters->at[i], &value);
		char id[RECORD_ID_LEN + 1];
		uint32_t code;

		if (!row)
			return err_set(e, EINVAL,
				       "--filter %s: expected name=, id=, status=, exited=, "
				       "ancestor=, before=, since=, health= or label=",
				       filters->at[i]);
		if (row->matches == matches_exited && number_parse(value, 255, &code) < 0)
			return err_set(e, EINVAL, "--filter %s: expected a status from 0 to 255",
				       filters->at[i]);
		if (!row->matches && record_find(g, value, id, e) < 0)
			return err_wrap(e, "--filter %s", filters->at[i]);
	}
	return 0;
}

static int matches_place(const struct engine *g, const struct place *place, bool before,
			 const char *who, struct err *e)
{
	char id[RECORD_ID_LEN + 1];
	size_t other = 0;

	TRY(record_find(g, who, id, e));
	while (other < place->ids->n && strcmp(place->ids->at[other], id) != 0)
		other++;
	return before ? place->at > other : place->at < other;
}

static int matches(const struct engine *g, const struct container_view *v,
		   const struct place *place, const struct strings *filters, struct err *e)
{
	for (size_t i = 0; i < filters->n; i++) {
		const char *value;
		const struct filter_row *row = filter_find(filters->at[i], &value);
		int yes;

		if (row->matches)
			yes = row->matches(v, value);
		else
			yes = matches_place(g, place, strcmp(row->key, "before") == 0, value, e);
		if (yes <= 0)
			return yes;
	}
	return 1;
}

static void add_row(struct people_table *t, const struct container_view *v, bool no_trunc)
{
	auto_arena struct arena a = { 0 };
	const struct record *r = &v->record;
	const char *command = join(&r->command, " ", &a);

	if (!no_trunc && strlen(command) > 20)
		command = arena_printf(&a, "%.19s\xe2\x80\xa6", command);
	people_table_row(
		t, (const char *const[]){
			   arena_printf(&a, "%.*s", no_trunc ? RECORD_ID_LEN : RECORD_SHORT, v->id),
			   r->image[0] ? r->image : r->rootfs, arena_printf(&a, "\"%s\"", command),
			   people_ago(r->created, &a), status_of(v, &a),
			   join(&r->published, ", ", &a), r->name, container_view_status(v),
			   r->created, arena_printf(&a, "%d", v->pid),
			   arena_printf(&a, "%d", v->status.exit_code), labels_of(r, &a) });
}

static int list_people(const struct call *call, const struct people_ps_values *values,
		       struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;
	struct people_table t;
	struct strings ids;
	size_t shown = 0;

	TRY(people_engine(call, &g, e));
	TRY(filters_check(&g, &values->filter, e));
	TRY(record_list(&g, call->arena, &ids, e));
	people_table_begin(&t, ps_fields, values->quiet ? "{{.ID}}" : values->format);
	for (size_t i = 0; i < ids.n && !(values->latest && shown); i++) {
		auto_container_view struct container_view v = { 0 };
		int r = engine_view(&g, ids.at[i], &v, e);

		if (r == -ENOENT)
			continue; /* gone meanwhile */
		if (r >= 0 && v.state == STATE_STOPPED && !values->all && !values->latest &&
		    !values->filter.n)
			continue;
		if (r >= 0)
			r = matches(&g, &v, &(struct place){ &ids, i }, &values->filter, e);
		if (r < 0) {
			struct err ignored;

			t.n = 0;
			t.format = "";
			if (people_table_end(&t, &ignored) < 0)
				return r;
			return r;
		}
		if (r > 0) {
			add_row(&t, &v, values->no_trunc);
			shown++;
		}
	}
	return people_table_end(&t, e);
}

int cmd_people_ps(const struct call *call, struct err *e)
{
	const struct people_ps_values *values = call->options.values;
	const struct strings *args = &call->options.args;
	const struct strings ps_args = { args->at + 1, args->n ? args->n - 1 : 0 };

	if (args->n == 0)
		return list_people(call, values, e);
	return ps_show(&call->runtime, args->at[0], &ps_args, choice_is(values->format, "json"), e);
}

int cmd_top(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	const struct strings ps_args = { args->at + 1, args->n - 1 };

	return ps_show(&call->runtime, args->at[0], &ps_args, false, e);
}

/* start, stop, restart, kill, rm, wait */

struct start_values {
	bool attach, interactive;
};
static const struct option_row start_rows[] = {
	ROW(start_values, "attach", 'a', FLAG, attach, NULL,
	    "run in the foreground, with our standard streams and without a log"),
	ROW(start_values, "interactive", 'i', FLAG, interactive, NULL, "keep standard input open"),
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

int cmd_people_start(const struct call *call, struct err *e)
{
	const struct start_values *values = call->options.values;
	auto_engine struct engine g = ENGINE_CLOSED;
	char id[RECORD_ID_LEN + 1];
	struct err other = { 0 };
	int status = 0;

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
};
static const struct option_row attach_rows[] = {
	ROW(attach_values, "no-stdin", 0, FLAG, no_stdin, NULL, "do not pass standard input on"),
};
const struct option_table attach_options = { attach_rows, ARRAY_LEN(attach_rows),
					     sizeof(struct attach_values), NULL, true };

int cmd_attach(const struct call *call, struct err *e)
{
	const struct attach_values *values = call->options.values;
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_record struct record record = { 0 };
	char id[RECORD_ID_LEN + 1];
	int status;
	auto_fd int dir = -1;

	TRY(people_engine(call, &g, e));
	TRY(record_find(&g, call->options.args.at[0], id, e));
	dir = record_open(&g, id, &record, e);
	TRY(dir);
	TRY(attach_run(dir, record.terminal, !values->no_stdin && record.stdin_open, &status, e));
	return status < 0 ? 0 : status;
}
