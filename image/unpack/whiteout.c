#include "image/unpack/whiteout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/json.h"
#include "image/unpack/tree.h"

#define PREFIX ".wh."
#define META PREFIX PREFIX
#define OPAQUE META ".opq"

static const struct whiteout_mode modes[] = {
	{ "overlay", "trusted.overlay.opaque", false },
	{ "userxattr", "user.overlay.opaque", false },
	{ "apply", NULL, false },
	{ "plain", NULL, true },
};

static bool begins(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

int whiteout_classify(const struct entry_path *path, enum whiteout_kind *ret, struct err *e)
{
	const char *last = path->text + path->name, *hidden = last + strlen(PREFIX);

	*ret = WHITEOUT_NONE;
	for (const char *part = path->text; part < last; part += strcspn(part, "/") + 1) {
		if (begins(part, META)) {
			*ret = WHITEOUT_META;
			return 0;
		}
		if (begins(part, PREFIX))
			return err_set(e, EINVAL, "it lies below a whiteout");
	}
	if (strcmp(last, OPAQUE) == 0)
		*ret = WHITEOUT_OPAQUE;
	else if (begins(last, META))
		*ret = WHITEOUT_META;
	else if (begins(last, PREFIX)) {
		if (!hidden[0] || strcmp(hidden, ".") == 0 || strcmp(hidden, "..") == 0)
			return err_set(e, EINVAL, "a whiteout that hides no name");
		*ret = WHITEOUT_HIDES;
	}
	return 0;
}

const struct whiteout_mode *whiteout_mode(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (strcmp(modes[i].name, name) == 0)
			return &modes[i];
	return NULL;
}

bool whiteout_is(const struct whiteout_mode *mode, const struct stat *st)
{
	return mode->opaque && S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* Removes what is called so, but not what this layer made. */
static int remove_older(const struct seen *seen, int parent, const char *name, const char *path,
			struct err *e);

static int remove_older_below(const struct seen *seen, int directory, const char *path,
			      struct err *e)
{
	char child[2 * ENTRY_PATH_MAX];
	int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!dir) {
		r = err_sys(e, "read the directory %s", json_quote(path).text);
		close_fd(&copy);
		return r;
	}
	while (r == 0 && (entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): own stream */
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(child, sizeof(child), "%s%s%s", path, path[0] ? "/" : "", entry->d_name);
		r = remove_older(seen, directory, entry->d_name, child, e);
	}
	closedir(dir);
	return r;
}

static int remove_older(const struct seen *seen, int parent, const char *name, const char *path,
			struct err *e)
{
	auto_fd int fd = -1;

	if (!seen_has(seen, path, strlen(path)))
		return tree_remove(parent, name, e);
	/* Ours, or on the way to what is ours: only directories have older things in them. */
	fd = tree_directory(parent, name);
	if (fd == -ENOTDIR || fd == -ELOOP || fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_neg(e, fd, "open the directory %s", json_quote(path).text);
	return remove_older_below(seen, fd, path, e);
}

int whiteout_opaque(const struct whiteout_mode *mode, const struct seen *seen, int directory,
		    const char *path, struct err *e)
{
	if (!mode->opaque)
		return remove_older_below(seen, directory, path, e);
	if (fsetxattr(directory, mode->opaque, "y", 1, 0) < 0)
		return err_sys(e, "make its directory opaque (%s)", mode->opaque);
	return 0;
}

int whiteout_hide(const struct whiteout_mode *mode, const struct seen *seen, int parent,
		  const char *name, const char *path, struct err *e)
{
	auto_fd int fd = -1;

	if (!mode->opaque)
		return remove_older(seen, parent, name, path, e);
	if (mknodat(parent, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "make a whiteout");
	/* The layer has the name as well: a file hides what is below, a directory has to be told. */
	fd = tree_directory(parent, name);
	if (fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	if (fd < 0)
		return err_neg(e, fd, "open the directory of this name");
	return whiteout_opaque(mode, seen, fd, path, e);
}
