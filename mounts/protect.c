/*
 * protect.c - what the container must not see or change: the last of the mounts.
 *
 * All masked directories show one empty read-only tmpfs, all masked files the
 * host's /dev/null: the first is attached, the others are clones of it, since a
 * mount that hangs nowhere can be cloned only by kernels newer than we require.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "mounts/apply.h"
#include "mounts/rootfd.h"

/* What hides things of one kind: the mount to attach first, then what to clone. */
struct mask {
	int first, attached;
};

static const unsigned CLONE_TREE = AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

static int empty_directory(struct err *e)
{
	const struct mount_op op = { .name = "linux.maskedPaths",
				     .type = "tmpfs",
				     .source = "tmpfs",
				     .target = "the masked directories",
				     .options.attrs.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
							  MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

	return mount_filesystem_open(&op, -1, e);
}

static int put(struct mask *mask, int target, const char *path, struct err *e)
{
	auto_fd int clone = -1;

	if (mask->attached < 0) {
		TRY(mount_attach(mask->first, target, path, e));
		mask->attached = mask->first;
		return 0;
	}
	clone = open_tree(mask->attached, "", CLONE_TREE);
	if (clone < 0)
		return err_sys(e, "mask %s: clone the mask", path);
	return mount_attach(clone, target, path, e);
}

/* A path that isn't there needs no protection; the same goes for one whose parent is a file. */
static int open_existing(int root, const char *path, struct err *e)
{
	int fd = rootfd_open(root, path, O_PATH);

	if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR)
		return err_neg(e, fd, "open %s in the container", path);
	return fd;
}

/* The masks for the two kinds of things; `empty` is made when the first directory comes. */
struct masks {
	struct mask files, dirs;
	int empty;
};

static int mask_path(struct masks *m, int root, const char *path, struct err *e)
{
	auto_fd int target = open_existing(root, path, e);
	struct stat st;

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	TRY(target);
	if (fstat(target, &st) < 0)
		return err_sys(e, "mask %s", path);
	if (!S_ISDIR(st.st_mode))
		return put(&m->files, target, path, e);
	if (m->empty < 0) {
		m->dirs.first = m->empty = empty_directory(e);
		TRY(m->empty);
	}
	return put(&m->dirs, target, path, e);
}

static int mask_paths(const struct mount_plan *plan, int root, int null, struct err *e)
{
	struct masks m = { .files = { null, -1 }, .dirs = { -1, -1 }, .empty = -1 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < plan->masked.n; i++) {
		r = mask_path(&m, root, plan->masked.at[i], e);
		if (r < 0)
			err_wrap(e, "linux.maskedPaths[%zu]", i);
	}
	close_fd(&m.empty);
	return r;
}

static int make_readonly(int root, const char *path, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	auto_fd int tree = -1;
	auto_fd int target = open_existing(root, path, e);

	if (target == -ENOENT || target == -ENOTDIR)
		return 0;
	TRY(target);
	tree = open_tree(target, "", CLONE_TREE | AT_RECURSIVE);
	if (tree < 0)
		return err_sys(e, "bind %s on itself", path);
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_sys(e, "make %s read-only", path);
	return mount_attach(tree, target, path, e);
}

int mount_protect(const struct mount_plan *plan, int root, int null, struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	for (size_t i = 0; i < plan->readonly.n; i++)
		if (make_readonly(root, plan->readonly.at[i], e) < 0)
			return err_wrap(e, "linux.readonlyPaths[%zu]", i);
	TRY(mask_paths(plan, root, null, e));
	/* Not before: what is unbindable can't be bound on itself. */
	if (plan->root_propagation && mount(NULL, "/", NULL, plan->root_propagation, NULL) < 0)
		return err_sys(e, "linux.rootfsPropagation");
	if (plan->readonly_root && mount_setattr(root, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return err_sys(e, "root.readonly: make the root file system read-only");
	return 0;
}
