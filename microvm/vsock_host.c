#include "microvm/vsock_host.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/io.h"

#define RECORD "vsock"

enum { WAITING_MAX = 64 };

/* Which file it is. Nothing but its making changes a socket's mtime. */
struct record {
	uint64_t device, inode;
	int64_t seconds, nanoseconds;
};

const char *vsock_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

int vsock_check_path(const char *path, struct err *e)
{
	const char *name;

	if (path[0] != '/')
		return err_set(e, EINVAL,
			       "annotation " VSOCK_ANNOTATION
			       ": must be an absolute path, not \"%s\"",
			       path);
	if (strlen(path) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "annotation " VSOCK_ANNOTATION ": is too long");
	name = vsock_name(path);
	if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, EINVAL,
			       "annotation " VSOCK_ANNOTATION ": \"%s\" is no name of a socket",
			       path);
	if (strlen(name) > VSOCK_NAME_MAX)
		return err_set(e, ENAMETOOLONG,
			       "annotation " VSOCK_ANNOTATION
			       ": the socket's name must have at most %d bytes, not %zu",
			       VSOCK_NAME_MAX, strlen(name));
	return 0;
}

/* The path without its name; "/" stays. */
static void directory_of(const char *path, char ret[PATH_MAX])
{
	size_t n = (size_t)(vsock_name(path) - path);

	memcpy(ret, path, n);
	ret[n] = '\0';
}

static int open_parent(const char *path, struct err *e)
{
	char directory[PATH_MAX];
	int fd;

	directory_of(path, directory);
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "annotation " VSOCK_ANNOTATION ": open the directory %s",
				directory)
		      : fd;
}

static int read_identity(int parent, const char *path, struct record *ret)
{
	struct stat st;

	if (fstatat(parent, vsock_name(path), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	*ret = (struct record){ st.st_dev, st.st_ino, st.st_mtim.tv_sec, st.st_mtim.tv_nsec };
	return 0;
}

static int write_record(int dir, int parent, const char *path, struct err *e)
{
	struct record r = { 0 };
	int n = read_identity(parent, path, &r);

	if (n < 0)
		return err_neg(e, n, "annotation " VSOCK_ANNOTATION ": look at the socket %s",
			       path);
	return io_replace_file(dir, RECORD, &r, sizeof(r), e);
}

int vsock_listen(int dir, const char *path, struct err *e)
{
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_fd int parent = open_parent(path, e);

	TRY(parent);
	if (fd < 0 || fchmod(fd, 0600) < 0) /* which its name in the file system will have */
		return err_sys(e, "annotation " VSOCK_ANNOTATION ": make a socket");
	if ((size_t)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s",
			     io_fd_path(parent).text, vsock_name(path)) >= sizeof(address.sun_path))
		return err_set(e, ENAMETOOLONG, "annotation " VSOCK_ANNOTATION ": %s", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return errno == EADDRINUSE
			       ? err_set(e, EADDRINUSE,
					 "annotation " VSOCK_ANNOTATION
					 ": %s is there already, perhaps another container's",
					 path)
			       : err_sys(e, "annotation " VSOCK_ANNOTATION ": make the socket %s",
					 path);
	if (write_record(dir, parent, path, e) < 0) {
		unlinkat(parent, vsock_name(path), 0);
		return err_wrap(e, "remember the socket %s", path);
	}
	if (listen(fd, WAITING_MAX) < 0)
		return err_sys(e, "annotation " VSOCK_ANNOTATION ": listen at %s", path);
	return take_fd(&fd);
}

int vsock_open_directory(const char *path, struct err *e)
{
	char directory[PATH_MAX];
	int fd;

	directory_of(path, directory);
	fd = open_tree(AT_FDCWD, directory, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return fd < 0 ? err_sys(e, "annotation " VSOCK_ANNOTATION ": bind the directory %s",
				directory)
		      : fd;
}

/* -ENOENT: it never came so far. */
static int read_record(int dir, struct record *ret)
{
	auto_fd int fd = openat(dir, RECORD, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = io_read_all(fd, ret, sizeof(*ret));
	return n == sizeof(*ret) ? 0 : -EIO;
}

int vsock_remove(int dir, const char *path, struct err *e)
{
	auto_fd int parent = -1;
	struct record made, there = { 0 };
	int r = read_record(dir, &made);

	if (r < 0)
		return r == -ENOENT ? 0 : err_neg(e, r, "read which socket is %s", path);
	parent = open_parent(path, e);
	if (parent < 0)
		return e->code == ENOENT ? 0 : parent;
	if (read_identity(parent, path, &there) < 0 || memcmp(&made, &there, sizeof(made)) != 0)
		return 0; /* gone, or somebody else's */
	if (unlinkat(parent, vsock_name(path), 0) < 0 && errno != ENOENT)
		return err_sys(e, "annotation " VSOCK_ANNOTATION ": remove the socket %s", path);
	return 0;
}
