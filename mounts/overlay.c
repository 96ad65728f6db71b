#include "mounts/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"

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

int mount_overlay_open(const struct mount_overlay *o, struct err *e)
{
	__attribute__((cleanup(dirs_close))) struct dirs lowers = { 0 };
	auto_fd int fs = -1, fd = -1;

	lowers.at = mem_zalloc(o->lowers.n * sizeof(*lowers.at));
	while (lowers.n < o->lowers.n) {
		lowers.at[lowers.n] = open_dir(o->lowers.at[lowers.n], e);
		TRY(lowers.at[lowers.n]);
		lowers.n++;
	}
	/* overlayfs has no use for one layer that nothing is written to. */
	if (!o->upper && lowers.n == 1)
		return open_dir(o->lowers.at[0], e);
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
