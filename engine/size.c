#include "engine/size.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/rootfs.h"
#include "engine/userns.h"
#include "mounts/overlay.h"

enum { DEPTH_MAX = 256 };

/* A name of a file that has several, and counts once. */
struct link_name {
	dev_t dev;
	ino_t ino;
	uint64_t bytes;
};

struct counting {
	LIST(struct link_name) links;
	uint64_t bytes; /* of the others */
	unsigned depth;
};

static void counting_done(struct counting *c)
{
	free(c->links.at);
}

static void add_file(struct counting *c, const struct stat *st)
{
	size_t n = c->links.n;

	if (st->st_nlink < 2) {
		c->bytes += (uint64_t)st->st_size;
		return;
	}
	if ((n & (n - 1)) == 0)
		c->links.at = mem_grow(c->links.at, n ? 2 * n : 1, sizeof(*c->links.at));
	c->links.at[c->links.n++] =
		(struct link_name){ st->st_dev, st->st_ino, (uint64_t)st->st_size };
}

static int by_file(const void *a, const void *b)
{
	const struct link_name *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static uint64_t sum(struct counting *c)
{
	uint64_t bytes = c->bytes;

	if (c->links.n)
		qsort(c->links.at, c->links.n, sizeof(*c->links.at), by_file);
	for (size_t i = 0; i < c->links.n; i++)
		if (i == 0 || by_file(&c->links.at[i - 1], &c->links.at[i]) != 0)
			bytes += c->links.at[i].bytes;
	return bytes;
}

static int count_tree(struct counting *c, int parent, const char *name, struct err *e);

/* NOLINTNEXTLINE(misc-no-recursion): as count_tree(). */
static int count_entry(struct counting *c, int dir, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "look at %s", name);
	if (S_ISDIR(st.st_mode))
		return count_tree(c, dir, name, e);
	add_file(c, &st);
	return 0;
}

/* The container may run: what is gone meanwhile counts nothing. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX. */
static int count_tree(struct counting *c, int parent, const char *name, struct err *e)
{
	const struct dirent *entry;
	DIR *stream;
	int fd, r = 0;

	if (c->depth == DEPTH_MAX)
		return err_set(e, ELOOP, "directories are more than %d deep in each other",
			       DEPTH_MAX);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	stream = fd < 0 ? NULL : fdopendir(fd);
	if (!stream) {
		err_sys(e, "list %s", name);
		close_fd(&fd);
		return -e->code;
	}
	c->depth++;
	while (r >= 0 && (errno = 0, entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = count_entry(c, fd, entry->d_name, e);
	if (r >= 0 && errno)
		r = err_sys(e, "list %s", name);
	c->depth--;
	closedir(stream);
	return r;
}

struct sizing {
	const char *upper;
	const struct mount_overlay *whole;
};

static int count(int parent, const char *name, uint64_t *ret, struct err *e)
{
	__attribute__((cleanup(counting_done))) struct counting c = { 0 };

	TRY(count_tree(&c, parent, name, e));
	*ret = sum(&c);
	return 0;
}

static int measure(void *ctx, int sock, struct err *e)
{
	const struct sizing *s = ctx;
	struct container_size size = { 0 };
	auto_fd int root = -1;

	TRY(count(AT_FDCWD, s->upper, &size.own, e));
	root = mount_overlay_open(s->whole, e);
	TRY(root);
	TRY(count(root, ".", &size.all, e));
	return userns_say(sock, &size, sizeof(size), e);
}

int container_size(const struct engine *g, const struct record *r, struct container_size *ret,
		   struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_userns_job struct userns_job job = USERNS_NO_JOB;
	const struct mount_overlay *overlay = rootfs_overlay(g, r, &a);
	struct container_size size;
	struct sizing s;

	if (!overlay)
		return err_set(e, ENOTSUP,
			       "container %s is of a directory (--rootfs): nothing "
			       "says what was in it before",
			       r->name);
	s = (struct sizing){ overlay->upper, rootfs_look(g, r, true, &a) };
	if (userns_begin(-1, measure, &s, &job, e) < 0 ||
	    userns_hear(&job, &size, sizeof(size), e) < 0 || userns_end(&job, e) < 0)
		return err_wrap(e, "count the files of %s", r->name);
	*ret = size;
	return 0;
}
