#include "mounts/rootfd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/sys.h"

enum { LINKS_MAX = 40 }; /* as the kernel, path_resolution(7) */

int rootfd_open(int root, const char *path, uint64_t flags)
{
	int fd = sys_openat2(root, path, flags | O_CLOEXEC, 0,
			     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	return fd < 0 ? -errno : fd;
}

int rootfd_open_nofollow(int root, const char *path, uint64_t flags)
{
	int fd = sys_openat2(root, path, flags | O_CLOEXEC, 0,
			     RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

	return fd < 0 ? -errno : fd;
}

/* A path on its way to exist: what is before `done` does. */
struct walk {
	int root, links;
	char path[PATH_MAX];
	size_t done;
};

/* The end of the component after `at`. */
static size_t component_end(const char *path, size_t at)
{
	at += strspn(path + at, "/");
	return at + strcspn(path + at, "/");
}

/*
 * The component that ends at `end` is a link to nothing: put what it says in
 * its place and start over, as the kernel would have done.
 */
static int follow(struct walk *w, int dir, const char *name, size_t end, struct err *e)
{
	char link[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);
	int len;

	if (n < 0)
		return err_sys(e, "make directory %s in the container: read the link", w->path);
	if (++w->links > LINKS_MAX)
		return err_set(e, ELOOP, "make directory %s in the container: %s", w->path,
			       err_text(ELOOP));
	link[n] = '\0';
	memcpy(rest, w->path + end, strlen(w->path + end) + 1);
	w->path[w->done] = '\0';
	len = link[0] == '/' ? 0 : (int)w->done;
	len = snprintf(w->path + len, sizeof(w->path) - (size_t)len, "/%s%s", link, rest);
	if (len < 0 || (size_t)len >= sizeof(w->path) - w->done)
		return err_set(e, ENAMETOOLONG, "make a directory in the container: %s%s: %s", link,
			       rest, err_text(ENAMETOOLONG));
	w->done = 0;
	return 0;
}

/* One component further; `dir` is the directory so far. Returns its descriptor, or 0 to start over. */
static int step(struct walk *w, int dir, mode_t mode, struct err *e)
{
	size_t end = component_end(w->path, w->done);
	char saved = w->path[end], name[NAME_MAX + 1];
	const char *start = w->path + w->done + strspn(w->path + w->done, "/");
	size_t len = (size_t)(w->path + end - start);
	int fd;

	if (len > NAME_MAX)
		return err_neg(e, -ENAMETOOLONG, "make directory %s in the container", w->path);
	w->path[end] = '\0';
	fd = rootfd_open(w->root, w->path, O_PATH | O_DIRECTORY);
	w->path[end] = saved;
	if (fd >= 0) {
		w->done = end;
		return fd;
	}
	if (fd != -ENOENT)
		return err_neg(e, fd, "make directory %s in the container", w->path);
	memcpy(name, start, len);
	name[len] = '\0';
	if (mkdirat(dir, name, w->path[end + strspn(w->path + end, "/")] ? 0755 : mode) < 0 &&
	    errno != EEXIST)
		return err_sys(e, "make directory %s in the container", w->path);
	fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		w->done = end;
		return fd;
	}
	if (errno != ENOTDIR && errno != ELOOP)
		return err_sys(e, "make directory %s in the container", w->path);
	return follow(w, dir, name, end, e);
}

static int walk_start(struct walk *w, int root, const char *path, struct err *e)
{
	w->root = root;
	w->links = 0;
	w->done = 0;
	if ((size_t)snprintf(w->path, sizeof(w->path), "%s", path) >= sizeof(w->path))
		return err_set(e, ENAMETOOLONG, "make a directory in the container: %s",
			       err_text(ENAMETOOLONG));
	return 0;
}

int rootfd_make_dir(int root, const char *path, mode_t mode, struct err *e)
{
	auto_fd int dir = -1;
	struct walk w;
	int fd = rootfd_open(root, path[0] ? path : "/", O_PATH | O_DIRECTORY);

	if (fd >= 0)
		return fd;
	if (fd != -ENOENT)
		return err_neg(e, fd, "open directory %s in the container", path);
	TRY(walk_start(&w, root, path, e));
	do {
		if (w.done == 0) {
			close_fd(&dir);
			dir = rootfd_open(root, "/", O_PATH | O_DIRECTORY);
			if (dir < 0)
				return err_neg(e, dir, "open the container's root");
		}
		fd = step(&w, dir, mode, e);
		TRY(fd);
		if (fd == 0)
			continue; /* never a descriptor: 0 to 2 are open from the start of main() */
		close(dir);
		dir = fd;
	} while (w.path[w.done + strspn(w.path + w.done, "/")]);
	return take_fd(&dir);
}

int rootfd_make_parent(int root, const char *path, const char **ret_name, struct err *e)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	const char *name = slash ? slash + 1 : path;
	int fd;

	if (!name[0] || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return err_set(e, EINVAL, "make %s in the container: it does not end in a name",
			       path);
	if (len >= sizeof(dir))
		return err_neg(e, -ENAMETOOLONG, "make %s in the container", path);
	memcpy(dir, path, len);
	dir[len] = '\0';
	fd = rootfd_make_dir(root, len ? dir : "/", 0755, e);
	if (fd >= 0)
		*ret_name = name;
	return fd;
}

/*
 * Makes `path` as a file, or answers what is there. Returns its descriptor, or
 * 0 when it is a link to nothing: then `path` says where that link leads.
 */
static int make_file(int root, char path[PATH_MAX], mode_t mode, struct err *e)
{
	auto_fd int dir = -1, fd = -1;
	char link[PATH_MAX], was[PATH_MAX];
	const char *name;
	ssize_t n;
	int made;

	dir = rootfd_make_parent(root, path, &name, e);
	TRY(dir);
	/* O_EXCL follows no link, so nothing is made that we did not resolve. */
	made = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (made < 0 && errno != EEXIST)
		return err_sys(e, "make file %s in the container", path);
	close_fd(&made);
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s in the container", path);
	n = readlinkat(fd, "", link, sizeof(link) - 1);
	if (n < 0 && errno != ENOENT && errno != EINVAL) /* those say that it is no link */
		return err_sys(e, "make file %s in the container: read the link", path);
	if (n < 0)
		return take_fd(&fd);
	link[n] = '\0';
	memcpy(was, path, PATH_MAX);
	if (link[0] == '/')
		n = snprintf(path, PATH_MAX, "%s", link);
	else
		n = snprintf(path, PATH_MAX, "%.*s/%s", (int)(name - path), was, link);
	return n < PATH_MAX ? 0 : err_neg(e, -ENAMETOOLONG, "make file %s in the container", was);
}

int rootfd_make_file(int root, const char *path, mode_t mode, struct err *e)
{
	char at[PATH_MAX];

	if ((size_t)snprintf(at, sizeof(at), "%s", path) >= sizeof(at))
		return err_set(e, ENAMETOOLONG, "make a file in the container: %s",
			       err_text(ENAMETOOLONG));
	for (int links = 0; links <= LINKS_MAX; links++) {
		int fd = rootfd_open(root, at, O_PATH);

		if (fd != -ENOENT)
			return fd < 0 ? err_neg(e, fd, "open %s in the container", path) : fd;
		fd = make_file(root, at, mode, e);
		if (fd != 0)
			return fd; /* never descriptor 0: that is open from the start of main() */
	}
	return err_set(e, ELOOP, "make file %s in the container: %s", path, err_text(ELOOP));
}
