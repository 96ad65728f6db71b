#include "engine/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/spawn.h"

enum { PRIORITY_ERR = 3, PRIORITY_INFO = 6, READ_CHUNK = 64 * 1024, LINE_MAX_BYTES = 1024 * 1024 };

static const struct sockaddr_un journal_address = { AF_UNIX, "/run/systemd/journal/socket" };

void journal_field(struct buf *to, const char *name, const char *value, size_t len)
{
	unsigned char size[8];

	for (size_t i = 0; i < sizeof(size); i++)
		size[i] = (unsigned char)((uint64_t)len >> (8 * i));
	buf_printf(to, "%s\n", name);
	buf_add(to, size, sizeof(size));
	buf_add(to, value, len);
	buf_char(to, '\n');
}

static void text_field(struct buf *to, const char *name, const char *value)
{
	if (value)
		journal_field(to, name, value, strlen(value));
}

static int add_tag_field(const struct record *r, const char *name, size_t len, struct buf *ret,
			 struct err *e)
{
	static const char *const names[] = { ".ID", ".FullID", ".Name", ".ImageName" };
	const char *const values[] = { r->id, r->id, r->name, r->image };

	while (len && *name == ' ')
		name++, len--;
	while (len && name[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strlen(names[i]) != len || memcmp(names[i], name, len) != 0)
			continue;
		buf_printf(ret, "%.*s", i == 0 ? RECORD_SHORT : 4096, values[i] ? values[i] : "");
		return 0;
	}
	return err_set(e, EINVAL,
		       "--log-opt tag: there is no field \"%.*s\", but .ID, .FullID, .Name and "
		       ".ImageName",
		       (int)len, name);
}

int journal_tag(const struct record *r, struct arena *a, const char **ret, struct err *e)
{
	const char *at = r->log_tag ? r->log_tag : "{{.ID}}";
	auto_buf struct buf text = { 0 };

	while (*at) {
		const char *end = strncmp(at, "{{", 2) == 0 ? strstr(at, "}}") : NULL;

		if (!end) {
			buf_char(&text, *at++);
			continue;
		}
		TRY(add_tag_field(r, at + 2, (size_t)(end - at - 2), &text, e));
		at = end + 2;
	}
	*ret = arena_strdup(a, text.text ? text.text : "");
	return 0;
}

static int fill_fields(const struct record *r, struct buf *to, struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *tag;

	TRY(journal_tag(r, &a, &tag, e));
	journal_field(to, "CONTAINER_ID", r->id, RECORD_SHORT);
	text_field(to, "CONTAINER_ID_FULL", r->id);
	text_field(to, "CONTAINER_NAME", r->name);
	text_field(to, "CONTAINER_TAG", tag);
	text_field(to, "SYSLOG_IDENTIFIER", tag);
	text_field(to, "IMAGE_NAME", r->image);
	return 0;
}

int journal_open(const struct record *r, struct journal *ret, struct err *e)
{
	struct journal j = JOURNAL_CLOSED;

	j.sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (j.sock < 0)
		return err_sys(e, "make a socket for the journal");
	/* Only to see; the journal may be started anew while the container runs. */
	if (connect(j.sock, (const struct sockaddr *)&journal_address, sizeof(journal_address)) <
	    0) {
		err_set(e, errno, "--log-driver journald: the journal does not listen at %s: %s",
			journal_address.sun_path, err_text(errno));
		close(j.sock);
		return -e->code;
	}
	if (fill_fields(r, &j.fields, e) < 0) {
		journal_close(&j);
		return -e->code;
	}
	*ret = j;
	return 0;
}

void journal_close(struct journal *j)
{
	close_fd(&j->sock);
	buf_done(&j->fields);
}

void journal_send(struct journal *j, bool is_stderr, const char *text, size_t len, bool partial)
{
	auto_buf struct buf message = { 0 };
	ssize_t n;

	buf_add(&message, j->fields.text, j->fields.len);
	buf_printf(&message, "PRIORITY=%d\n", is_stderr ? PRIORITY_ERR : PRIORITY_INFO);
	if (partial)
		buf_str(&message, "CONTAINER_PARTIAL_MESSAGE=true\n");
	journal_field(&message, "MESSAGE", text, len);
	while ((n = sendto(j->sock, message.text, message.len, MSG_NOSIGNAL,
			   (const struct sockaddr *)&journal_address, sizeof(journal_address))) <
		       0 &&
	       errno == EINTR)
		;
	if (n < 0 && !j->failing)
		log_line(LOG_LEVEL_ERROR, "the journal does not take the container's output: %s",
			 err_text(errno));
	j->failing = n < 0;
}

/* The reader: lines of `journalctl --output=json`. */

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
					       atoi(priority->text) == PRIORITY_ERR,
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
