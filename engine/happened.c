#include "engine/happened.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json_write.h"
#include "base/log.h"

#define BEFORE_FILE HAPPENED_FILE ".1"

enum { CHUNK = 16 * 1024, LINE_BYTES = 256 * 1024, LOOK_MS = 1000 };

static const int64_t second = 1000000000;

int64_t happened_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * second + ts.tv_nsec;
}

static bool has_key(const struct spec_pairs *pairs, const char *key)
{
	for (size_t i = 0; pairs && i < pairs->n; i++)
		if (strcmp(pairs->at[i].key, key) == 0)
			return true;
	return false;
}

static void write_pairs(struct json_writer *w, const struct spec_pairs *pairs)
{
	for (size_t i = 0; pairs && i < pairs->n; i++)
		json_write_string(w, pairs->at[i].key, pairs->at[i].value);
}

/* Between newlines, so that what a crash left half of a line spoils no other. */
static void begin_line(struct json_writer *w, struct buf *ret)
{
	buf_char(ret, '\n');
	*w = json_writer(ret, NULL);
	json_write_object(w, NULL);
}

static void end_line(struct json_writer *w, int64_t when, struct buf *ret)
{
	json_write_string(w, "scope", "local");
	json_write_int(w, "time", when / second);
	json_write_int(w, "timeNano", when);
	json_write_end(w);
	buf_char(ret, '\n');
}

void happened_write(const struct record *r, const char *action, const struct spec_pairs *more,
		    int64_t when, struct buf *ret)
{
	struct json_writer w;

	begin_line(&w, ret);
	json_write_string(&w, "status", action);
	json_write_string(&w, "id", r->id);
	json_write_string(&w, "from", r->image);
	json_write_string(&w, "Type", "container");
	json_write_string(&w, "Action", action);
	json_write_object(&w, "Actor");
	json_write_string(&w, "ID", r->id);
	json_write_object(&w, "Attributes");
	write_pairs(&w, more);
	json_write_string(&w, "image", r->image);
	for (size_t i = 0; i < r->labels.n; i++) {
		const char *label = r->labels.at[i].key;

		if (strcmp(label, "image") != 0 && strcmp(label, "name") != 0 &&
		    !has_key(more, label))
			json_write_string(&w, label, r->labels.at[i].value);
	}
	json_write_string(&w, "name", r->name);
	json_write_end(&w);
	json_write_end(&w);
	end_line(&w, when, ret);
}

/* Images have the older members, too, as in Docker. */
void happening_write(const struct happening *h, int64_t when, struct buf *ret)
{
	struct json_writer w;

	begin_line(&w, ret);
	if (strcmp(h->type, "image") == 0) {
		json_write_string(&w, "status", h->action);
		json_write_string(&w, "id", h->id);
	}
	json_write_string(&w, "Type", h->type);
	json_write_string(&w, "Action", h->action);
	json_write_object(&w, "Actor");
	json_write_string(&w, "ID", h->id);
	json_write_object(&w, "Attributes");
	write_pairs(&w, &h->attributes);
	json_write_end(&w);
	json_write_end(&w);
	end_line(&w, when, ret);
}

/* Whoever has the lock, and the file that has the name still. */
static void rotate(const struct engine *g, int fd)
{
	struct stat ours, named;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &ours) < 0 ||
	    fstatat(g->dir, HAPPENED_FILE, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	    ours.st_dev != named.st_dev || ours.st_ino != named.st_ino)
		return;
	if (renameat(g->dir, HAPPENED_FILE, g->dir, BEFORE_FILE) < 0)
		log_debug("rename " HAPPENED_FILE ": %s", err_text(errno));
}

void happened_note(const struct engine *g, const struct buf *lines)
{
	auto_fd int fd = openat(g->dir, HAPPENED_FILE,
				O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || write(fd, lines->text, lines->len) != (ssize_t)lines->len)
		log_debug("note in " HAPPENED_FILE " what happened: %s", err_text(errno));
	else if (fstat(fd, &st) == 0 && st.st_size >= HAPPENED_MAX)
		rotate(g, fd);
}

void happened(const struct engine *g, const struct record *r, const char *action, const char *key,
	      const char *value)
{
	struct spec_pair pair = { key, value };
	const struct spec_pairs more = { &pair, key ? 1 : 0 };
	auto_buf struct buf line = { 0 };

	happened_write(r, action, &more, happened_now(), &line);
	happened_note(g, &line);
}

void happened_beside(const struct engine *g, const struct happening *h)
{
	auto_buf struct buf line = { 0 };

	happening_write(h, happened_now(), &line);
	happened_note(g, &line);
}

void happened_image(const struct engine *g, const char *action, const char *id, const char *name)
{
	struct spec_pair pair = { "name", name };

	happened_beside(g, &(struct happening){ .type = "image",
						.action = action,
						.id = id,
						.attributes = { &pair, 1 } });
}

void happened_to(const struct engine *g, const char *id, const char *action, const char *key,
		 const char *value)
{
	auto_record struct record record = { 0 };
	struct err e;
	auto_fd int dir = record_open(g, id, &record, &e);

	if (dir >= 0)
		happened(g, &record, action, key, value);
}

/* The reader. */

struct reader {
	const struct engine *g;
	const struct happened_query *query;
	int (*tell)(const struct json *event, int64_t when, void *ctx, struct err *e);
	void *ctx;
	struct buf pending; /* without its newline yet */
	int fd;
};

static int64_t time_of(const struct json *event)
{
	const struct json *when =
		event->type == JSON_OBJECT ? json_member(event, "timeNano") : NULL;

	return when && when->type == JSON_NUMBER ? strtoll(when->text, NULL, 10) : -1;
}

static int tell_line(const struct reader *r, const char *text, size_t len, struct err *e)
{
	auto_json struct json_doc doc = { .name = HAPPENED_FILE, .text = text, .size = len };
	auto_arena struct arena a = { 0 };
	struct err torn;
	int64_t when;

	if (!len || json_parse(&doc, &a, &torn) < 0)
		return 0;
	when = time_of(doc.root);
	if (when < r->query->since || (r->query->until >= 0 && when > r->query->until))
		return 0;
	return r->tell(doc.root, when, r->ctx, e);
}

static int tell_lines(struct reader *r, struct err *e)
{
	char *begin = r->pending.text, *newline;
	size_t left = r->pending.len;
	int t = 0;

	while (t == 0 && (newline = memchr(begin, '\n', left))) {
		t = tell_line(r, begin, (size_t)(newline - begin), e);
		left -= (size_t)(newline + 1 - begin);
		begin = newline + 1;
	}
	memmove(r->pending.text, begin, left);
	r->pending.len = left > LINE_BYTES ? 0 : left;
	return t;
}

/* All that is there now. */
static int drain(struct reader *r, int fd, struct err *e)
{
	for (;;) {
		char *room = buf_reserve(&r->pending, CHUNK);
		ssize_t n = fd < 0 ? 0 : read(fd, room, CHUNK);
		int t;

		if (n < 0)
			return err_sys(e, "read " HAPPENED_FILE);
		if (n == 0)
			return 0;
		r->pending.len += (size_t)n;
		t = tell_lines(r, e);
		if (t != 0)
			return t;
	}
}

static int open_file(const struct engine *g, const char *name)
{
	return openat(g->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* What happened before; the file that goes on is left open. */
static int read_past(struct reader *r, struct err *e)
{
	auto_fd int before = -1;
	int t;

	r->fd = open_file(r->g, HAPPENED_FILE);
	if (r->query->since < 0) {
		if (r->fd >= 0 && lseek(r->fd, 0, SEEK_END) < 0)
			return err_sys(e, "read " HAPPENED_FILE);
		return 0;
	}
	before = open_file(r->g, BEFORE_FILE);
	if (before >= 0 && !(r->fd >= 0 && is_same_file(before, r->fd))) {
		t = drain(r, before, e);
		if (t != 0)
			return t;
		r->pending.len = 0;
	}
	return drain(r, r->fd, e);
}

/* What was added meanwhile, also to the file that took the place of the one that was full. */
static int read_more(struct reader *r, struct err *e)
{
	auto_fd int next = open_file(r->g, HAPPENED_FILE);
	int t = drain(r, r->fd, e);

	if (t != 0 || next < 0 || (r->fd >= 0 && is_same_file(next, r->fd)))
		return t;
	/* It was full before `next` was opened, but for who had it open still. */
	close_fd(&r->fd);
	r->fd = take_fd(&next);
	r->pending.len = 0;
	return drain(r, r->fd, e);
}

/* Waits for a change of the directory; at the latest after LOOK_MS it is looked anyway. */
static void wait_for_change(int watch, int64_t left)
{
	struct pollfd fd = { watch, POLLIN, 0 };
	char events[4096];
	int64_t ms = left / 1000000 + 1;

	if (poll(&fd, 1, ms < LOOK_MS ? (int)ms : LOOK_MS) > 0 &&
	    read(watch, events, sizeof(events)) < 0)
		log_debug("read changes: %s", err_text(errno));
}

static int read_on(struct reader *r, struct err *e)
{
	int64_t until = r->query->until;
	auto_fd int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int t = 0;

	if (watch < 0 ||
	    inotify_add_watch(watch, r->g->path.text, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
		return err_sys(e, "watch %s", r->g->path.text);
	while (t == 0) {
		int64_t left = until < 0 ? INT64_MAX : until - happened_now();

		t = read_more(r, e);
		if (t != 0 || left <= 0)
			break;
		wait_for_change(watch, left);
	}
	return t;
}

int happened_read(const struct engine *g, const struct happened_query *q,
		  int (*tell)(const struct json *event, int64_t when, void *ctx, struct err *e),
		  void *ctx, struct err *e)
{
	struct reader r = { .g = g, .query = q, .tell = tell, .ctx = ctx, .fd = -1 };
	int t = read_past(&r, e);

	if (t == 0 && (q->until < 0 || q->until > happened_now()))
		t = read_on(&r, e);
	close_fd(&r.fd);
	buf_done(&r.pending);
	return t < 0 ? t : 0;
}
