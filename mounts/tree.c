#include "mounts/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const unsigned CLONE_TREE = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;

static int set_attributes(int fd, const struct mount_attrs *attrs, unsigned long propagation,
			  bool recursive)
{
	struct mount_attr attr = { .attr_set = attrs->set,
				   .attr_clr = attrs->clear,
				   .propagation = propagation };

	return mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			     sizeof(attr));
}

int mount_options_apply(const struct mount_op *op, int fd, struct err *e)
{
	static const struct mount_attrs none = { 0 };
	const struct mount_options *o = &op->options;

	if ((o->attrs.set || o->attrs.clear) && set_attributes(fd, &o->attrs, 0, false) < 0)
		return err_sys(e, "%s: set the options of the mount on %s", op->name, op->target);
	if ((o->recursive.set || o->recursive.clear) &&
	    set_attributes(fd, &o->recursive, 0, true) < 0)
		return err_sys(e, "%s: set the recursive options of the mount on %s", op->name,
			       op->target);
	for (size_t i = 0; i < o->propagation.n; i++)
		if (set_attributes(fd, &none, o->propagation.at[i].type,
				   o->propagation.at[i].recursive) < 0)
			return err_sys(e, "%s: set the propagation of the mount on %s", op->name,
				       op->target);
	return 0;
}

int mount_bind_open(const struct mount_op *op, unsigned long propagation, int bundle, struct err *e)
{
	static const struct mount_attrs none = { 0 };
	unsigned flags = CLONE_TREE;
	auto_fd int fd = -1;

	if (op->options.flags & MOUNT_RECURSIVE)
		flags |= AT_RECURSIVE;
	if (op->options.flags & (MOUNT_SOURCE_NOFOLLOW | MOUNT_COPY_SYMLINK))
		flags |= AT_SYMLINK_NOFOLLOW;
	fd = open_tree(bundle, op->source, flags);
	if (fd < 0)
		return err_sys(e, "%s: bind %s", op->name, op->source);
	if (set_attributes(fd, &none, propagation & ~(unsigned long)MS_REC, true) < 0)
		return err_sys(e, "%s: bind %s: set the propagation", op->name, op->source);
	if (op->idmap.uids.n) {
		auto_fd int userns = mount_idmap_open(&op->idmap, e);

		if (userns < 0)
			return err_wrap(e, "%s", op->name);
		TRY(mount_idmap_apply(&op->idmap, userns, fd, op->name, op->source, e));
	}
	TRY(mount_options_apply(op, fd, e));
	return take_fd(&fd);
}

/* The host's device node, which has to be the device that it seems to be (CVE-2025-31133). */
static int open_device(const char *name, const char *path, mode_t type, dev_t number,
		       const struct mount_attrs *attrs, struct err *e)
{
	auto_fd int fd = open_tree(AT_FDCWD, path, CLONE_TREE);
	struct stat st;

	if (fd < 0)
		return err_sys(e, "%s: open %s of the host", name, path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat %s of the host", name, path);
	if ((st.st_mode & S_IFMT) != type || st.st_rdev != number)
		return err_set(e, ENXIO, "%s: %s of the host is not the device %u:%u", name, path,
			       major(number), minor(number));
	/*
	 * A node is neither a set-id program nor any other. And no peer of the host's /dev: what is
	 * mounted over it in the container would be mounted over the host's.
	 */
	if (set_attributes(fd, attrs, MS_PRIVATE, false) < 0)
		return err_sys(e, "%s: set the flags of the mount of %s", name, path);
	return take_fd(&fd);
}

static int open_devices(const struct mount_plan *plan, struct mount_trees *t, struct err *e)
{
	static const struct mount_attrs attrs = { .set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };

	for (size_t i = 0; plan->bind_devices && i < plan->devices.n; i++) {
		const struct device_op *d = &plan->devices.at[i];

		if (S_ISFIFO(d->mode))
			continue; /* needs no privilege, so it is made */
		t->devices[i] =
			open_device(d->name, d->path, d->mode & S_IFMT, d->number, &attrs, e);
		TRY(t->devices[i]);
	}
	return 0;
}

/* Read-only, or who may change modes and owners in the container would change the host's node. */
static int open_mask(struct err *e)
{
	static const struct mount_attrs attrs = {
		.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	};

	return open_device("linux.maskedPaths", "/dev/null", S_IFCHR, makedev(1, 3), &attrs, e);
}

static int *no_fds(struct arena *a, size_t n)
{
	int *fds = arena_array(a, n, sizeof(*fds));

	for (size_t i = 0; i < n; i++)
		fds[i] = -1;
	return fds;
}

int mount_trees_open(const struct mount_plan *plan, int bundle, struct arena *a,
		     struct mount_trees *ret, struct err *e)
{
	auto_mount_trees struct mount_trees t = MOUNT_TREES_NONE;
	const struct mount_op root = { .name = "root.path",
				       .source = plan->rootfs,
				       .options = { .flags = MOUNT_BIND | MOUNT_RECURSIVE } };
	bool follows;

	t.mounts = no_fds(a, t.n_mounts = plan->mounts.n);
	t.idmaps = no_fds(a, t.n_mounts);
	t.devices = no_fds(a, t.n_devices = plan->devices.n);
	/* The root must not be a peer of the host's mount while it is filled, shared or not. */
	follows = (plan->root_propagation & ~(unsigned long)(MS_SLAVE | MS_REC)) == 0;
	t.root = plan->overlay ? mount_overlay_open(plan->overlay, e)
			       : mount_bind_open(&root, follows ? MS_SLAVE : MS_PRIVATE, bundle, e);
	TRY(t.root);
	for (size_t i = 0; i < plan->mounts.n; i++) {
		const struct mount_op *op = &plan->mounts.at[i];

		if (op->kind == MOUNT_KIND_FILESYSTEM && op->idmap.uids.n) {
			t.idmaps[i] = mount_idmap_open(&op->idmap, e);
			if (t.idmaps[i] < 0)
				return err_wrap(e, "%s", op->name);
		}
		if (op->kind != MOUNT_KIND_BIND)
			continue;
		t.mounts[i] = mount_bind_open(op, plan->propagation, bundle, e);
		TRY(t.mounts[i]);
	}
	TRY(open_devices(plan, &t, e));
	if (plan->masked.n) {
		t.null = open_mask(e);
		TRY(t.null);
	}
	*ret = t;
	t = (struct mount_trees)MOUNT_TREES_NONE;
	return 0;
}

void mount_trees_close(struct mount_trees *t)
{
	close_fd(&t->root);
	close_fd(&t->null);
	for (size_t i = 0; i < t->n_mounts; i++) {
		close_fd(&t->mounts[i]);
		close_fd(&t->idmaps[i]);
	}
	for (size_t i = 0; i < t->n_devices; i++)
		close_fd(&t->devices[i]);
}

/* Fails with the file system's own words where it has some (fsopen(2): "e tmpfs: Unknown ..."). */
static int fs_fail(const struct mount_op *op, int fs, const char *doing, struct err *e)
{
	const bool new = op->kind != MOUNT_KIND_REMOUNT;
	const char *what = new ? op->type : "the file system";
	const char *verb = new ? "mount" : "change";
	int code = errno;
	char text[512];
	ssize_t n = read(fs, text, sizeof(text) - 1);

	if (n < 2) {
		errno = code;
		return err_sys(e, "%s: %s %s on %s: %s", op->name, verb, what, op->target, doing);
	}
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err_set(e, code, "%s: %s %s on %s: %s: %s (%s)", op->name, verb, what, op->target,
		       doing, text + 2, err_text(code));
}

static int set_option(const struct mount_op *op, int fs, const char *option, struct err *e)
{
	char key[256];
	size_t len = strcspn(option, "=");

	if (len >= sizeof(key))
		return err_set(e, EINVAL, "%s.options: \"%.60s...\" is too long", op->name, option);
	memcpy(key, option, len);
	key[len] = '\0';
	if (option[len] == '=') {
		if (fsconfig(fs, FSCONFIG_SET_STRING, key, option + len + 1, 0) < 0)
			return fs_fail(op, fs, option, e);
	} else if (fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0) < 0) {
		return fs_fail(op, fs, option, e);
	}
	return 0;
}

int mount_filesystem_open(const struct mount_op *op, int userns, struct err *e)
{
	const bool filled_first = op->options.flags & MOUNT_COPY_UP;
	auto_fd int fs = fsopen(op->type, FSOPEN_CLOEXEC);
	auto_fd int fd = -1;

	if (fs < 0 && errno == ENODEV)
		return err_set(e, ENODEV, "%s.type: this kernel has no file system \"%s\"",
			       op->name, op->type);
	if (fs < 0)
		return err_sys(e, "%s: mount %s on %s", op->name, op->type, op->target);
	if (op->source && fsconfig(fs, FSCONFIG_SET_STRING, "source", op->source, 0) < 0)
		return fs_fail(op, fs, "set the source", e);
	if ((op->options.attrs.set & MOUNT_ATTR_RDONLY) && !filled_first &&
	    fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0)
		return fs_fail(op, fs, "ro", e);
	for (size_t i = 0; i < op->options.super.n; i++)
		TRY(set_option(op, fs, op->options.super.at[i], e));
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fs_fail(op, fs, "make it", e);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, filled_first ? 0 : (unsigned)op->options.attrs.set);
	if (fd < 0)
		return fs_fail(op, fs, "open it", e);
	if (filled_first)
		return take_fd(&fd);
	if (userns >= 0)
		TRY(mount_idmap_apply(&op->idmap, userns, fd, op->name, op->type, e));
	if (op->options.recursive.set || op->options.propagation.n)
		TRY(mount_options_apply(op, fd, e));
	return take_fd(&fd);
}

int mount_filesystem_change(const struct mount_op *op, int fd, struct err *e)
{
	auto_fd int fs = -1;

	if (op->options.super.n == 0)
		return 0;
	fs = fspick(fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);
	if (fs < 0)
		return err_sys(e, "%s: change the file system on %s", op->name, op->target);
	for (size_t i = 0; i < op->options.super.n; i++)
		TRY(set_option(op, fs, op->options.super.at[i], e));
	if (fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
		return fs_fail(op, fs, "change it", e);
	return 0;
}

int mount_attach(int tree, int target, const char *what, struct err *e)
{
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "%s: attach the mount", what);
	return 0;
}
