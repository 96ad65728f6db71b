/* cmd_logs.c - `hull logs`: what detached containers wrote. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "cli/when.h"
#include "engine/journal.h"
#include "engine/logs.h"

struct logs_values {
	bool follow, timestamps, names;
	const char *tail, *since, *until;
};

/* clang-format off */
#define ROW(T, n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, .member = offsetof(struct T, m), \
	  .argument = arg, .help = h }

static const struct option_row rows[] = {
	ROW(logs_values, "follow", 'f', FLAG, follow, NULL, "go on until the container ends"),
	ROW(logs_values, "timestamps", 't', FLAG, timestamps, NULL, "show when each line was written"),
	ROW(logs_values, "names", 0, FLAG, names, NULL, "show whose each line is, by its container's name"),
	ROW(logs_values, "tail", 'n', STRING, tail, "N", "only the last N lines, or all"),
	ROW(logs_values, "since", 0, STRING, since, "TIME", "only what was written since a time (RFC 3339, or seconds since 1970), or a time span before now (10m)"),
	ROW(logs_values, "until", 0, STRING, until, "TIME", "only what was written before it"),
};
const struct option_table logs_options = { rows, ARRAY_LEN(rows), sizeof(struct logs_values), NULL, true };
/* clang-format on */

/* What lines are compared with: their times are in UTC and have nine digits of fractions. */
static int read_time(const char *option, const char *text, struct arena *a, const char **ret,
		     struct err *e)
{
	int64_t when;

	if (!text)
		return 0;
	TRY(when_parse(option, text, when_now(), &when, e));
	*ret = when_text(when, a);
	return 0;
}

/* One container's log on its way out. */
struct shown {
	const struct logs_values *values;
	const char *prefix; /* whose lines they are; NULL: nobody has to ask */
};

/* In one piece: others may write at the same time. */
static int print_line(const struct log_line *l, void *ctx)
{
	const struct shown *s = ctx;
	auto_buf struct buf text = { 0 };
	FILE *to = l->is_stderr ? stderr : stdout;

	if (s->prefix)
		buf_printf(&text, "%s ", s->prefix);
	if (s->values->timestamps)
		buf_printf(&text, "%s ", l->time);
	buf_add(&text, l->text, l->len);
	fwrite(text.text, 1, text.len, to);
	return fflush(to) == 0 ? 0 : -EPIPE;
}

struct logs {
	const struct logs_values *values;
	const struct engine *g;
	struct log_query query;
	bool several;
};

static int read_log(int dir, const struct record *r, const struct logs *l, const char *who,
		    struct err *e)
{
	struct shown shown = { .values = l->values };
	char id[RECORD_SHORT + 1];

	snprintf(id, sizeof(id), "%.*s", RECORD_SHORT, r->id);
	if (l->values->names)
		shown.prefix = r->name;
	else if (l->several)
		shown.prefix = id;
	if (strcmp(r->log_driver, "none") == 0)
		return err_set(e, ENODATA, "container %s keeps no log (--log-driver none)", who);
	/* It may have been started again, without who looks on. */
	if (!r->detached && faccessat(dir, LOG_FILE, F_OK, 0) < 0)
		return err_set(e, ENODATA,
			       "container %s ran in the foreground: what it wrote went there", who);
	if (strcmp(r->log_driver, "journald") == 0)
		return journal_read(dir, r->id, &l->query, print_line, &shown, e);
	return log_read(dir, &l->query, print_line, &shown, e);
}

static int show_one(const char *who, void *ctx, struct err *e)
{
	const struct logs *l = ctx;
	auto_record struct record record = { 0 };
	char id[RECORD_ID_LEN + 1];
	auto_fd int dir = -1;

	TRY(record_find(l->g, who, id, e));
	dir = record_open(l->g, id, &record, e);
	TRY(dir);
	return read_log(dir, &record, l, who, e);
}

/* A process for each container, which ends with us. */
static int follow_one(const char *who, const struct logs *l, const char *program, struct err *e)
{
	pid_t parent = getpid(), pid;
	struct err own = { 0 };
	int r;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return err_sys(e, "make a process for the log of %s", who);
	if (pid > 0)
		return 0;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	r = show_one(who, (void *)l, &own);
	if (r < 0)
		fprintf(stderr, "%s: %s\n", program, own.msg);
	_exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Returns the exit status: each has said what was wrong. */
static int follow_all(const struct strings *names, const struct logs *l, const char *program,
		      struct err *e)
{
	int status, result = 0;

	for (size_t i = 0; i < names->n; i++)
		TRY(follow_one(names->at[i], l, program, e));
	for (;;) {
		if (wait(&status) >= 0)
			result |= !WIFEXITED(status) || WEXITSTATUS(status);
		else if (errno != EINTR)
			return result;
	}
}

int cmd_logs(const struct call *call, struct err *e)
{
	const struct logs_values *values = call->options.values;
	const struct strings *names = &call->options.args;
	auto_engine struct engine g = ENGINE_CLOSED;
	struct logs l = { .values = values,
			  .g = &g,
			  .query = { .tail = -1, .follow = values->follow },
			  .several = names->n > 1 };
	uint32_t tail;

	if (values->tail && strcmp(values->tail, "all") != 0) {
		if (number_parse(values->tail, UINT32_MAX, &tail) < 0)
			return err_set(e, EINVAL, "--tail %s: expected a number or all",
				       json_quote(values->tail).text);
		l.query.tail = tail;
	}
	TRY(read_time("--since", values->since, call->arena, &l.query.since, e));
	TRY(read_time("--until", values->until, call->arena, &l.query.until, e));
	TRY(people_engine(call, &g, e));
	if (l.several && values->follow)
		return follow_all(names, &l, call->runtime.program, e);
	return people_words(call, names, show_one, &l, e);
}
