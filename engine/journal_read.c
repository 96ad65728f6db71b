/* journal_read.c - the lines of a container that `journalctl --output=json` prints. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/spawn.h"
#include "engine/journal.h"

enum { READ_CHUNK = 64 * 1024, LINE_MAX_BYTES = 1024 * 1024 };

struct journal_reader {
	const struct log_query *query;
	int (*tell)(const struct log_line *l, void *ctx);
	void *ctx;
	struct buf pending;
};

_Noreturn static void become_journalctl(const char *id, const struct log_query *q, int out)
{
	char match[128], lines[32];
	const char *argv[] = { "journalctl", "--output=json", "--quiet", "--no-pager",
			       match,        lines,           NULL,      NULL };

	snprintf(match, sizeof(match), "CONTAINER_ID_FULL=%s", id);
	if (q->tail >= 0)
		snprintf(lines, sizeof(lines), "--lines=%lld", (long long)q->tail);
	else
		snprintf(lines, sizeof(lines), "--lines=all");
	if (q->follow)
		argv[6] = "--follow";
	spawn_reset_signals();
	if (dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* A field is a string, or an array of bytes where it is no text. */
static void take_text(const struct json *v, struct buf *ret)
{
	if (v && v->type == JSON_STRING)
		buf_str(ret, v->text);
	for (const struct json *b = v && v->type == JSON_ARRAY ? v->first : NULL; b; b = b->next)
		if (b->type == JSON_NUMBER)
			buf_char(ret, (char)atoi(b->text));
}

/* Microseconds since the epoch, as our own logs have their times. */
static void take_time(const struct json *v, char ret[48])
{
	int64_t us = v && v->type == JSON_STRING ? strtoll(v->text, NULL, 10) : 0;
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(ret, 48, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret + n, 48 - n, ".%09lldZ", (long long)(us % 1000000) * 1000);
}

static int tell_entry(const struct journal_reader *r, const char *text, size_t len, struct err *e)
{
	auto_json struct json_doc doc = { .name = "journalctl's answer",
					  .text = text,
					  .size = len };
	auto_arena struct arena a = { 0 };
	auto_buf struct buf message = { 0 };
	const struct json *priority;
	struct log_line line;
	char when[48];

	TRY(json_parse(&doc, &a, e));
	if (doc.root->type != JSON_OBJECT)
		return err_set(e, EBADMSG, "journalctl's answer is not one of its own");
	take_text(json_member(doc.root, "MESSAGE"), &message);
	if (!json_member(doc.root, "CONTAINER_PARTIAL_MESSAGE"))
		buf_char(&message, '\n');
	take_time(json_member(doc.root, "__REALTIME_TIMESTAMP"), when);
	priority = json_member(doc.root, "PRIORITY");
	line = (struct log_line){ .text = message.text ? message.text : "",
				  .len = message.len,
				  .is_stderr = priority && priority->type == JSON_STRING &&
					       atoi(priority->text) == JOURNAL_ERR,
				  .time = when };
	if (r->query->since && strcmp(when, r->query->since) < 0)
		return 0;
	if (r->query->until && strcmp(when, r->query->until) > 0)
		return 0;
	return r->tell(&line, r->ctx);
}

static int read_entries(struct journal_reader *r, int fd, struct err *e)
{
	for (;;) {
		char *room = buf_reserve(&r->pending, READ_CHUNK), *begin, *newline;
		ssize_t n = read(fd, room, READ_CHUNK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "hear from journalctl");
		if (n == 0)
			return 0;
		r->pending.len += (size_t)n;
		begin = r->pending.text;
		while ((newline = memchr(begin, '\n',
					 r->pending.len - (size_t)(begin - r->pending.text)))) {
			int t = tell_entry(r, begin, (size_t)(newline - begin), e);

			if (t != 0)
				return t;
			begin = newline + 1;
		}
		r->pending.len -= (size_t)(begin - r->pending.text);
		memmove(r->pending.text, begin, r->pending.len);
		if (r->pending.len > LINE_MAX_BYTES)
			return err_set(e, EFBIG, "a line of journalctl's is too long");
	}
}

static int end_of(pid_t pid, struct err *e)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for journalctl");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, ENOENT,
			       "what is in the journal is read by journalctl, which is not there");
	/* 1: nothing was found. */
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return 0;
	return err_set(e, EIO, "journalctl failed (%s %d)",
		       WIFEXITED(status) ? "exit status" : "signal",
		       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

int journal_read(const char *id, const struct log_query *q,
		 int (*tell)(const struct log_line *l, void *ctx), void *ctx, struct err *e)
{
	struct journal_reader r = { .query = q, .tell = tell, .ctx = ctx };
	auto_fd int in = -1, out = -1;
	int ends[2], n;
	struct err why = { 0 };
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	in = ends[0];
	out = ends[1];
	pid = fork();
	if (pid == 0)
		become_journalctl(id, q, out);
	if (pid < 0)
		return err_sys(e, "start journalctl");
	close_fd(&out);
	n = read_entries(&r, in, e);
	if (n != 0)
		kill(pid, SIGKILL);
	close_fd(&in);
	buf_done(&r.pending);
	if (end_of(pid, n != 0 ? &why : e) < 0 && n == 0)
		return -e->code;
	return n < 0 ? n : 0;
}
