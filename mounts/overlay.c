#include "mounts/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "base/sys.h"
#include "mounts/tree.h"

/* The directories, open: every name that overlayfs gets is one of their numbers. */
struct dirs {
	int *at;
	size_t n;
};

static void dirs_close(struct dirs *d)
{
	for (size_t i = 0; i < d->n; i++)
		close(d->at[i]);
	free(d->at);
}

static int open_dir(const char *path, struct err *e)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open the layer %s", path) : fd;
}

static int erofs_failure(const char *path, struct err *e)
{
	int code = errno;

	if (code == ENODEV)
		return err_set(e, ENODEV, "%s: this kernel has no EROFS, which it is", path);
	if (code == ENOTBLK)
		return err_set(e, ENOTSUP,
			       "%s: this kernel can't mount an EROFS from a file; Linux 6.12 can",
			       path);
	if (code == EPERM)
		return err_set(e, EPERM, "%s: an EROFS can be mounted by root alone", path);
	if (code == EINVAL)
		return err_set(e, EINVAL,
			       "%s: it is neither a directory nor a file with an EROFS in it",
			       path);
	return err_set(e, code, "mount %s: %s", path, err_text(code));
}

/* A detached mount of the file system in a file. */
static int open_erofs(const char *path, struct err *e)
{
	auto_fd int file = open(path, O_RDONLY | O_CLOEXEC), fs = -1;
	int fd;

	if (file < 0)
		return err_sys(e, "open the layer %s", path);
	fs = fsopen("erofs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "source", io_fd_path(file).text, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return erofs_failure(path, e);
	fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	return fd < 0 ? erofs_failure(path, e) : fd;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* overlayfs takes what is mounted in its maker's namespace: there it hangs on /, where nobody looks. */
static int open_lower(const char *path, bool attach, struct err *e)
{
	auto_fd int fd = -1, root = -1;

	if (!is_file(path))
		return open_dir(path, e);
	fd = open_erofs(path, e);
	TRY(fd);
	if (attach) {
		root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			return err_sys(e, "open /");
		TRY(mount_attach(fd, root, path, e));
	}
	return take_fd(&fd);
}

/* overlayfs says why in the log of its context: "e overlay: ...". */
static int fail(int fs, const char *doing, struct err *e)
{
	int code = errno;
	char text[512];
	ssize_t n = read(fs, text, sizeof(text) - 1);

	if (n < 2)
		return err_set(e, code, "make the root file system of layers: %s: %s", doing,
			       err_text(code));
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return err_set(e, code, "make the root file system of layers: %s: %s (%s)", doing, text + 2,
		       err_text(code));
}

static int set_dir(int fs, const char *key, int dir)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, io_fd_path(dir).text, 0);
}

/* One value of at most 255 bytes with all of them, which are short as seen from /proc/self/fd. */
static int set_lowers_at_once(int fs, const struct dirs *lowers, struct err *e)
{
	auto_buf struct buf text = { 0 };
	auto_fd int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r, code;

	for (size_t i = 0; i < lowers->n; i++)
		buf_printf(&text, i ? ":%d" : "%d", lowers->at[i]);
	if (text.len > 255)
		return err_set(e, E2BIG,
			       "make the root file system of layers: this kernel takes about 80 of "
			       "them, and these are %zu",
			       lowers->n);
	if (before < 0 || chdir("/proc/self/fd") < 0)
		return err_sys(e, "enter /proc/self/fd");
	r = fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", text.text, 0);
	code = errno;
	if (fchdir(before) < 0)
		return err_sys(e, "return to the working directory");
	errno = code;
	return r < 0 ? fail(fs, "lowerdir", e) : 0;
}

/* Linux 6.5 takes them one by one. */
static int set_lowers(int fs, const struct dirs *lowers, struct err *e)
{
	for (size_t i = 0; i < lowers->n; i++) {
		if (set_dir(fs, "lowerdir+", lowers->at[i]) == 0)
			continue;
		if (i == 0 && errno == EINVAL)
			return set_lowers_at_once(fs, lowers, e);
		return fail(fs, "lowerdir+", e);
	}
	return 0;
}

static int set_flags(int fs, const struct mount_overlay *o, struct err *e)
{
	/* All that a container changes lies in its upper directory as what it is (engine/diff.c). */
	if (!o->in_place && (fsconfig(fs, FSCONFIG_SET_STRING, "redirect_dir", "off", 0) < 0 ||
			     fsconfig(fs, FSCONFIG_SET_STRING, "metacopy", "off", 0) < 0))
		return fail(fs, "redirect_dir and metacopy", e);
	if (o->in_place && fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		return fail(fs, "userxattr", e);
	if (o->is_volatile && fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
		return fail(fs, "volatile", e);
	return 0;
}

static int set_upper(int fs, const struct mount_overlay *o, struct err *e)
{
	auto_fd int upper = open_dir(o->upper, e);
	auto_fd int work = -1;

	TRY(upper);
	work = open_dir(o->work, e);
	TRY(work);
	if (set_dir(fs, "upperdir", upper) < 0)
		return fail(fs, "upperdir", e);
	if (set_dir(fs, "workdir", work) < 0)
		return fail(fs, "workdir", e);
	return 0;
}

static int configure(int fs, const struct mount_overlay *o, const struct dirs *lowers,
		     struct err *e)
{
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0) < 0)
		return fail(fs, "source", e);
	TRY(set_lowers(fs, lowers, e));
	if (o->upper)
		TRY(set_upper(fs, o, e));
	TRY(set_flags(fs, o, e));
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return fail(fs, "make it", e);
	return 0;
}

static bool has_file(const struct mount_overlay *o)
{
	for (size_t i = 0; i < o->lowers.n; i++)
		if (is_file(o->lowers.at[i]))
			return true;
	return false;
}

static int open_plain(const struct mount_overlay *o, struct err *e)
{
	__attribute__((cleanup(dirs_close))) struct dirs lowers = { 0 };
	auto_fd int fs = -1, fd = -1;

	/* overlayfs has no use for one layer that nothing is written to. */
	if (!o->upper && o->lowers.n == 1)
		return open_lower(o->lowers.at[0], false, e);
	lowers.at = mem_zalloc(o->lowers.n * sizeof(*lowers.at));
	while (lowers.n < o->lowers.n) {
		lowers.at[lowers.n] = open_lower(o->lowers.at[lowers.n], has_file(o), e);
		TRY(lowers.at[lowers.n]);
		lowers.n++;
	}
	fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0 && errno == ENODEV)
		return err_set(e, ENODEV, "this kernel has no overlayfs, which images need");
	if (fs < 0)
		return err_sys(e, "make the root file system of layers");
	TRY(configure(fs, o, &lowers, e));
	fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (fd < 0)
		return fail(fs, "open it", e);
	return take_fd(&fd);
}

/*
 * Layers that are mounts. overlayfs takes those of its maker's mount namespace, id-mapped ones since Linux
 * 5.19: so a process has one of its own, in which the file systems in files are mounted, and with a map the
 * directory above all layers is covered by itself with that. Descriptors it shares with us.
 */

struct answer {
	int fd;
	struct err e;
};

static int cover(const struct mount_overlay *o, int userns, struct err *e)
{
	struct mount_idmap map = o->idmap;
	auto_fd int tree = -1, place = -1;

	tree = open_tree(AT_FDCWD, o->above, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	place = open(o->above, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0 || place < 0)
		return err_sys(e, "open %s", o->above);
	map.recursive = true;
	TRY(mount_idmap_apply(&map, userns, tree, "layers in a user namespace", o->above, e));
	return mount_attach(tree, place, o->above, e);
}

/*
 * What overlayfs makes for itself belongs to who mounts it, and that has to be somebody who is in the
 * map: its root. Its capabilities stay what they are.
 */
static int become_owner(const struct mount_overlay *o, struct err *e)
{
	uint32_t uid = o->idmap.uids.at[0].host_id, gid = o->idmap.gids.at[0].host_id;

	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0)
		return err_sys(e, "keep capabilities for id-mapped layers");
	setfsgid(gid);
	setfsuid(uid);
	/* They say what it was before, and -1 is nobody: so one can ask. */
	if ((uint32_t)setfsgid((gid_t)-1) != gid || (uint32_t)setfsuid((uid_t)-1) != uid)
		return err_set(e, EPERM, "become the owner of id-mapped layers");
	return 0;
}

static int make_apart(const struct mount_overlay *o, int userns, struct err *e)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "make a mount namespace for the layers");
	if (userns >= 0) {
		TRY(cover(o, userns, e));
		TRY(become_owner(o, e));
	}
	return open_plain(o, e);
}

_Noreturn static void child_apart(const struct mount_overlay *o, int userns, int pipe)
{
	struct answer a = { .fd = -1 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	a.fd = make_apart(o, userns, &a.e);
	_exit(io_write_all(pipe, &a, sizeof(a)) < 0);
}

static int open_apart(const struct mount_overlay *o, struct err *e)
{
	struct clone_args args = { .flags = CLONE_FILES, .exit_signal = SIGCHLD };
	auto_fd int userns = -1, in = -1, out = -1;
	struct answer a;
	int ends[2];
	pid_t pid;
	ssize_t n;

	if (o->idmap.uids.n) {
		userns = mount_idmap_open(&o->idmap, e);
		TRY(userns);
	}
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	in = ends[0];
	out = ends[1];
	pid = sys_clone3(&args);
	if (pid == 0)
		child_apart(o, userns, out);
	if (pid < 0)
		return err_sys(e, "make a process for the layers");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	close_fd(&out);
	n = io_read_all(in, &a, sizeof(a));
	if (n != (ssize_t)sizeof(a))
		return err_set(e, EIO, "mount the layers: the process for it died");
	if (a.fd < 0)
		*e = a.e;
	return a.fd;
}

int mount_overlay_open(const struct mount_overlay *o, struct err *e)
{
	bool overlaid = o->upper || o->lowers.n > 1;

	return o->idmap.uids.n || (overlaid && has_file(o)) ? open_apart(o, e) : open_plain(o, e);
}
