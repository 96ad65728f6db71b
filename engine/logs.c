#include "engine/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/json_write.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/journal.h"
#include "engine/record.h"

enum { LINE_MAX_BYTES = 16 * 1024, FOLLOW_MS = 100, READ_CHUNK = 64 * 1024, TRIES = 16 };

static int open_file(int dir, int *ret, uint64_t *ret_size)
{
	struct stat st;
	int fd =
		openat(dir, LOG_FILE, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret = fd;
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

int log_writer_open(int dir, uint64_t max_size, uint32_t max_files, struct log_writer *ret,
		    struct err *e)
{
	int r;

	*ret = (struct log_writer){
		.dir = dir, .fd = -1, .max_size = max_size, .max_files = max_files ? max_files : 1
	};
	r = open_file(dir, &ret->fd, &ret->size);
	return r < 0 ? err_neg(e, r, "open the container's log") : 0;
}

void log_writer_to_journal(struct journal *j, struct log_writer *ret)
{
	*ret = (struct log_writer){ .journal = j, .dir = -1, .fd = -1 };
}

void log_writer_close(struct log_writer *w)
{
	close_fd(&w->fd);
}

static void give_up(struct log_writer *w, const char *doing, int code)
{
	log_line(LOG_LEVEL_ERROR, "the container's output is not logged any more: %s: %s", doing,
		 err_text(code));
	close_fd(&w->fd);
}

/* log.jsonl.1 becomes .2 and so on; the oldest goes. */
static void rotate(struct log_writer *w)
{
	char from[32], to[32];
	int r;

	for (uint32_t i = w->max_files; i-- > 1;) {
		snprintf(from, sizeof(from), i == 1 ? LOG_FILE : LOG_FILE ".%u", i - 1);
		snprintf(to, sizeof(to), LOG_FILE ".%u", i);
		if (renameat(w->dir, from, w->dir, to) < 0 && errno != ENOENT)
			return give_up(w, "rotate", errno);
	}
	if (w->max_files == 1 && unlinkat(w->dir, LOG_FILE, 0) < 0)
		return give_up(w, "rotate", errno);
	close_fd(&w->fd);
	r = open_file(w->dir, &w->fd, &w->size);
	if (r < 0)
		give_up(w, "open a new file", -r);
}

static void send_line(struct log_writer *w, struct log_stream *s)
{
	bool whole = s->line.text[s->line.len - 1] == '\n';

	journal_send(w->journal, strcmp(s->name, "stderr") == 0, s->line.text, s->line.len - whole,
		     !whole);
	buf_clear(&s->line);
}

static bool is_open(const struct log_writer *w)
{
	return w->fd >= 0 || w->journal;
}

static void write_line(struct log_writer *w, struct log_stream *s)
{
	auto_buf struct buf out = { 0 };
	struct json_writer json = json_writer(&out, NULL);
	char now[48];
	int r;

	if (w->journal) {
		send_line(w, s);
		return;
	}
	record_now(now);
	json_write_object(&json, NULL);
	json_write_string(&json, "log", s->line.text);
	json_write_string(&json, "stream", s->name);
	json_write_string(&json, "time", now);
	json_write_end(&json);
	if (out.text[out.len - 1] != '\n')
		buf_char(&out, '\n');
	buf_clear(&s->line);
	if (w->max_size && w->size && w->size + out.len > w->max_size)
		rotate(w);
	if (w->fd < 0)
		return;
	r = io_write_all(w->fd, out.text, out.len);
	if (r < 0)
		return give_up(w, "write", -r);
	w->size += out.len;
}

void log_write(struct log_writer *w, struct log_stream *s, const void *bytes, size_t len)
{
	const char *at = bytes, *end = at + len;

	while (is_open(w) && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);

		if (s->line.len + n > LINE_MAX_BYTES) {
			n = LINE_MAX_BYTES - s->line.len;
			newline = at + n - 1;
		}
		/* JSON has no place for NUL in what C reads; it is shown as what it is, U+FFFD. */
		for (size_t i = 0; i < n; i++)
			if (at[i])
				buf_char(&s->line, at[i]);
			else
				buf_str(&s->line, "\xef\xbf\xbd");
		at += n;
		if (newline)
			write_line(w, s);
	}
}

void log_flush(struct log_writer *w, struct log_stream *s)
{
	if (is_open(w) && s->line.len)
		write_line(w, s);
}

/* The reader. */

struct reader {
	const struct log_query *query;
	int (*tell)(const struct log_line *l, void *ctx);
	void *ctx;
	struct buf pending; /* of the file, without its newline yet */
};

static int tell_line(const struct reader *r, const char *text, size_t len, struct err *e)
{
	auto_json struct json_doc doc = { .name = LOG_FILE, .text = text, .size = len };
	auto_arena struct arena a = { 0 };
	const struct json *log, *stream, *when;
	struct log_line line;

	TRY(json_parse(&doc, &a, e));
	if (doc.root->type != JSON_OBJECT)
		return err_set(e, EBADMSG, "%s: a line is not one of ours", LOG_FILE);
	log = json_member(doc.root, "log");
	stream = json_member(doc.root, "stream");
	when = json_member(doc.root, "time");
	if (!log || log->type != JSON_STRING || !when || when->type != JSON_STRING)
		return err_set(e, EBADMSG, "%s: a line is not one of ours", LOG_FILE);
	line = (struct log_line){ .text = log->text,
				  .len = strlen(log->text),
				  .is_stderr = stream && stream->type == JSON_STRING &&
					       strcmp(stream->text, "stderr") == 0,
				  .time = when->text };
	if (r->query->since && strcmp(line.time, r->query->since) < 0)
		return 0;
	if (r->query->until && strcmp(line.time, r->query->until) > 0)
		return 0;
	return r->tell(&line, r->ctx);
}

/* Returns where the last *n lines of the file begin, and makes *n what is missing of them. */
static off_t find_tail(int fd, off_t size, int64_t *n)
{
	char chunk[4096];
	off_t at = size;
	int64_t seen = 0;

	if (!*n)
		return size;

	while (at > 0) {
		off_t begin = at > (off_t)sizeof(chunk) ? at - (off_t)sizeof(chunk) : 0;
		ssize_t got = pread(fd, chunk, (size_t)(at - begin), begin);

		if (got <= 0)
			return 0;
		for (ssize_t i = got; i-- > 0;)
			if (chunk[i] == '\n' && begin + i + 1 < size && ++seen == *n) {
				*n = 0;
				return begin + i + 1;
			}
		at = begin;
	}
	*n -= seen + (size > 0);
	return 0;
}

/* All that is there now. */
static int drain(struct reader *r, int fd, struct err *e)
{
	for (;;) {
		char *room = buf_reserve(&r->pending, READ_CHUNK);
		ssize_t n = read(fd, room, READ_CHUNK);
		char *begin, *newline;

		if (n < 0)
			return err_sys(e, "read the container's log");
		if (n == 0)
			return 0;
		r->pending.len += (size_t)n;
		r->pending.text[r->pending.len] = '\0';
		begin = r->pending.text;
		while ((newline = memchr(begin, '\n',
					 r->pending.len - (size_t)(begin - r->pending.text)))) {
			int t = tell_line(r, begin, (size_t)(newline - begin), e);

			begin = newline + 1;
			if (t != 0)
				return t;
		}
		r->pending.len -= (size_t)(begin - r->pending.text);
		memmove(r->pending.text, begin, r->pending.len);
	}
}

static int stat_number(int dir, uint32_t number, struct stat *ret)
{
	char name[32];

	snprintf(name, sizeof(name), number ? LOG_FILE ".%u" : LOG_FILE, number);
	return fstatat(dir, name, ret, AT_SYMLINK_NOFOLLOW);
}

static int open_number(int dir, uint32_t number)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), number ? LOG_FILE ".%u" : LOG_FILE, number);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/*
 * Which number a file has by now; false: none, and *ret is the oldest one's. Files are renamed from
 * the oldest on, so one that moves meanwhile is met later, and between two there may be a gap.
 */
static bool find_number(int dir, const struct stat *file, uint32_t *ret)
{
	struct stat st;

	*ret = 0;
	for (uint32_t i = 0, missing = 0; missing < 2; i++) {
		if (stat_number(dir, i, &st) < 0) {
			missing++;
			continue;
		}
		missing = 0;
		*ret = i;
		if (is_same(&st, file))
			return true;
	}
	return false;
}

enum beside { EARLIER, LATER };

/*
 * The file beside the open one. -ENOENT: there is none, or none yet. If that has gone, it was the
 * oldest, and what is the oldest now is later.
 */
static int open_beside(int dir, int fd, enum beside which)
{
	struct stat ours, first, now;

	if (fstat(fd, &ours) < 0)
		return -errno;
	for (int i = 0; i < TRIES; i++) {
		bool is_first = stat_number(dir, 0, &first) == 0;
		uint32_t number;
		bool found = find_number(dir, &ours, &number);
		auto_fd int beside = -1;

		if (found ? number == 0 && which == LATER : which == EARLIER)
			return -ENOENT;
		beside = open_number(dir, !found           ? number
					  : which == LATER ? number - 1
							   : number + 1);
		/* Its neighbour is that only if nothing was renamed meanwhile. */
		if (found ? stat_number(dir, number, &now) == 0 && is_same(&now, &ours)
			  : is_first && stat_number(dir, 0, &now) == 0 && is_same(&now, &first))
			return beside < 0 ? beside : take_fd(&beside);
	}
	return -ENOENT;
}

static int follow(struct reader *r, int dir, int *fd, struct err *e)
{
	struct err ignored;

	for (;;) {
		bool ended = record_wait(dir, 0, &ignored) == 0;
		int n = drain(r, *fd, e), next;

		if (n != 0)
			return n;
		next = open_beside(dir, *fd, LATER);
		if (next >= 0) {
			/* What came before the rotation; nothing comes behind it. */
			n = drain(r, *fd, e);
			close_fd(fd);
			*fd = next;
			buf_clear(&r->pending);
			if (n != 0)
				return n;
			continue;
		}
		if (ended)
			return 0;
		usleep(FOLLOW_MS * 1000);
	}
}

/*
 * The open file, and before it those that go before it, as far as there are any and something of
 * `wanted` lines (-1: all) is missing. All are open before the first line is told.
 */
static int read_from(struct reader *r, int dir, int *fd, int64_t wanted, bool follows,
		     struct err *e)
{
	struct stat st;
	off_t begin = 0;

	if (fstat(*fd, &st) < 0)
		return err_sys(e, "look at the container's log");
	if (wanted >= 0)
		begin = find_tail(*fd, st.st_size, &wanted);
	if (wanted != 0) {
		auto_fd int before = open_beside(dir, *fd, EARLIER);
		int n = before < 0 ? before : read_from(r, dir, &before, wanted, false, e);

		if (before < 0 && before != -ENOENT)
			return err_neg(e, before, "open the container's log");
		if (before >= 0 && n != 0)
			return n;
	}
	if (lseek(*fd, begin, SEEK_SET) < 0)
		return err_sys(e, "read the container's log");
	return follows ? follow(r, dir, fd, e) : drain(r, *fd, e);
}

int log_read(int dir, const struct log_query *q, int (*tell)(const struct log_line *l, void *ctx),
	     void *ctx, struct err *e)
{
	struct reader r = { .query = q, .tell = tell, .ctx = ctx };
	auto_fd int fd = open_number(dir, 0);
	int n;

	/* Between two steps of a rotation there is no first one. */
	if (fd == -ENOENT)
		fd = open_number(dir, 1);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_neg(e, fd, "open the container's log");
	n = read_from(&r, dir, &fd, q->tail, q->follow, e);
	buf_done(&r.pending);
	return n < 0 ? n : 0;
}
