#include "engine/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mounts/rootfd.h"

enum { LINKS_MAX = 40 }; /* as the kernel, path_resolution(7) */

void place_close(struct place *p)
{
	close_fd(&p->dir);
}

/* A descriptor or a negative errno. */
static int open_at(int root, const char *path, int flags)
{
	int fd;

	if (root != PLACE_HOST)
		return rootfd_open(root, path, (uint64_t)flags);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool ends_with(const char *path, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && memcmp(path + len - n, end, n) == 0;
}

/* The path without what is behind its last name; *slash, *contents: that there was such. */
static void cut_end(char *path, bool *slash, bool *contents)
{
	size_t len = strlen(path);

	for (;;) {
		if (len > 1 && path[len - 1] == '/') {
			*slash = true;
			len--;
		} else if (len > 1 && ends_with(path, len, "/.")) {
			*contents = true;
			len--;
		} else {
			break;
		}
	}
	path[len] = '\0';
}

/* Whether it has no last name: it is a directory, and what is in it is meant. */
static bool is_nameless(const char *path)
{
	size_t len = strlen(path);

	return strcmp(path, "/") == 0 || strcmp(path, ".") == 0 || strcmp(path, "..") == 0 ||
	       ends_with(path, len, "/..");
}

static int open_itself(int root, const char *path, struct place *p, struct err *e)
{
	p->dir = open_at(root, path, O_RDONLY | O_DIRECTORY);
	if (p->dir < 0)
		return err_neg(e, p->dir, "open the directory %s", path);
	if (fstat(p->dir, &p->st) < 0)
		return err_sys(e, "look at %s", path);
	p->name[0] = '\0';
	p->exists = true;
	return 0;
}

/* Opens what has the last name, and looks at that. */
static int look(int root, const char *path, struct place *p, struct err *e)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char above[PATH_MAX];

	snprintf(above, sizeof(above), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	if (slash == path)
		strcpy(above, "/"); /* NOLINT */
	if (strlen(name) > NAME_MAX)
		return err_neg(e, -ENAMETOOLONG, "%s", path);
	close_fd(&p->dir);
	p->dir = open_at(root, above, O_PATH | O_DIRECTORY);
	if (p->dir < 0)
		return err_neg(e, p->dir, "open the directory %s", above);
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->exists = fstatat(p->dir, p->name, &p->st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!p->exists && errno != ENOENT)
		return err_sys(e, "look at %s", path);
	return 0;
}

/* Puts in the place of the path that of what the link, its last name, leads to. */
static int follow_link(const struct place *p, char path[PATH_MAX], struct err *e)
{
	char link[PATH_MAX], whole[2 * PATH_MAX];
	ssize_t n = readlinkat(p->dir, p->name, link, sizeof(link) - 1);
	const char *slash = strrchr(path, '/');

	if (n < 0)
		return err_sys(e, "read the link %s", path);
	link[n] = '\0';
	if (link[0] == '/' || !slash)
		snprintf(whole, sizeof(whole), "%s", link);
	else
		snprintf(whole, sizeof(whole), "%.*s/%s", (int)(slash - path), path, link);
	if (strlen(whole) >= PATH_MAX)
		return err_neg(e, -ENAMETOOLONG, "follow the link %s", path);
	memcpy(path, whole, strlen(whole) + 1);
	return 0;
}

static int find(int root, char path[PATH_MAX], bool follow, struct place *p, struct err *e)
{
	bool ignored = false;

	for (int links = 0;; links++) {
		if (is_nameless(path)) {
			p->contents = p->contents || links == 0;
			close_fd(&p->dir);
			return open_itself(root, path, p, e);
		}
		TRY(look(root, path, p, e));
		if (links == 0)
			memcpy(p->given, p->name, sizeof(p->given));
		if (!p->exists || !S_ISLNK(p->st.st_mode) || !(follow || p->slash))
			return 0;
		if (links == LINKS_MAX)
			return err_neg(e, -ELOOP, "follow the link %s", path);
		TRY(follow_link(p, path, e));
		cut_end(path, &p->slash, &ignored);
	}
}

int place_find(int root, const char *path, bool follow, struct place *ret, struct err *e)
{
	auto_place struct place p = PLACE_NONE;
	char whole[PATH_MAX];

	/* In a container a path begins at its root, whether it says so or not. */
	if (snprintf(whole, sizeof(whole), "%s%s", root == PLACE_HOST || path[0] == '/' ? "" : "/",
		     path) >= (int)sizeof(whole))
		return err_neg(e, -ENAMETOOLONG, "%.64s...", path);
	cut_end(whole, &p.slash, &p.contents);
	p.slash = p.slash || p.contents;
	TRY(find(root, whole, follow, &p, e));
	if (p.slash && p.exists && !S_ISDIR(p.st.st_mode))
		return err_neg(e, -ENOTDIR, "%s", path);
	if (p.contents && !p.exists)
		return err_neg(e, -ENOENT, "%s", path);
	*ret = p;
	p.dir = -1;
	return 0;
}

void place_source(const struct place *from, struct place_source *ret)
{
	*ret = (struct place_source){ .directory = S_ISDIR(from->st.st_mode),
				      .contents = from->contents };
	memcpy(ret->given, from->given, sizeof(ret->given));
}

int place_choose(const struct place_source *from, const struct place *to, const char *path,
		 char ret_name[NAME_MAX + 1], bool *ret_below, struct err *e)
{
	bool directory = to->exists && S_ISDIR(to->st.st_mode);

	if (from->stream && to->exists && !directory)
		return err_set(e, ENOTDIR, "a tar is unpacked to a directory, and %s is none",
			       path);
	if (!to->exists && (from->stream || to->slash))
		return err_set(e, ENOENT, "there is no directory %s", path);
	if (to->exists && !directory && from->directory)
		return err_set(e, ENOTDIR, "a directory can't be copied to a file, which %s is",
			       path);
	if (to->exists && !directory && !S_ISREG(to->st.st_mode) && !S_ISLNK(to->st.st_mode))
		return err_set(e, EINVAL, "%s is neither a directory nor a regular file", path);
	*ret_below = directory;
	snprintf(ret_name, NAME_MAX + 1, "%s",
		 !directory                       ? to->name
		 : from->stream || from->contents ? ""
						  : from->given);
	return 0;
}
