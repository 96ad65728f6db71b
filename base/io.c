#include "base/io.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/sys.h"

enum { REMOVE_DEPTH = 32 };

int io_write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t io_read_all(int fd, void *bytes, size_t len)
{
	char *at = bytes;
	size_t got = 0;

	while (got < len) {
		ssize_t n = read(fd, at + got, len - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

int io_slurp(int fd, size_t limit, struct buf *ret)
{
	size_t got = 0;

	for (;;) {
		size_t want = got + 4096 <= limit ? 4096 : limit - got + 1;
		ssize_t n = io_read_all(fd, buf_reserve(ret, want), want);

		if (n < 0)
			return (int)n;
		ret->len += (size_t)n;
		ret->text[ret->len] = '\0';
		got += (size_t)n;
		if (got > limit)
			return -EFBIG;
		if ((size_t)n < want)
			return 0;
	}
}

int io_read_file(int dirfd, const char *path, size_t limit, const char *what, struct buf *ret,
		 struct err *e)
{
	auto_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	int r;

	if (fd < 0)
		return err_sys(e, "open %s", what);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "stat %s", what);
	if (S_ISDIR(st.st_mode))
		return err_set(e, EISDIR, "read %s: it is a directory", what);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "read %s: it is not a regular file", what);
	r = io_slurp(fd, limit, ret);
	if (r == -EFBIG)
		return err_set(e, EFBIG, "read %s: it is larger than %zu bytes", what, limit);
	if (r < 0)
		return err_neg(e, r, "read %s", what);
	return 0;
}

int io_write_value(int dirfd, const char *path, const char *value)
{
	auto_fd int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = strlen(value);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do
		n = write(fd, value, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int io_read_value(int dirfd, const char *path, char *buf, size_t size)
{
	auto_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char more[2];
	ssize_t n, rest = 0;

	if (fd < 0)
		return -errno;
	n = io_read_all(fd, buf, size - 1);
	if (n < 0)
		return (int)n;
	if ((size_t)n == size - 1)
		rest = io_read_all(fd, more, sizeof(more));
	/* Half a number is another number. */
	if (rest > 1 || (rest == 1 && more[0] != '\n'))
		return -EOVERFLOW;
	if (rest < 0)
		return (int)rest;
	if (rest == 0 && n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n] = '\0';
	return 0;
}

/* A new file of that name; what a crash left in its place goes, whatever it is. */
static int open_staged(int dirfd, const char *staged)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd = openat(dirfd, staged, flags, 0600);

	if (fd < 0 && errno == EEXIST && unlinkat(dirfd, staged, 0) == 0)
		fd = openat(dirfd, staged, flags, 0600);
	return fd;
}

/* Beside `name`, and no name that anybody gives to a file of hull's: those do not begin so. */
static const char staged_end[] = ".new";

static bool name_staged(const char *name, char ret[PATH_MAX])
{
	const char *slash = strrchr(name, '/');
	int directory = slash ? (int)(slash + 1 - name) : 0;

	return strlen(name + directory) + sizeof(staged_end) <= NAME_MAX &&
	       snprintf(ret, PATH_MAX, "%.*s.%s%s", directory, name, name + directory, staged_end) <
		       PATH_MAX;
}

int io_replace_file(int dirfd, const char *name, const void *bytes, size_t len, struct err *e)
{
	char staged[PATH_MAX];
	int r;

	if (!name_staged(name, staged))
		return err_set(e, ENAMETOOLONG, "write %s: name too long", name);
	{
		auto_fd int fd = open_staged(dirfd, staged);

		if (fd < 0)
			return err_sys(e, "create %s", staged);
		r = io_write_all(fd, bytes, len);
		/* Where a quota or a network is behind it, what was written may fail only here. */
		if (r == 0 && close(take_fd(&fd)) < 0)
			r = -errno;
	}
	if (r < 0) {
		unlinkat(dirfd, staged, 0);
		return err_neg(e, r, "write %s", staged);
	}
	if (renameat(dirfd, staged, dirfd, name) < 0) {
		err_sys(e, "rename %s to %s", staged, name);
		unlinkat(dirfd, staged, 0);
		return e ? -e->code : -EIO;
	}
	return 0;
}

int io_sealed_file(const char *name, const void *bytes, size_t len, struct err *e)
{
	auto_fd int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return err_sys(e, "make a memory file for %s", name);
	r = io_write_all(fd, bytes, len);
	if (r < 0)
		return err_neg(e, r, "write %s to a memory file", name);
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ||
	    lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "seal the memory file of %s", name);
	return take_fd(&fd);
}

static bool is_staged(const char *name)
{
	const size_t len = strlen(name), end = sizeof(staged_end) - 1;

	return name[0] == '.' && len > end + 1 && strcmp(name + len - end, staged_end) == 0;
}

int io_clear_staged(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		r = -errno;
		close_fd(&fd);
		return r;
	}
	for (errno = 0; (entry = readdir(dir)); errno = 0) /* NOLINT(concurrency-mt-unsafe) */
		if (is_staged(entry->d_name) && unlinkat(dirfd, entry->d_name, 0) < 0 && !r)
			r = -errno;
	if (errno && !r)
		r = -errno;
	closedir(dir);
	return r;
}

int io_mkdir_all(const char *path, mode_t mode, struct err *e)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	struct stat st;

	if (len == 0 || len >= sizeof(part))
		return err_neg(e, len ? -ENAMETOOLONG : -ENOENT, "make directory %s", path);
	errno = ENOTDIR;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	/* Of these mkdir(2) tells which part it is. */
	if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
		return err_sys(e, "make directory %s", path);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return err_sys(e, "make directory %s", part);
	}
	if (stat(path, &st) < 0)
		return err_sys(e, "make directory %s", path);
	return S_ISDIR(st.st_mode) ? 0 : err_neg(e, -ENOTDIR, "make directory %s", path);
}

static int open_below(int dirfd, const char *name)
{
	int fd = sys_openat2(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0,
			     RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);

	return fd < 0 ? -errno : fd;
}

static int remove_entry(int dirfd, const char *name, bool directory, int depth);

/* The next entry but . and .., or NULL at the end and where *r says why there is none. */
static const struct dirent *next_entry(DIR *dir, int *r)
{
	const struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): own stream */
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	if (!entry)
		*r = -errno;
	return entry;
}

/* Everything in the directory; takes `fd`. */
static int remove_below(int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	while (r == 0 && (entry = next_entry(dir, &r)))
		r = remove_entry(dirfd(dir), entry->d_name, entry->d_type == DT_DIR, depth);
	closedir(dir);
	return r;
}

/* Moves the directory `name` of `from` up into `top`, under a name that nothing has there. */
static int hoist(int from, const char *name, int top, unsigned *count)
{
	char fresh[32];
	int r;

	do {
		snprintf(fresh, sizeof(fresh), ".hoisted-%u", (*count)++);
		r = renameat2(from, name, top, fresh, RENAME_NOREPLACE) < 0 ? -errno : 0;
	} while (r == -EEXIST);
	return r;
}

/* Removes the directory `name` of `top`; the directories in it become neighbours of it. */
static int remove_flat(int top, const char *name, unsigned *count)
{
	int fd = open_below(top, name), r = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!dir) {
		r = fd < 0 ? fd : -errno;
		close_fd(&fd);
		return r;
	}
	while (r == 0 && (entry = next_entry(dir, &r)))
		if (unlinkat(fd, entry->d_name, 0) < 0 && errno != ENOENT)
			r = errno == EISDIR ? hoist(fd, entry->d_name, top, count) : -errno;
	closedir(dir);
	TRY(r);
	return unlinkat(top, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

/*
 * Deep down descriptors would run out. From there on every directory is moved
 * up to `fd` before it is emptied: each is touched twice, whatever the depth.
 */
static int remove_flattened(int fd)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	unsigned count = 0;
	bool found = true;
	int r = 0;

	if (!dir) {
		r = -errno;
		close(fd);
		return r;
	}
	for (; r == 0 && found; rewinddir(dir)) {
		found = false;
		while (r == 0 && (entry = next_entry(dir, &r))) {
			found = true;
			if (unlinkat(fd, entry->d_name, 0) < 0 && errno != ENOENT)
				r = errno == EISDIR ? remove_flat(fd, entry->d_name, &count)
						    : -errno;
		}
	}
	closedir(dir);
	return r;
}

/* `directory`: it was one when it was listed; so that is tried first. */
static int remove_entry(int dirfd, const char *name, bool directory, int depth)
{
	int why = -EISDIR, fd, r;

	if (!directory) {
		if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
			return 0;
		why = -errno;
	}
	if (why != -EISDIR && why != -EPERM)
		return why;
	fd = open_below(dirfd, name);
	if (fd == -ENOENT && directory)
		return 0;
	/* Something else is in its place by now. */
	if (directory && (fd == -ENOTDIR || fd == -ELOOP))
		return remove_entry(dirfd, name, false, depth);
	if (fd < 0)
		return fd == -ENOTDIR ? why : fd;
	r = depth < REMOVE_DEPTH ? remove_below(fd, depth + 1) : remove_flattened(fd);
	TRY(r);
	return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -errno : 0;
}

int io_remove_tree(int dirfd, const char *name)
{
	return remove_entry(dirfd, name, false, 0);
}

int io_send_fds(int sock, const void *bytes, size_t len, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(IO_FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t sent;

	if (n > IO_FDS_MAX)
		return -EINVAL;
	if (n > 0) {
		struct cmsghdr *c;

		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		assert(c); /* the room has space for a header */
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	do
		sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return (size_t)sent == len ? 0 : -EIO;
}

static void keep_fds(const struct cmsghdr *c, int *fds, size_t n, size_t *kept)
{
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		if (*kept < n)
			fds[(*kept)++] = fd;
		else
			close(fd);
	}
}

ssize_t io_recv_fds(int sock, void *bytes, size_t len, int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(IO_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = bytes, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	size_t kept = 0;
	ssize_t got;

	for (size_t i = 0; i < n; i++)
		fds[i] = -1;
	do
		got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			keep_fds(c, fds, n, &kept);
	return got;
}

struct fd_path io_fd_path(int fd)
{
	struct fd_path p;

	snprintf(p.text, sizeof(p.text), "/proc/self/fd/%d", fd);
	return p;
}

int64_t io_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
