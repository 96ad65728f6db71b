/* cmd_logs.c - `hull logs`: what a detached container wrote. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "cli/values.h"
#include "engine/journal.h"
#include "engine/logs.h"

struct logs_values {
	bool follow, timestamps;
	const char *tail, *since, *until;
};

/* clang-format off */
#define ROW(T, n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, .member = offsetof(struct T, m), \
	  .argument = arg, .help = h }

static const struct option_row rows[] = {
	ROW(logs_values, "follow", 'f', FLAG, follow, NULL, "go on until the container ends"),
	ROW(logs_values, "timestamps", 't', FLAG, timestamps, NULL, "show when each line was written"),
	ROW(logs_values, "tail", 'n', STRING, tail, "N", "only the last N lines, or all"),
	ROW(logs_values, "since", 0, STRING, since, "TIME", "only what was written since a time (RFC 3339), or a time span before now (10m)"),
	ROW(logs_values, "until", 0, STRING, until, "TIME", "only what was written before it"),
};
const struct option_table logs_options = { rows, ARRAY_LEN(rows), sizeof(struct logs_values), NULL, true };
/* clang-format on */

/* What lines are compared with: their times are in UTC and have nine digits of fractions. */
static int parse_time(const char *option, const char *text, struct arena *a, const char **ret,
		      struct err *e)
{
	int64_t span;
	struct tm tm = { 0 };
	const char *rest;
	time_t then;

	if (!text)
		return 0;
	if (duration_parse(text, &span) == 0) {
		then = time(NULL) - (time_t)(span / 1000000);
	} else {
		rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
		if (!rest || (*rest && *rest != 'Z' && *rest != '.'))
			return err_set(e, EINVAL,
				       "%s %s: expected 2026-01-31T12:00:00Z, or a span like 10m",
				       option, json_quote(text).text);
		if (*rest == '.') {
			*ret = text;
			return 0;
		}
		then = timegm(&tm);
	}
	gmtime_r(&then, &tm);
	*ret = arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900, tm.tm_mon + 1,
			    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return 0;
}

static int print_line(const struct log_line *l, void *ctx)
{
	const struct logs_values *values = ctx;
	FILE *to = l->is_stderr ? stderr : stdout;

	if (values->timestamps)
		fprintf(to, "%s ", l->time);
	fwrite(l->text, 1, l->len, to);
	return fflush(to) == 0 ? 0 : -EPIPE;
}

int cmd_logs(const struct call *call, struct err *e)
{
	const struct logs_values *values = call->options.values;
	struct log_query query = { .tail = -1, .follow = values->follow };
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_record struct record record = { 0 };
	char id[RECORD_ID_LEN + 1];
	uint32_t tail;
	auto_fd int dir = -1;

	if (values->tail && strcmp(values->tail, "all") != 0) {
		if (number_parse(values->tail, UINT32_MAX, &tail) < 0)
			return err_set(e, EINVAL, "--tail %s: expected a number or all",
				       json_quote(values->tail).text);
		query.tail = tail;
	}
	TRY(parse_time("--since", values->since, call->arena, &query.since, e));
	TRY(parse_time("--until", values->until, call->arena, &query.until, e));
	TRY(people_engine(call, &g, e));
	TRY(record_find(&g, call->options.args.at[0], id, e));
	dir = record_open(&g, id, &record, e);
	TRY(dir);
	if (strcmp(record.log_driver, "none") == 0)
		return err_set(e, ENODATA, "container %s keeps no log (--log-driver none)",
			       call->options.args.at[0]);
	/* It may have been started again, without who looks on. */
	if (!record.detached && faccessat(dir, LOG_FILE, F_OK, 0) < 0)
		return err_set(e, ENODATA,
			       "container %s ran in the foreground: what it wrote went there",
			       call->options.args.at[0]);
	if (strcmp(record.log_driver, "journald") == 0)
		return journal_read(dir, record.id, &query, print_line, (void *)values, e);
	return log_read(dir, &query, print_line, (void *)values, e);
}
