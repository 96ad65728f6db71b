#include "mounts/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/sys.h"
#include "mounts/classic.h"
#include "mounts/rootfd.h"

enum { PROC_ROOT_INO = 1 };

static bool is_mapped(const struct mount_plan *plan)
{
	return plan->overlay && plan->overlay->idmap.uids.n;
}

int mount_enter_root(const struct mount_plan *plan, const struct mount_trees *trees, struct err *e)
{
	auto_fd int place = -1;

	/*
	 * The host's tree in here is on its way out, so a slave is enough whatever is configured, and
	 * pivot_root(2) takes no shared parent.
	 */
	if (mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(e, "set the propagation of /");
	/*
	 * The host's path, resolved once by the parent: a link in it now is somebody's trick. With
	 * layers shown to a user namespace the way there is the engine's alone; on / it is as well,
	 * for what our root is does not change by what is put on it.
	 */
	place = is_mapped(plan) ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
				: sys_openat2(AT_FDCWD, plan->rootfs, O_PATH | O_CLOEXEC, 0,
					      RESOLVE_NO_SYMLINKS);
	if (place < 0)
		return err_sys(e, "open root.path %s", plan->rootfs);
	return mount_attach(trees->root, place, "root.path", e);
}

/* procfs and sysfs must be what they seem to be: no link may lead to them (CVE-2019-19921). */
static bool is_kernel_view(const struct mount_op *op)
{
	return op->type && (strcmp(op->type, "proc") == 0 || strcmp(op->type, "sysfs") == 0);
}

static int open_kernel_target(const struct mount_op *op, int root, struct err *e)
{
	int fd = rootfd_open_nofollow(root, op->target, O_PATH | O_DIRECTORY);

	if (fd == -ENOENT) {
		auto_fd int made = rootfd_make_dir(root, op->target, 0755, e);

		TRY(made);
		fd = rootfd_open_nofollow(root, op->target, O_PATH | O_DIRECTORY);
	}
	if (fd == -ELOOP || fd == -ENOTDIR)
		return err_set(e, -fd, "%s: %s must be mounted on a real directory, and %s is none",
			       op->name, op->type, op->target);
	if (fd < 0)
		return err_neg(e, fd, "%s: open %s in the container", op->name, op->target);
	return fd;
}

/* What has the target's name, be it a link; -ENOENT without a message if nothing has. */
static int open_itself(const struct mount_op *op, int root, struct err *e)
{
	const char *name;
	auto_fd int dir = rootfd_make_parent(root, op->target, &name, e);
	int fd;

	if (dir < 0)
		return err_wrap(e, "%s", op->name);
	fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return err_sys(e, "%s: open %s in the container", op->name, op->target);
	return fd < 0 ? -ENOENT : fd;
}

/* The place to mount on, made if it is missing: a file for a file, else a directory. */
static int open_target(const struct mount_op *op, int tree, int root, struct err *e)
{
	struct stat st;
	int fd;

	if (is_kernel_view(op))
		return open_kernel_target(op, root, e);
	if (fstat(tree, &st) < 0)
		return err_sys(e, "%s: stat %s", op->name, op->source);
	if (op->options.flags & MOUNT_TARGET_NOFOLLOW) {
		fd = open_itself(op, root, e);
		if (fd != -ENOENT)
			return fd;
	}
	fd = S_ISDIR(st.st_mode) ? rootfd_make_dir(root, op->target, 0755, e)
				 : rootfd_make_file(root, op->target, 0644, e);
	if (fd < 0)
		return err_wrap(e, "%s", op->name);
	return fd;
}

/* The kernel's EINVAL for this helps nobody. */
static int check_kinds(const struct mount_op *op, int tree, int target, struct err *e)
{
	struct stat what, place;

	if (fstat(tree, &what) < 0 || fstat(target, &place) < 0)
		return err_sys(e, "%s: stat %s in the container", op->name, op->target);
	if (S_ISDIR(what.st_mode) && !S_ISDIR(place.st_mode))
		return err_set(e, ENOTDIR,
			       "%s: %s in the container is no directory, and what is to be mounted "
			       "there is one",
			       op->name, op->target);
	if (!S_ISDIR(what.st_mode) && S_ISDIR(place.st_mode))
		return err_set(e, ENOTDIR,
			       "%s: %s in the container is a directory, and what is to be mounted "
			       "there is none",
			       op->name, op->target);
	return 0;
}

/* Is this place the container's /proc, whatever the path to it reads like? */
static int is_proc(int root, const struct stat *place, struct err *e)
{
	auto_fd int proc = rootfd_open(root, "/proc", O_PATH);
	struct stat st;

	if (proc == -ENOENT || proc == -ENOTDIR || proc == -ELOOP || proc == -EACCES)
		return 0; /* there is none, or a link to nowhere: nothing can be mounted on it */
	if (proc < 0)
		return err_neg(e, proc, "open /proc in the container");
	if (fstat(proc, &st) < 0)
		return err_sys(e, "stat /proc in the container");
	return st.st_dev == place->st_dev && st.st_ino == place->st_ino;
}

/*
 * What lies on /proc has to be a procfs, or labels and sysctls would go to a
 * fake; and what lies on a procfs must not be hidden. This goes by where the
 * mount would land: the path may lead there by links (CVE-2019-16884).
 */
static int check_landing(const struct mount_op *op, bool procfs, int target, int root,
			 struct err *e)
{
	struct statfs on;
	struct stat st;
	int on_proc = op->on_proc;

	if (fstatfs(target, &on) < 0 || fstat(target, &st) < 0)
		return err_sys(e, "%s: stat %s in the container", op->name, op->target);
	if (!on_proc)
		on_proc = is_proc(root, &st, e);
	TRY(on_proc);
	if (on_proc) {
		if (procfs)
			return 0;
		return err_set(e, EPERM, "%s: only a proc file system may be mounted on %s",
			       op->name, op->target);
	}
	if (on.f_type != PROC_SUPER_MAGIC || op->below_proc)
		return 0;
	return err_set(e, EPERM,
		       "%s.destination: \"%s\" is inside /proc, where nothing may be mounted",
		       op->name, op->target);
}

static int remount(const struct mount_op *op, int root, struct err *e)
{
	const unsigned itself = op->options.flags & MOUNT_TARGET_NOFOLLOW ? O_NOFOLLOW : 0;
	auto_fd int target = rootfd_open(root, op->target, O_PATH | itself);

	if (target < 0)
		return err_neg(e, target, "%s: open %s in the container", op->name, op->target);
	TRY(mount_filesystem_change(op, target, e));
	return mount_options_apply(op, target, e);
}

/* By mount(2), which makes and attaches in one. */
static int apply_classic(const struct mount_op *op, int *ret_made, int root, struct err *e)
{
	auto_fd int target = rootfd_make_dir(root, op->target, 0755, e), made = -1;

	if (target < 0)
		return err_wrap(e, "%s", op->name);
	TRY(check_landing(op, false, target, root, e));
	TRY(mount_classic(op, target, e));
	if (op->options.propagation.n == 0 && op->options.recursive.set == 0 && !op->readonly_last)
		return 0;
	made = rootfd_open(root, op->target, O_PATH);
	if (made < 0)
		return err_neg(e, made, "%s: open %s in the container", op->name, op->target);
	TRY(mount_options_apply(op, made, e));
	if (op->readonly_last)
		*ret_made = take_fd(&made);
	return 0;
}

/* Where nothing is the image's, and reading has effects. */
static const unsigned long kernel_file_systems[] = {
	PROC_SUPER_MAGIC, SYSFS_MAGIC,    CGROUP2_SUPER_MAGIC, CGROUP_SUPER_MAGIC,
	DEBUGFS_MAGIC,    TRACEFS_MAGIC,  SECURITYFS_MAGIC,    BPF_FS_MAGIC,
	PSTOREFS_MAGIC,   EFIVARFS_MAGIC, SELINUX_MAGIC,
};

/* Once the landing has been checked, and by its descriptor: no link leads elsewhere any more. */
static int copy_up_landing(const struct mount_op *op, int tree, int target, struct err *e)
{
	struct statfs on;

	if (fstatfs(target, &on) < 0)
		return err_sys(e, "%s: stat %s in the container", op->name, op->target);
	for (size_t i = 0; i < ARRAY_LEN(kernel_file_systems); i++)
		if ((unsigned long)on.f_type == kernel_file_systems[i])
			return err_set(
				e, EPERM,
				"%s.options: \"tmpcopyup\" copies what the image has, and %s is "
				"in a file system of the kernel's",
				op->name, op->target);
	return copy_up(target, tree, op->copies, op->name, op->target, e);
}

static int apply_tree(const struct mount_op *op, int tree, int userns, int root, struct err *e)
{
	const bool copies = op->options.flags & MOUNT_COPY_UP;
	auto_fd int there = copies ? rootfd_open(root, op->target, O_PATH) : -1;
	auto_fd int target = open_target(op, tree, root, e);
	struct statfs fs;
	struct stat st;
	bool procfs;

	TRY(target);
	TRY(check_kinds(op, tree, target, e));
	if (fstatfs(tree, &fs) < 0 || fstat(tree, &st) < 0)
		return err_sys(e, "%s: stat %s", op->name, op->source);
	procfs = fs.f_type == PROC_SUPER_MAGIC && st.st_ino == PROC_ROOT_INO; /* a part is none */
	TRY(check_landing(op, procfs, target, root, e));
	if (there >= 0) /* else we have just made it, and the tmpfs is as it is by itself */
		TRY(copy_up_landing(op, tree, target, e));
	if (copies && userns >= 0)
		TRY(mount_idmap_apply(&op->idmap, userns, tree, op->name, op->type, e));
	if (copies)
		TRY(mount_options_apply(op, tree, e));
	return mount_attach(tree, target, op->name, e);
}

static bool is_link(int tree)
{
	struct stat st;

	return fstat(tree, &st) == 0 && S_ISLNK(st.st_mode);
}

/* The source's link, made in the container; the same link may be there already. */
static int copy_link(const struct mount_op *op, int tree, int root, struct err *e)
{
	char to[PATH_MAX], there[PATH_MAX];
	const char *name;
	auto_fd int dir = rootfd_make_parent(root, op->target, &name, e);
	ssize_t n;

	if (dir < 0)
		return err_wrap(e, "%s", op->name);
	n = readlinkat(tree, "", to, sizeof(to) - 1);
	if (n < 0)
		return err_sys(e, "%s: read the link %s", op->name, op->source);
	to[n] = '\0';
	if (symlinkat(to, dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "%s: make the link %s in the container", op->name, op->target);
	n = readlinkat(dir, name, there, sizeof(there) - 1);
	there[n < 0 ? 0 : n] = '\0';
	if (n >= 0 && strcmp(to, there) == 0)
		return 0;
	return err_set(e, EEXIST, "%s: %s exists in the container and is not the link to %s",
		       op->name, op->target, to);
}

/* `*source` is the opened source of a bind, and then the new mount if it is to be read-only last. */
static int apply_one(const struct mount_op *op, int *source, int userns, int root, struct err *e)
{
	const int tree = *source;
	auto_fd int made = -1;

	if (op->kind == MOUNT_KIND_REMOUNT)
		return remount(op, root, e);
	if ((op->options.flags & MOUNT_COPY_SYMLINK) && is_link(tree))
		return copy_link(op, tree, root, e);
	if (op->kind == MOUNT_KIND_BIND)
		return apply_tree(op, tree, -1, root, e);
	if (mount_needs_classic(op) && !(op->options.flags & MOUNT_COPY_UP)) /* no tmpfs does */
		return apply_classic(op, source, root, e);
	made = mount_filesystem_open(op, userns, e);
	TRY(made);
	TRY(apply_tree(op, made, userns, root, e));
	if (op->readonly_last)
		*source = take_fd(&made);
	return 0;
}

int mount_apply(const struct mount_plan *plan, const struct mount_trees *trees, struct err *e)
{
	for (size_t i = 0; i < plan->mounts.n; i++)
		TRY(apply_one(&plan->mounts.at[i], &trees->mounts[i], trees->idmaps[i], trees->root,
			      e));
	return 0;
}

int mount_readonly_apply(const struct mount_plan *plan, const struct mount_trees *trees,
			 struct err *e)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	for (size_t i = 0; i < plan->mounts.n; i++) {
		const struct mount_op *op = &plan->mounts.at[i];

		if (op->readonly_last &&
		    mount_setattr(trees->mounts[i], "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
			return err_sys(e, "%s: make %s read-only", op->name, op->target);
	}
	return 0;
}

static int check_existing(const struct device_op *d, int dir, const char *name, struct err *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s: stat %s in the container", d->name, d->path);
	if ((st.st_mode & S_IFMT) == (d->mode & S_IFMT) &&
	    (S_ISFIFO(d->mode) || st.st_rdev == d->number))
		return 0;
	return err_set(e, EEXIST, "%s: %s exists in the container and is not the device %u:%u",
		       d->name, d->path, major(d->number), minor(d->number));
}

static int make_node(const struct device_op *d, int dir, const char *name, struct err *e)
{
	if (mknodat(dir, name, d->mode, d->number) < 0) {
		if (errno != EEXIST)
			return err_sys(e, "%s: make %s in the container", d->name, d->path);
		return d->must_match ? check_existing(d, dir, name, e) : 0;
	}
	if ((d->uid || d->gid) && fchownat(dir, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s: chown %s to %u:%u", d->name, d->path, d->uid, d->gid);
	return 0;
}

static int bind_node(const struct device_op *d, int tree, int root, struct err *e)
{
	auto_fd int target = rootfd_make_file(root, d->path, 0644, e);

	if (target < 0)
		return err_wrap(e, "%s", d->name);
	return mount_attach(tree, target, d->name, e);
}

static int make_links(const struct mount_plan *plan, int root, struct err *e)
{
	for (size_t i = 0; i < plan->links.n; i++) {
		const struct link_op *l = &plan->links.at[i];
		const char *name;
		auto_fd int dir = rootfd_make_parent(root, l->path, &name, e);

		TRY(dir);
		/* ptmx of the image may be a node of the host's devpts: ours replaces it. */
		if (strcmp(l->path, "/dev/ptmx") == 0 && unlinkat(dir, name, 0) < 0 &&
		    errno != ENOENT)
			return err_sys(e, "replace %s in the container", l->path);
		if (symlinkat(l->to, dir, name) < 0 && errno != EEXIST)
			return err_sys(e, "link %s to %s in the container", l->path, l->to);
	}
	return 0;
}

int mount_devices_apply(const struct mount_plan *plan, const struct mount_trees *trees,
			struct err *e)
{
	for (size_t i = 0; i < plan->devices.n; i++) {
		const struct device_op *d = &plan->devices.at[i];
		const char *name;
		auto_fd int dir = -1;

		if (trees->devices[i] >= 0) {
			TRY(bind_node(d, trees->devices[i], trees->root, e));
			continue;
		}
		dir = rootfd_make_parent(trees->root, d->path, &name, e);
		if (dir < 0)
			return err_wrap(e, "%s", d->name);
		TRY(make_node(d, dir, name, e));
	}
	return make_links(plan, trees->root, e);
}

/*
 * Makes `root` the root and drops the host's tree, which pivot_root(2) puts on
 * top of it when both its arguments are ".". Its unmounting propagates nowhere.
 */
static int pivot(const char *rootfs, struct err *e)
{
	auto_fd int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (old < 0)
		return err_sys(e, "open the old root");
	if (sys_pivot_root(".", ".") < 0)
		return err_sys(e, "pivot_root to %s", rootfs);
	if (fchdir(old) < 0)
		return err_sys(e, "enter the old root");
	if (mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(e, "make the old root a slave");
	if (umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "unmount the old root");
	return 0;
}

int mount_pivot(const struct mount_plan *plan, int root, struct err *e)
{
	if (fchdir(root) < 0)
		return err_sys(e, "enter the root file system");
	if (plan->pivot) {
		TRY(pivot(plan->rootfs, e));
	} else {
		if (plan->own_namespace && mount(".", "/", NULL, MS_MOVE, NULL) < 0)
			return err_sys(e, "move the root file system to /");
		if (chroot(".") < 0)
			return err_sys(e, "chroot to %s", plan->rootfs);
	}
	if (chdir("/") < 0)
		return err_sys(e, "enter /");
	return 0;
}

int mount_console(int root, int tty, struct err *e)
{
	auto_fd int target = -1, tree = -1;
	struct stat st;
	const char *name;
	auto_fd int dir = rootfd_make_parent(root, "/dev/console", &name, e);

	TRY(dir);
	target = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (target >= 0 && fstat(target, &st) == 0 && (S_ISLNK(st.st_mode) || S_ISDIR(st.st_mode)))
		return err_set(e, EEXIST, "/dev/console in the container is a link or a directory");
	if (target < 0) {
		auto_fd int made =
			openat(dir, name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			       0600);

		if (made < 0)
			return err_sys(e, "make /dev/console in the container");
		target = take_fd(&made);
	}
	tree = open_tree(tty, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return err_sys(e, "bind the terminal to /dev/console");
	return mount_attach(tree, target, "/dev/console", e);
}
