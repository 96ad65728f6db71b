#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/cmd.h"
#include "cli/stats_table.h"
#include "runtime/stats.h"

enum {
	FIRST_MS = 500, /* between the two samples that a share of CPU needs */
	NEXT_MS = 1000,
};

#define CLEAR_SCREEN "\033[H\033[J"

struct stats_values {
	bool no_stream;
	const char *format;
};

static const struct option_row rows[] = {
	{ .name = "format",
	  .letter = 'f',
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct stats_values, format),
	  .argument = "table|json",
	  .help = "print a table or JSON (default: table)" },
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

static int sample_running(const struct call *call, struct sample *ret, struct err *e)
{
	struct stats_list all, *list = &ret->list;

	TRY(container_stats_all(&call->runtime, &ret->arena, &all, e));
	list->at = arena_array(&ret->arena, all.n, sizeof(*list->at));
	for (size_t i = 0; i < all.n; i++)
		if (is_shown(&all.at[i]))
			list->at[list->n++] = all.at[i];
	return 0;
}

/* Those that were named must be there, until they have been seen once. */
static int sample_named(const struct call *call, bool first, struct sample *ret, struct err *e)
{
	const struct strings *ids = &call->options.args;
	struct stats_list *list = &ret->list;

	list->at = arena_array(&ret->arena, ids->n, sizeof(*list->at));
	for (size_t i = 0; i < ids->n; i++) {
		int r = container_stats(&call->runtime, ids->at[i], &ret->arena, &list->at[list->n],
					e);

		if (r == -ENOENT && !first)
			continue;
		if (r < 0)
			return ids->n > 1 ? err_wrap(e, "%s", ids->at[i]) : r;
		list->n++;
	}
	return 0;
}

static int take_sample(const struct call *call, bool first, struct sample *ret, struct err *e)
{
	sample_done(ret);
	return call->options.args.n ? sample_named(call, first, ret, e)
				    : sample_running(call, ret, e);
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
		stats_table(&text, &before->list, &now->list, machine_memory());
	}
	if (fwrite(text.text, 1, text.len, stdout) != text.len || fflush(stdout) != 0)
		return err_sys(e, "write to standard output");
	return 0;
}

/* Whether there is anything to go on for: a named one that runs, or those that may come. */
static bool goes_on(const struct call *call, const struct sample *now)
{
	for (size_t i = 0; i < now->list.n; i++)
		if (is_shown(&now->list.at[i]))
			return true;
	return call->options.args.n == 0;
}

int cmd_stats(const struct call *call, struct err *e)
{
	const struct stats_values *values = call->options.values;
	auto_sample struct sample before = { 0 }, now = { 0 };
	int wait = FIRST_MS;

	TRY(take_sample(call, true, &before, e));
	do {
		poll(NULL, 0, wait);
		wait = NEXT_MS;
		TRY(take_sample(call, false, &now, e));
		TRY(show(values, &before, &now, e));
		sample_done(&before);
		before = now;
		now = (struct sample){ 0 };
	} while (!values->no_stream && goes_on(call, &before));
	return 0;
}
