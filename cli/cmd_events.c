#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/cmd.h"
#include "cli/stats_json.h"
#include "cli/values.h"
#include "runtime/stats.h"

static const struct option_row rows[] = {
	{ .name = "interval",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct events_values, interval),
	  .argument = "DURATION",
	  .help = "print statistics so often (default: 5s)" },
	{ .name = "stats",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct events_values, stats),
	  .help = "print the statistics once and end" },
};

const struct option_table events_options = { rows, ARRAY_LEN(rows), sizeof(struct events_values),
					     NULL, false };

enum { DEFAULT_INTERVAL = 5 * 1000 * 1000 }; /* microseconds */

static int read_interval(const char *text, int64_t *ret, struct err *e)
{
	int64_t interval = DEFAULT_INTERVAL;

	if (text && duration_parse(text, &interval) < 0)
		return err_set(e, EINVAL, "--interval: \"%s\" is no duration, as 5s or 250ms is",
			       text);
	if (interval == 0)
		return err_set(e, EINVAL, "duration interval must be greater than 0");
	*ret = interval;
	return 0;
}

/* At once, each as a whole: somebody waits for it. */
static int put(const struct buf *text, struct err *e)
{
	if (fwrite(text->text, 1, text->len, stdout) != text->len || fflush(stdout) != 0)
		return err_sys(e, "write to standard output");
	return 0;
}

static int put_event(struct watch *w, enum watch_event event, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	struct container_stats stats;

	TRY(watch_stats(w, &a, &stats, e));
	if (event == WATCH_OOM)
		oom_json(&text, &stats);
	else
		stats_json(&text, &stats);
	return put(&text, e);
}

int cmd_events(const struct call *call, struct err *e)
{
	const struct events_values *values = call->options.values;
	auto_watch struct watch w = WATCH_NONE;
	int64_t interval = 0;
	int r;

	TRY(read_interval(values->interval, &interval, e));
	TRY(watch_open(&w, &call->runtime, call->options.args.at[0], values->stats ? 0 : interval,
		       e));
	if (values->stats)
		return put_event(&w, WATCH_TICK, e);
	while ((r = watch_next(&w, e)) > 0)
		TRY(put_event(&w, (enum watch_event)r, e));
	return r;
}
