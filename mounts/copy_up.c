#include "mounts/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/sys.h"

enum {
	DEPTH_MAX = 256, /* levels of directories, two descriptors each */
	XATTRS_MAX = 65536,
	ALL = COPY_UP_MODE | COPY_UP_UID | COPY_UP_GID,
};

/* A file that has further names, at the first that was copied. */
struct known {
	dev_t dev;
	ino_t ino;
	char *path;
	size_t next; /* of those with the same hash, 1 + its index; 0: the last one */
};

enum { BUCKETS = 4096 };

struct copy {
	const char *what;
	int top;         /* of the copy */
	struct buf path; /* of what is being copied, below the top; for messages and links */
	size_t prefix;   /* the part of it that is the mount's destination */
	LIST(struct known) known;
	size_t room;
	size_t buckets[BUCKETS]; /* 1 + the index of the newest */
};

static void copy_done(struct copy *c)
{
	for (size_t i = 0; i < c->known.n; i++)
		free(c->known.at[i].path);
	free(c->known.at);
	buf_done(&c->path);
}

#define auto_copy __attribute__((cleanup(copy_done)))

static int fail(struct copy *c, const char *doing, struct err *e)
{
	return err_sys(e, "%s: copy %s into the new file system: %s", c->what, c->path.text, doing);
}

/* The name and the value may be anything; what the copy's file system cannot hold stays out. */
static int copy_xattr(struct copy *c, const char *from, const char *to, const char *name,
		      struct err *e)
{
	auto_free char *value = mem_zalloc(XATTRS_MAX);
	ssize_t n = getxattr(from, name, value, XATTRS_MAX);

	if (n < 0)
		return errno == ENODATA || errno == ENOTSUP ? 0 : fail(c, name, e);
	if (setxattr(to, name, value, (size_t)n, 0) == 0 || errno == ENOTSUP)
		return 0;
	/* Labels and trusted.* are the policy's, and the initial user namespace's. */
	return errno == EPERM || errno == EACCES ? 0 : fail(c, name, e);
}

static int copy_xattrs(struct copy *c, int from, int to, struct err *e)
{
	const struct fd_path source = io_fd_path(from), target = io_fd_path(to);
	ssize_t n = listxattr(source.text, NULL, 0);
	auto_free char *names = NULL;

	if (n == 0 || (n < 0 && errno == ENOTSUP))
		return 0;
	if (n < 0)
		return fail(c, "list its extended attributes", e);
	names = mem_zalloc(XATTRS_MAX);
	n = listxattr(source.text, names, XATTRS_MAX);
	if (n < 0)
		return fail(c, "list its extended attributes", e);
	for (const char *at = names; at < names + n; at += strlen(at) + 1)
		TRY(copy_xattr(c, source.text, target.text, at, e));
	return 0;
}

/* In this order: a change of owner takes set-id bits and capabilities, all but the last one times. */
static int copy_attributes(struct copy *c, const struct stat *st, int from, int to, unsigned keep,
			   struct err *e)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	const uid_t uid = keep & COPY_UP_UID ? st->st_uid : (uid_t)-1;
	const gid_t gid = keep & COPY_UP_GID ? st->st_gid : (gid_t)-1;
	mode_t mode = st->st_mode & 07777;

	if (fchownat(to, "", uid, gid, AT_EMPTY_PATH) < 0) {
		if (errno != EINVAL && errno != EPERM) /* unmapped; and our only id */
			return fail(c, "set its owner", e);
		mode &= S_ISDIR(st->st_mode) ? 01777 : 0777;
	}
	if ((keep & COPY_UP_MODE) && !S_ISLNK(st->st_mode) &&
	    fchmodat(AT_FDCWD, io_fd_path(to).text, mode, 0) < 0)
		return fail(c, "set its mode", e);
	TRY(copy_xattrs(c, from, to, e));
	if (utimensat(to, "", times, AT_EMPTY_PATH) < 0)
		return fail(c, "set its times", e);
	return 0;
}

static int copy_range(struct copy *c, int in, int out, off_t at, off_t end, struct err *e)
{
	if (lseek(out, at, SEEK_SET) < 0)
		return fail(c, "seek", e);
	while (at < end) {
		ssize_t n = sendfile(out, in, &at, (size_t)(end - at));

		if (n < 0 && errno != EINTR)
			return fail(c, "copy its content", e);
		if (n == 0)
			return 0; /* it became shorter */
	}
	return 0;
}

static int copy_content(struct copy *c, int in, int out, off_t size, struct err *e)
{
	off_t data = 0, hole;

	while (data < size) {
		data = lseek(in, data, SEEK_DATA);
		if (data < 0 && errno == ENXIO)
			break; /* the rest is a hole */
		if (data < 0)
			return fail(c, "look for its content", e);
		hole = lseek(in, data, SEEK_HOLE);
		if (hole < 0)
			return fail(c, "look for holes", e);
		TRY(copy_range(c, in, out, data, hole < size ? hole : size, e));
		data = hole;
	}
	if (ftruncate(out, size) < 0)
		return fail(c, "set its size", e);
	return 0;
}

/* Our O_PATH descriptor is opened again, and not the name: that may have become a device. */
static int make_file(struct copy *c, const struct stat *st, int from, bool content, int dir,
		     const char *name, struct err *e)
{
	auto_fd int in = -1, out = -1;

	out = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return fail(c, "make the file", e);
	if (!content)
		return 0;
	in = open(io_fd_path(from).text, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return fail(c, "read it", e);
	return copy_content(c, in, out, st->st_size, e);
}

static int make_link(struct copy *c, int from, int dir, const char *name, struct err *e)
{
	char to[PATH_MAX];
	ssize_t n = readlinkat(from, "", to, sizeof(to) - 1);

	if (n < 0)
		return fail(c, "read the link", e);
	to[n] = '\0';
	if (symlinkat(to, dir, name) < 0)
		return fail(c, "make the link", e);
	return 0;
}

/* Everything but directories' content. */
static int make(struct copy *c, const struct stat *st, int from, bool content, int dir,
		const char *name, struct err *e)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return make_file(c, st, from, content, dir, name, e);
	case S_IFLNK:
		return make_link(c, from, dir, name, e);
	case S_IFDIR:
		return mkdirat(dir, name, 0700) < 0 ? fail(c, "make the directory", e) : 0;
	default:
		return mknodat(dir, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0
			       ? fail(c, "make the special file", e)
			       : 0;
	}
}

/* Further names of one file. Nobody but us is in the copy, so its paths are what we made them. */
static int link_known(struct copy *c, const struct stat *st, int dir, const char *name,
		      struct err *e)
{
	const char *path = c->path.text + c->prefix + 1;
	size_t *bucket = &c->buckets[(st->st_ino ^ st->st_dev) % BUCKETS];

	for (size_t i = *bucket; i; i = c->known.at[i - 1].next) {
		const struct known *k = &c->known.at[i - 1];

		if (k->dev != st->st_dev || k->ino != st->st_ino)
			continue;
		return linkat(c->top, k->path, dir, name, 0) < 0 ? fail(c, "make the hard link", e)
								 : 1;
	}
	if (strlen(path) >= PATH_MAX)
		return 0; /* too deep for a path: its next name is a file of its own */
	if (c->known.n == c->room) {
		c->room = c->room ? 2 * c->room : 16;
		c->known.at = mem_grow(c->known.at, c->room, sizeof(*c->known.at));
	}
	c->known.at[c->known.n++] =
		(struct known){ st->st_dev, st->st_ino, mem_strdup(path), *bucket };
	*bucket = c->known.n;
	return 0;
}

/* The names in a directory, each with its NUL, read at once: a stream would stay open below. */
static int read_names(struct copy *c, int from, struct buf *ret, struct err *e)
{
	auto_fd int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!d)
		return fail(c, "read the directory", e);
	fd = -1;
	errno = 0;
	while ((entry = readdir(d)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			buf_add(ret, entry->d_name, strlen(entry->d_name) + 1);
	if (errno) {
		int code = errno;

		closedir(d);
		errno = code;
		return fail(c, "read the directory", e);
	}
	closedir(d);
	return 0;
}

/* What `name` is, unopened. *ret_mounted: something is mounted there; then it is what lies below. */
static int open_source(struct copy *c, int dir, const char *name, bool *ret_mounted, struct err *e)
{
	int fd;

	*ret_mounted = false;
	fd = sys_openat2(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV);
	if (fd < 0 && errno == EXDEV) {
		*ret_mounted = true;
		fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0 && errno == ENOENT)
		return -ENOENT; /* gone meanwhile */
	return fd < 0 ? fail(c, "open it", e) : fd;
}

static int copy_directory(struct copy *c, int from, int to, unsigned depth, struct err *e);

/* Times come last: what is made in a directory changes its own. */
static int copy_entry(struct copy *c, int from_dir, int to_dir, const char *name, unsigned depth,
		      struct err *e)
{
	auto_fd int from = -1, to = -1;
	struct stat st;
	bool mounted;

	from = open_source(c, from_dir, name, &mounted, e);
	if (from == -ENOENT)
		return 0;
	TRY(from);
	if (fstat(from, &st) < 0)
		return fail(c, "stat it", e);
	if (st.st_nlink > 1 && !S_ISDIR(st.st_mode) && !mounted) {
		int linked = link_known(c, &st, to_dir, name, e);

		if (linked != 0)
			return linked < 0 ? linked : 0;
	}
	TRY(make(c, &st, from, !mounted, to_dir, name, e));
	to = openat(to_dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return fail(c, "open the copy", e);
	if (S_ISDIR(st.st_mode) && !mounted)
		TRY(copy_directory(c, from, to, depth + 1, e));
	return copy_attributes(c, &st, from, to, ALL, e);
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX */
static int copy_directory(struct copy *c, int from, int to, unsigned depth, struct err *e)
{
	auto_buf struct buf names = { 0 };
	const size_t len = c->path.len;

	if (depth > DEPTH_MAX)
		return err_set(e, ELOOP, "%s: copy %s: more than %d directories deep", c->what,
			       c->path.text, DEPTH_MAX);
	TRY(read_names(c, from, &names, e));
	for (const char *name = names.text; name && name < names.text + names.len;
	     name += strlen(name) + 1) {
		buf_printf(&c->path, "/%s", name);
		TRY(copy_entry(c, from, to, name, depth, e));
		c->path.len = len;
		c->path.text[len] = '\0';
	}
	return 0;
}

int copy_up(int from, int to, unsigned keep, const char *what, const char *path, struct err *e)
{
	auto_copy struct copy c = { .what = what, .top = to };
	struct stat st;

	buf_str(&c.path, path);
	c.prefix = c.path.len;
	if (fstat(from, &st) < 0)
		return fail(&c, "stat it", e);
	TRY(copy_directory(&c, from, to, 1, e));
	return copy_attributes(&c, &st, from, to, keep, e);
}
