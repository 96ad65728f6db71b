#include "engine/gone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/scratch.h"

static const char place[] = "gone", until_file[] = "until", unfinished[] = ".new-";

/* container.json comes last: without it there is nothing. */
static const char *const files[] = { "status.json", "health.json", "log.jsonl", "container.json" };

static int open_directory(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Until when it is kept; 0: nothing says so, as when its making was interrupted. */
static long long until(int gone, const char *id)
{
	char file[RECORD_ID_LEN + sizeof(until_file) + 2], text[32];

	snprintf(file, sizeof(file), "%.*s/%s", RECORD_ID_LEN, id, until_file);
	return io_read_value(gone, file, text, sizeof(text)) < 0 ? 0 : strtoll(text, NULL, 10);
}

/* Calls `take` for each that is not over; the others are removed, and what killed ones did not finish. */
static int each(int gone, void (*take)(int gone, const char *id, long long end, void *ctx),
		void *ctx, struct err *e)
{
	auto_fd int fd = openat(gone, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long long now = (long long)time(NULL);
	const struct dirent *d;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (!list)
		return err_sys(e, "list what is left of removed containers");
	fd = -1;
	scratch_sweep(gone, unfinished);
	while ((d = readdir(list))) {
		long long end;
		int r = 0;

		if (d->d_name[0] == '.')
			continue;
		end = until(gone, d->d_name);
		if (end > now)
			take(gone, d->d_name, end, ctx);
		else
			r = io_remove_tree(gone, d->d_name);
		if (r < 0)
			log_warn(
				"what is left of container %.12s is over and cannot be removed: %s",
				d->d_name, err_text(-r));
	}
	closedir(list);
	return 0;
}

static void pass(int gone UNUSED, const char *id UNUSED, long long end UNUSED, void *ctx UNUSED)
{
}

static int open_place(const struct engine *g, struct err *e)
{
	int fd;

	if (mkdirat(g->dir, place, 0700) < 0 && errno != EEXIST)
		return err_sys(e, "make the directory for what is left of containers");
	fd = open_directory(g->dir, place);
	return fd < 0 ? err_neg(e, fd, "open the directory for what is left of containers") : fd;
}

static int fill(int from, int to, uint32_t seconds, struct err *e)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld", (long long)time(NULL) + seconds);

	TRY(io_replace_file(to, until_file, text, (size_t)n, e));
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (linkat(from, files[i], to, files[i], 0) < 0 && errno != ENOENT)
			return err_sys(e, "keep %s", files[i]);
	return 0;
}

int gone_keep(const struct engine *g, int dir, const struct record *r, struct err *e)
{
	auto_fd int gone = -1;
	auto_scratch struct scratch s = SCRATCH_NONE;
	int n;

	if (!r->keep_why)
		return 0;
	gone = open_place(g, e);
	TRY(gone);
	TRY(each(gone, pass, NULL, e));
	TRY(scratch_make(gone, unfinished, &s, e));
	TRY(fill(dir, s.dir, r->keep_why, e));
	/* An older one is of a removal that was interrupted behind this. */
	n = scratch_keep(&s, r->id);
	return n < 0 ? err_neg(e, n, "keep what is known of container %.12s", r->id) : 0;
}

struct search {
	const char *who;
	char id[RECORD_ID_LEN + 1];
	long long end;
};

static void compare(int gone, const char *id, long long end, void *ctx)
{
	struct search *s = ctx;
	auto_record struct record r = { 0 };
	auto_fd int dir = record_open_in(gone, id, &r, NULL);

	if (dir < 0 || end < s->end)
		return;
	if (strcmp(r.name, s->who) != 0 && strncmp(id, s->who, strlen(s->who)) != 0)
		return;
	s->end = end;
	snprintf(s->id, sizeof(s->id), "%s", id);
}

int gone_view(const struct engine *g, const char *who, struct container_view *ret, struct err *e)
{
	auto_container_view struct container_view v = { .state = STATE_STOPPED };
	auto_fd int gone = open_directory(g->dir, place), dir = -1;
	struct search search = { .who = who };

	if (gone >= 0)
		TRY(each(gone, compare, &search, e));
	if (!search.id[0])
		return err_set(e, ENOENT, "no such container: %s", who);
	dir = record_open_in(gone, search.id, &v.record, e);
	TRY(dir);
	memcpy(v.id, search.id, sizeof(v.id));
	TRY(status_read(dir, &v.status, e));
	if (v.record.health.test.n)
		TRY(health_read(dir, &v.health, e));
	*ret = v;
	v = (struct container_view){ 0 };
	return take_fd(&dir);
}
