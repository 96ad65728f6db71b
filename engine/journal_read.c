/* journal_read.c - the lines of a container that `journalctl --output=json` prints. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/spawn.h"
#include "engine/journal.h"

enum {
	READ_CHUNK = 64 * 1024,
	LINE_MAX_BYTES = 1024 * 1024,
	WORDS_MAX = 512,
	FOLLOW_MS = 300, /* so long after the end of a container its last lines may come */
	QUIET = INT_MAX, /* no answer of who is told */
};

struct journal_reader {
	const char *id;
	int dir; /* the container's */
	const struct log_query *query;
	int (*tell)(const struct log_line *l, void *ctx);
	void *ctx;
	pid_t pid;                 /* of journalctl */
	int out, words;            /* what it prints, and what it says on standard error */
	struct buf pending, heard; /* of each; lines without their newline yet */
	struct buf cursor;         /* of the last line; empty: there was none */
};

static void reader_done(struct journal_reader *r)
{
	close_fd(&r->out);
	close_fd(&r->words);
	buf_done(&r->pending);
	buf_done(&r->heard);
	buf_done(&r->cursor);
}

/* The container's lines that the same user's hull has sent: anybody may send some with that id. */
_Noreturn static void become_journalctl(const struct journal_reader *r, pid_t parent, int out,
					int words, bool follow)
{
	auto_buf struct buf after = { 0 };
	char match[128], user[32], lines[32] = "--lines=all";
	enum { FIXED = 6, MOST = 4 };
	const char *argv[FIXED + MOST + 1] = { "journalctl", "--output=json", "--all",
					       "--quiet",    "--no-pager",    lines };
	size_t n = FIXED;

	snprintf(match, sizeof(match), "CONTAINER_ID_FULL=%s", r->id);
	snprintf(user, sizeof(user), "_UID=%u", geteuid());
	argv[n++] = match;
	argv[n++] = user;
	if (r->cursor.len) {
		buf_printf(&after, "--after-cursor=%s", r->cursor.text);
		argv[n++] = after.text;
	} else if (r->query->tail >= 0) {
		snprintf(lines, sizeof(lines), "--lines=%lld", (long long)r->query->tail);
	}
	if (follow)
		argv[n++] = "--follow";
	spawn_reset_signals();
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
	    dup2(out, STDOUT_FILENO) < 0 || dup2(words, STDERR_FILENO) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static int start_journalctl(struct journal_reader *r, bool follow, struct err *e)
{
	auto_fd int out = -1, words = -1;
	const pid_t self = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	r->out = ends[0];
	out = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	r->words = ends[0];
	words = ends[1];
	r->pid = fork();
	if (r->pid == 0)
		become_journalctl(r, self, out, words, follow);
	return r->pid < 0 ? err_sys(e, "start journalctl") : 0;
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

static int tell_entry(struct journal_reader *r, const char *text, size_t len, struct err *e)
{
	auto_json struct json_doc doc = { .name = "journalctl's answer",
					  .text = text,
					  .size = len };
	auto_arena struct arena a = { 0 };
	auto_buf struct buf message = { 0 };
	const struct json *priority, *cursor;
	struct log_line line;
	char when[48];

	TRY(json_parse(&doc, &a, e));
	if (doc.root->type != JSON_OBJECT)
		return err_set(e, EBADMSG, "journalctl's answer is not one of its own");
	cursor = json_member(doc.root, "__CURSOR");
	if (cursor && cursor->type == JSON_STRING) {
		buf_clear(&r->cursor);
		buf_str(&r->cursor, cursor->text);
	}
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

/* Whole lines of what it prints. */
static int take_lines(struct journal_reader *r, struct err *e)
{
	char *begin = r->pending.text, *newline;
	size_t left = r->pending.len;

	while ((newline = memchr(begin, '\n', left))) {
		int t = tell_entry(r, begin, (size_t)(newline - begin), e);

		if (t != 0)
			return t;
		left -= (size_t)(newline + 1 - begin);
		begin = newline + 1;
	}
	memmove(r->pending.text, begin, left);
	r->pending.len = left;
	if (left > LINE_MAX_BYTES)
		return err_set(e, EFBIG, "a line of journalctl's is too long");
	return 0;
}

/* 0: that is all of it. */
static ssize_t take_some(int fd, struct buf *to, struct err *e)
{
	ssize_t n;

	while ((n = read(fd, buf_reserve(to, READ_CHUNK), READ_CHUNK)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return err_sys(e, "hear from journalctl");
	to->len += (size_t)n;
	to->text[to->len] = '\0';
	return n;
}

/* Only the first of it is told. */
static int take_words(struct journal_reader *r, struct err *e)
{
	ssize_t n = take_some(r->words, &r->heard, e);

	TRY((int)n);
	if (n == 0)
		close_fd(&r->words);
	if (r->heard.len > WORDS_MAX) {
		r->heard.len = WORDS_MAX;
		r->heard.text[WORDS_MAX] = '\0';
	}
	return 0;
}

/*
 * Until the end of what it prints: 0. With `follow` there is none: until the container has ended,
 * and nothing more came: QUIET.
 */
static int read_entries(struct journal_reader *r, bool follow, struct err *e)
{
	for (;;) {
		struct pollfd fds[] = { { r->out, POLLIN, 0 }, { r->words, POLLIN, 0 } };
		struct err ignored;
		bool ended = follow && record_wait(r->dir, 0, &ignored) == 0;
		int ready = poll(fds, ARRAY_LEN(fds), follow ? FOLLOW_MS : -1);
		ssize_t n = 0;

		if (ready < 0 && errno != EINTR)
			return err_sys(e, "wait for journalctl");
		if (ready == 0 && ended)
			return QUIET;
		if (ready <= 0)
			continue;
		if (fds[1].revents)
			TRY(take_words(r, e));
		if (!fds[0].revents)
			continue;
		n = take_some(r->out, &r->pending, e);
		TRY((int)n);
		if (n == 0)
			return 0;
		n = take_lines(r, e);
		if (n != 0)
			return (int)n;
	}
}

static int end_of(struct journal_reader *r, struct err *e)
{
	int status;

	while (r->words >= 0)
		TRY(take_words(r, e));
	while (waitpid(r->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for journalctl");
	if (r->heard.len)
		r->heard.text[strcspn(r->heard.text, "\n")] = '\0';
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(e, ENOENT,
			       "what is in the journal is read by journalctl, which is not there");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (r->heard.len)
			log_warn("journalctl: %s", r->heard.text);
		return 0;
	}
	/* Without a word: nothing was found. */
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && !r->heard.len)
		return 0;
	return err_set(e, EIO, "journalctl failed (%s %d)%s%s",
		       WIFEXITED(status) ? "exit status" : "signal",
		       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
		       r->heard.len ? ": " : "", r->heard.len ? r->heard.text : "");
}

static void kill_journalctl(struct journal_reader *r)
{
	kill(r->pid, SIGKILL);
	while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* One journalctl, to its end. */
static int read_once(struct journal_reader *r, bool follow, struct err *e)
{
	int n;

	r->pending.len = r->heard.len = 0;
	TRY(start_journalctl(r, follow, e));
	n = read_entries(r, follow, e);
	if (n != 0) {
		kill_journalctl(r);
	} else {
		n = end_of(r, e);
		if (n == 0 && follow)
			n = err_set(e, EIO, "journalctl did not go on following the journal");
	}
	close_fd(&r->out);
	close_fd(&r->words);
	return n;
}

int journal_read(int dir, const char *id, const struct log_query *q,
		 int (*tell)(const struct log_line *l, void *ctx), void *ctx, struct err *e)
{
	struct journal_reader r = {
		.id = id, .dir = dir, .query = q, .tell = tell, .ctx = ctx, .out = -1, .words = -1
	};
	int n = q->follow ? read_once(&r, true, e) : QUIET;

	/* How far the one that followed has come is not known: this one has an end. */
	if (n == QUIET)
		n = read_once(&r, false, e);
	reader_done(&r);
	return n < 0 ? n : 0;
}
