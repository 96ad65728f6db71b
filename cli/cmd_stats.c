#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "cli/stats_table.h"
#include "runtime/stats.h"

enum {
	FIRST_MS = 500, /* between the two samples that a share of CPU needs */
	NEXT_MS = 1000,
};

#define CLEAR_SCREEN "\033[H\033[J"

struct stats_values {
	bool all, no_stream;
	const char *format;
};

static const struct option_row rows[] = {
	{ .name = "all",
	  .letter = 'a',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct stats_values, all),
	  .help = "also those that do not run" },
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct stats_values, format),
	  .argument = "FORMAT",
	  .help = "table (default), json, a template like '{{.Name}} {{.CPUPerc}}', or one as a "
		  "table: 'table {{.Name}}\\t{{.MemUsage}}'" },
	{ .name = "no-stream",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct stats_values, no_stream),
	  .help = "show it once and end" },
};

const struct option_table stats_options = { rows, ARRAY_LEN(rows), sizeof(struct stats_values),
					    NULL, false };

/* One look at all; the samples are the arena's. */
struct sample {
	struct arena arena;
	struct stats_list list;
};

static void sample_done(struct sample *s)
{
	arena_done(&s->arena);
	*s = (struct sample){ 0 };
}

#define auto_sample __attribute__((cleanup(sample_done)))

static bool is_shown(const struct container_stats *stats)
{
	return stats->status != STATE_STOPPED && stats->status != STATE_CREATING;
}

/* The people's name of what the engine knows; NULL else. */
static const char *name_of(const struct engine *g, const char *id, struct arena *a)
{
	auto_record struct record record = { 0 };
	struct err none;
	auto_fd int dir = -1;

	if (g->dir < 0)
		return NULL;
	dir = record_open(g, id, &record, &none);
	return dir < 0 ? NULL : arena_strdup(a, record.name);
}

/* What is asked for, and whom names are asked of; g.dir is -1 where there is no engine. */
struct sampling {
	const struct call *call;
	const struct stats_values *values;
	struct engine g;
	struct strings ids; /* of those that were named */
};

static bool is_listed(const struct stats_list *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i].id, id) == 0)
			return true;
	return false;
}

/* The engine's that do not run, of which the runtime knows nothing. */
static int add_ended(const struct sampling *s, const struct stats_list *known, struct sample *ret,
		     struct err *e)
{
	struct stats_list *list = &ret->list;
	struct container_stats *at;
	struct strings ids;

	if (s->g.dir < 0)
		return 0;
	TRY(record_list(&s->g, &ret->arena, &ids, e));
	at = arena_array(&ret->arena, list->n + ids.n, sizeof(*at));
	for (size_t i = 0; i < list->n; i++)
		at[i] = list->at[i];
	list->at = at;
	for (size_t i = 0; i < ids.n; i++)
		if (!is_listed(known, ids.at[i]))
			at[list->n++] = (struct container_stats){ .id = ids.at[i],
								  .status = STATE_STOPPED };
	return 0;
}

static int sample_all(const struct sampling *s, struct sample *ret, struct err *e)
{
	struct stats_list all, *list = &ret->list;

	TRY(container_stats_all(&s->call->runtime, &ret->arena, &all, e));
	list->at = arena_array(&ret->arena, all.n, sizeof(*list->at));
	for (size_t i = 0; i < all.n; i++)
		if (s->values->all || is_shown(&all.at[i]))
			list->at[list->n++] = all.at[i];
	return s->values->all ? add_ended(s, &all, ret, e) : 0;
}

/* Those that were named must be there, until they have been seen once. */
static int sample_named(const struct sampling *s, bool first, struct sample *ret, struct err *e)
{
	const struct strings *ids = &s->ids;
	struct stats_list *list = &ret->list;

	list->at = arena_array(&ret->arena, ids->n, sizeof(*list->at));
	for (size_t i = 0; i < ids->n; i++) {
		int r = container_stats(&s->call->runtime, ids->at[i], &ret->arena,
					&list->at[list->n], e);

		if (r == -ENOENT && name_of(&s->g, ids->at[i], &ret->arena)) {
			list->at[list->n] = (struct container_stats){ .id = ids->at[i],
								      .status = STATE_STOPPED };
			r = 0;
		}
		if (r == -ENOENT && !first)
			continue;
		if (r < 0)
			return ids->n > 1 ? err_wrap(e, "%s", ids->at[i]) : r;
		list->n++;
	}
	return 0;
}

static int take_sample(const struct sampling *s, bool first, struct sample *ret, struct err *e)
{
	sample_done(ret);
	TRY(s->ids.n ? sample_named(s, first, ret, e) : sample_all(s, ret, e));
	for (size_t i = 0; i < ret->list.n; i++)
		ret->list.at[i].name = name_of(&s->g, ret->list.at[i].id, &ret->arena);
	return 0;
}

static uint64_t machine_memory(void)
{
	return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int show(const struct stats_values *values, const struct sample *before,
		const struct sample *now, struct err *e)
{
	auto_buf struct buf text = { 0 };

	buf_str(&text, "");
	if (choice_is(values->format, "json")) {
		stats_lines(&text, &before->list, &now->list, machine_memory());
	} else {
		if (!values->no_stream && isatty(STDOUT_FILENO))
			buf_str(&text, CLEAR_SCREEN);
		TRY(stats_table(&text, &before->list, &now->list, machine_memory(), values->format,
				e));
	}
	if (fwrite(text.text, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
		return err_sys(e, "write to standard output");
	return 0;
}

/* Whether there is anything to go on for: a named one that runs, or those that may come. */
static bool goes_on(const struct sampling *s, const struct sample *now)
{
	for (size_t i = 0; i < now->list.n; i++)
		if (is_shown(&now->list.at[i]))
			return true;
	return s->ids.n == 0;
}

static int begin(const struct call *call, struct sampling *ret, struct err *e)
{
	const struct strings *names = &call->options.args;

	ret->ids.at = arena_array(call->arena, names->n, sizeof(char *));
	for (; ret->ids.n < names->n; ret->ids.n++)
		TRY(people_container(call, names->at[ret->ids.n], &ret->ids.at[ret->ids.n], e));
	return people_has_engine(call) ? people_engine(call, &ret->g, e) : 0;
}

static int run(const struct sampling *s, struct err *e)
{
	auto_sample struct sample before = { 0 }, now = { 0 };
	int wait = FIRST_MS;

	TRY(take_sample(s, true, &before, e));
	do {
		poll(NULL, 0, wait);
		wait = NEXT_MS;
		TRY(take_sample(s, false, &now, e));
		TRY(show(s->values, &before, &now, e));
		sample_done(&before);
		before = now;
		now = (struct sample){ 0 };
	} while (!s->values->no_stream && goes_on(s, &before));
	return 0;
}

int cmd_stats(const struct call *call, struct err *e)
{
	struct sampling s = { .call = call, .values = call->options.values, .g = ENGINE_CLOSED };
	int r = begin(call, &s, e);

	if (r >= 0)
		r = run(&s, e);
	engine_close(&s.g);
	return r;
}
