#include "cli/words.h"

#include <errno.h>
#include <string.h>

#include "base/util.h"
#include "cli/when.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, WEEK = 7 * DAY };

const char *words_duration(int64_t seconds, struct arena *a)
{
	static const struct {
		int64_t below; /* so many seconds: these are the words */
		int64_t unit;  /* 0: `words` as they are */
		const char *words;
	} rows[] = {
		{ 1, 0, "Less than a second" },
		{ 2, 0, "1 second" },
		{ MINUTE, 1, "seconds" },
		{ 2 * MINUTE, 0, "About a minute" },
		{ HOUR, MINUTE, "minutes" },
		{ HOUR + HOUR / 2, 0, "About an hour" },
		{ 2 * DAY - HOUR / 2, HOUR, "hours" },
		{ 2 * WEEK - HOUR / 2, DAY, "days" },
		{ 60 * DAY - HOUR / 2, WEEK, "weeks" },
		{ 2 * 365 * DAY - HOUR / 2, 30 * DAY, "months" },
		{ INT64_MAX, 365 * DAY, "years" },
	};
	size_t i = 0;

	while (seconds >= rows[i].below && i + 1 < ARRAY_LEN(rows))
		i++;
	if (!rows[i].unit)
		return rows[i].words;
	/* From hours on it is told to the nearest hour. */
	if (rows[i].unit >= HOUR)
		seconds += HOUR / 2;
	return arena_printf(a, "%lld %s", (long long)(seconds / rows[i].unit), rows[i].words);
}

const char *words_ago(const char *text, time_t now, struct arena *a)
{
	time_t then;

	if (when_date(text, &then) < 0)
		return "";
	return arena_printf(a, "%s ago", words_duration(now - then, a));
}

const char *words_date(const char *text, struct arena *a)
{
	char date[64];
	struct tm tm;
	time_t then;

	if (when_date(text, &then) < 0 || !localtime_r(&then, &tm) ||
	    !strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S %z %Z", &tm))
		return "";
	return arena_strdup(a, date);
}

const char *words_shorten(const char *text, size_t width, struct arena *a)
{
	size_t n = 0, cut = 0;

	for (const char *at = text; *at; at++) {
		if (((unsigned char)*at & 0xc0) == 0x80)
			continue;
		if (n++ == width - 1)
			cut = (size_t)(at - text);
	}
	return n > width ? arena_printf(a, "%.*s\xe2\x80\xa6", (int)cut, text) : text;
}

const char *words_size(uint64_t bytes, struct arena *a)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB" };
	double value = (double)bytes;
	size_t i = 0;

	for (; value >= 1000 && i + 1 < ARRAY_LEN(units); i++)
		value /= 1000;
	return arena_printf(a, i && value < 100 ? "%.1f%s" : "%.0f%s", value, units[i]);
}

const char *words_status(const struct container_view *v, time_t now, struct arena *a)
{
	static const char *const healths[] = {
		[HEALTH_NONE] = "",
		[HEALTH_STARTING] = " (health: starting)",
		[HEALTH_HEALTHY] = " (healthy)",
		[HEALTH_UNHEALTHY] = " (unhealthy)",
	};
	const char *state = container_view_status(v);
	time_t started;

	if (strcmp(state, "exited") == 0)
		return arena_printf(a, "Exited (%d) %s", v->status.exit_code,
				    words_ago(v->status.finished, now, a));
	if (strcmp(state, "checkpointed") == 0)
		return arena_printf(a, "Checkpointed %s",
				    words_ago(v->status.checkpointed, now, a));
	if (strcmp(state, "created") == 0)
		return "Created";
	if (when_date(v->status.started, &started) < 0)
		return "Up";
	return arena_printf(a, "Up %s%s", words_duration(now - started, a),
			    v->state == STATE_PAUSED ? " (Paused)" : healths[v->health.status]);
}
