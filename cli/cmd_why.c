/* cmd_why.c - `hull why`: how a container came to its end, in words. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/gone.h"
#include "engine/logs.h"
#include "runtime/held.h"
#include "runtime/oom.h"

enum { LAST_LINES = 5, SIGNALLED = 128, FILTERED = SIGNALLED + SIGSYS };

struct why_values {
	const char *format;
};

static const struct option_row rows[] = {
	{ .name = "format",
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct why_values, format),
	  .argument = "text|json",
	  .help = "how to print it (default: text)" },
};
const struct option_table why_options = { rows, ARRAY_LEN(rows), sizeof(struct why_values), NULL,
					  true };

struct story {
	const char *name, *id, *state;
	const char *cause;                        /* a sentence */
	const char *denied;                       /* what the kernel denied; NULL: nothing known */
	const char *created, *started, *finished; /* NULL: not, or not known */
	int exit_code;                            /* -1: none, or not known */
	uint32_t restarts;
	struct strings facts; /* further sentences */
	struct strings lines; /* the last that it wrote */
};

static void add(struct strings *list, struct arena *a, const char *text)
{
	const char **at = arena_array(a, list->n + 1, sizeof(*at));

	if (list->n)
		memcpy(at, list->at, list->n * sizeof(*at));
	at[list->n++] = text;
	list->at = at;
}

/* How the program itself ended. */
static const char *ending(int code, struct arena *a)
{
	const char *name = code > SIGNALLED ? sigabbrev_np(code - SIGNALLED) : NULL;

	if (name)
		return arena_printf(a, "signal %d (SIG%s) ended its program (status %d)",
				    code - SIGNALLED, name, code);
	if (code == 0)
		return "its program ended by itself, with success";
	return arena_printf(a, "its program ended by itself, with status %d", code);
}

static const char *cause_of(const struct container_view *v, struct arena *a)
{
	const struct status *s = &v->status;

	if (v->state == STATE_PAUSED)
		return "it is paused";
	if (v->state == STATE_RUNNING)
		return "it has not ended: it runs";
	if (s->started && !s->finished)
		return "its keeper was killed, so nobody saw how it ended";
	if (s->error)
		return arena_printf(a, "it could not be started: %s", s->error);
	if (!s->started)
		return "it was created and never started";
	if (s->checkpointed)
		return "it was checkpointed: restore lets it go on from there";
	if (s->lack)
		return s->lack;
	if (s->exit_code == FILTERED)
		return s->denied ? s->denied
				 : "a seccomp filter ended it for a system call; the kernel's log "
				   "does not say "
				   "which";
	if (s->stopped)
		return "it was told to end, by stop, kill, restart or rm";
	return ending(s->exit_code, a);
}

/* What is true beside the cause. */
static void add_facts(struct story *story, const struct container_view *v, struct arena *a)
{
	static const char *const policies[] = { "no", "on-failure", "always", "unless-stopped" };
	const struct status *s = &v->status;

	if (s->finished && !s->error && (s->lack || s->stopped || s->exit_code == FILTERED))
		add(&story->facts, a, ending(s->exit_code, a));
	if (s->finished && s->held)
		add(&story->facts, a, arena_strdup(a, s->held));
	if (s->denied && cause_of(v, a) != s->denied)
		add(&story->facts, a, arena_strdup(a, s->denied));
	if (v->health.status == HEALTH_UNHEALTHY && v->health.log.n) {
		const struct health_result *last = &v->health.log.at[v->health.log.n - 1];

		add(&story->facts, a,
		    arena_printf(a, "its last health check failed with status %d: %s",
				 last->exit_code, last->output));
	}
	if (s->restarts)
		add(&story->facts, a,
		    arena_printf(a, "it was restarted %u times (--restart %s)", s->restarts,
				 policies[v->record.restart]));
}

struct last {
	struct story *story;
	struct arena *arena;
};

static int take_line(const struct log_line *l, void *ctx)
{
	struct last *last = ctx;
	size_t len = l->len && l->text[l->len - 1] == '\n' ? l->len - 1 : l->len;

	add(&last->story->lines, last->arena, arena_strndup(last->arena, l->text, len));
	return 0;
}

/* `dir` is the container's directory. */
static int add_lines(int dir, const struct container_view *v, struct story *story, struct arena *a,
		     struct err *e)
{
	struct log_query query = { .tail = LAST_LINES };
	struct last last = { story, a };
	int r;

	if (!v->record.detached || strcmp(v->record.log_driver, "json-file") != 0)
		return 0;
	r = log_read(dir, &query, take_line, &last, e);
	return r == -ENOENT ? 0 : r; /* it never wrote anything */
}

static int story_of_view(const struct container_view *v, const char *state, int dir,
			 struct arena *a, struct story *ret, struct err *e)
{
	*ret = (struct story){
		.name = arena_strdup(a, v->record.name),
		.id = arena_strdup(a, v->id),
		.state = state,
		.cause = arena_strdup(a, cause_of(v, a)),
		.denied = arena_strdup(a, v->status.denied),
		.created = arena_strdup(a, v->record.created),
		.started = arena_strdup(a, v->status.started),
		.finished = arena_strdup(a, v->status.finished),
		.exit_code =
			v->state == STATE_STOPPED && v->status.finished ? v->status.exit_code : -1,
		.restarts = v->status.restarts,
	};
	add_facts(ret, v, a);
	return add_lines(dir, v, ret, a, e);
}

static int story_of_people(const struct call *call, const struct engine *g, const char *id,
			   struct story *ret, struct err *e)
{
	auto_container_view struct container_view v = { 0 };
	auto_record struct record record = { 0 };
	auto_fd int dir = record_open(g, id, &record, e);

	TRY(dir);
	TRY(engine_view(g, id, &v, e));
	return story_of_view(&v, container_view_status(&v), dir, call->arena, ret, e);
}

/* Of a container that was removed; -ENOENT. */
static int story_of_gone(const struct call *call, const struct engine *g, const char *who,
			 struct story *ret, struct err *e)
{
	auto_container_view struct container_view v = { 0 };
	auto_fd int dir = gone_view(g, who, &v, e);

	TRY(dir);
	return story_of_view(&v, "removed", dir, call->arena, ret, e);
}

/* Of a container of the runtime, whose status only its caller waits for. */
static int story_of_runtime(const struct call *call, const char *id, struct story *ret,
			    struct err *e)
{
	auto_state struct state state = { 0 };
	auto_buf struct buf lack = { 0 }, held = { 0 };
	struct arena *a = call->arena;

	TRY(container_state(&call->runtime, id, &state, e));
	*ret = (struct story){
		.name = arena_strdup(a, state.id),
		.id = arena_strdup(a, state.id),
		.state = state_status_name(state.status),
		.created = arena_strdup(a, state.created),
		.exit_code = -1,
	};
	if (state.status != STATE_STOPPED)
		ret->cause = "it has not ended";
	else if (oom_describe(&state, &lack))
		ret->cause = arena_strdup(a, lack.text);
	else if (state.oom_counted)
		ret->cause =
			"it has ended; its exit status is known to the program that started it, "
			"and it did not lack memory";
	else
		ret->cause =
			"it has ended; its exit status is known to the program that started it, "
			"and nobody counted whether it lacked memory";
	if (held_describe(&state, &held))
		add(&ret->facts, a, arena_strdup(a, held.text));
	return 0;
}

/* A container's words must not be a terminal's commands. */
static void print_line(const char *before, const char *text)
{
	fputs(before, stdout);
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' && *text != '\t')
			printf("\\x%02x", (unsigned)(unsigned char)*text);
		else if (*text != '\177')
			putchar(*text);
	}
	putchar('\n');
}

static void print_text(const struct story *s)
{
	printf("%s (%s): ", s->name, s->state);
	print_line("", s->cause);
	for (size_t i = 0; i < s->facts.n; i++)
		print_line("    ", s->facts.at[i]);
	printf("    created %s\n", s->created);
	if (s->started)
		printf("    started %s\n", s->started);
	if (s->finished)
		printf("    ended   %s\n", s->finished);
	if (s->lines.n)
		printf("    the last that it wrote:\n");
	for (size_t i = 0; i < s->lines.n; i++)
		print_line("    | ", s->lines.at[i]);
}

static int print_json(const struct story *s, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct json_writer w = json_writer(&text, "  ");
	int r;

	json_write_object(&w, NULL);
	json_write_string(&w, "id", s->id);
	json_write_string(&w, "name", s->name);
	json_write_string(&w, "state", s->state);
	json_write_string(&w, "cause", s->cause);
	json_write_string(&w, "denied", s->denied);
	json_write_strings(&w, "facts", &s->facts);
	if (s->exit_code >= 0)
		json_write_int(&w, "exitCode", s->exit_code);
	json_write_uint(&w, "restarts", s->restarts);
	json_write_string(&w, "created", s->created);
	json_write_string(&w, "started", s->started);
	json_write_string(&w, "finished", s->finished);
	json_write_strings(&w, "lastLines", &s->lines);
	json_write_end(&w);
	buf_char(&text, '\n');
	r = io_write_all(STDOUT_FILENO, text.text, text.len);
	return r < 0 ? err_neg(e, r, "write the answer") : 0;
}

int cmd_why(const struct call *call, struct err *e)
{
	const struct why_values *values = call->options.values;
	const char *who = call->options.args.at[0];
	auto_engine struct engine g = ENGINE_CLOSED;
	char id[RECORD_ID_LEN + 1];
	struct story story = { 0 };
	int r = -ENOENT;

	if (people_has_engine(call)) {
		TRY(people_engine(call, &g, e));
		r = record_find(&g, who, id, e);
		if (r == 0)
			TRY(story_of_people(call, &g, id, &story, e));
		if (r == -ENOENT)
			r = story_of_gone(call, &g, who, &story, e);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	if (r < 0)
		TRY(story_of_runtime(call, who, &story, e));
	if (choice_is(values->format, "json"))
		return print_json(&story, e);
	print_text(&story);
	return 0;
}
