#include "process/console.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "base/log.h"
#include "base/sys.h"

enum { PTMX_MAJOR = 5, PTMX_MINOR = 2, PTMX_INODE = 2 /* fs/devpts/inode.c, mknod_ptmx() */ };

static int open_devpts(int root, struct err *e)
{
	auto_fd int pts = sys_openat2(root, "dev/pts", O_PATH | O_DIRECTORY | O_CLOEXEC, 0,
				      RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	struct statfs fs;

	if (pts < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_sys(e, "process.terminal: open /dev/pts in the container");
	if (pts >= 0 && fstatfs(pts, &fs) < 0)
		return err_sys(e, "process.terminal: look at /dev/pts in the container");
	if (pts < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
		return err_set(e, ENODEV,
			       "process.terminal: the container has no devpts on /dev/pts");
	return take_fd(&pts);
}

/*
 * Not /dev/ptmx, which is whatever the image made of it. Without crossing a
 * mount there is only devpts itself behind the name, so nothing else is ever
 * opened, not even to be looked at.
 */
static int open_ptmx(int root, struct err *e)
{
	auto_fd int pts = open_devpts(root, e);
	auto_fd int fd = -1;
	struct stat st;

	TRY(pts);
	fd = sys_openat2(pts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return err_sys(e, "process.terminal: open /dev/pts/ptmx in the container");
	if (fstat(fd, &st) < 0)
		return err_sys(e, "process.terminal: stat /dev/pts/ptmx in the container");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(PTMX_MAJOR, PTMX_MINOR) ||
	    st.st_ino != PTMX_INODE)
		return err_set(
			e, ENXIO,
			"process.terminal: /dev/pts/ptmx in the container is not of its devpts");
	return take_fd(&fd);
}

static int open_pair(int root, struct console *ret, struct err *e)
{
	unsigned number = 0;
	int locked = 0;

	ret->master = open_ptmx(root, e);
	TRY(ret->master);
	if (ioctl(ret->master, TIOCSPTLCK, &locked) < 0)
		return err_sys(e, "process.terminal: unlock the new terminal");
	if (ioctl(ret->master, TIOCGPTN, &number) < 0)
		return err_sys(e, "process.terminal: ask for the number of the new terminal");
	snprintf(ret->name, sizeof(ret->name), "/dev/pts/%u", number);
	ret->slave = ioctl(ret->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ret->slave < 0)
		return err_sys(e, "process.terminal: open %s in the container", ret->name);
	return 0;
}

/* The user must be able to open the terminal again, by its name. */
static int give_to_user(const struct console *c, uint32_t uid, struct err *e)
{
	if (fchown(c->slave, uid, (gid_t)-1) == 0)
		return 0;
	/*
	 * The devpts of another user namespace: the terminal works all the same
	 * as long as it need not be opened again.
	 */
	if (errno == EPERM || errno == EINVAL) {
		log_debug("process.terminal: %s stays with its owner: %s", c->name,
			  err_text(errno));
		return 0;
	}
	return err_sys(e, "process.terminal: give %s to uid %u", c->name, uid);
}

int console_open(int root, const struct spec_process *p, struct console *ret, struct err *e)
{
	const struct winsize size = { .ws_row = p->console_size.height,
				      .ws_col = p->console_size.width };
	auto_console struct console c = CONSOLE_NONE;

	TRY(open_pair(root, &c, e));
	if ((size.ws_row || size.ws_col) && ioctl(c.slave, TIOCSWINSZ, &size) < 0)
		return err_sys(e, "process.consoleSize: set the size of %s", c.name);
	TRY(give_to_user(&c, p->user.uid, e));
	*ret = c;
	c.master = c.slave = -1;
	return 0;
}

int console_attach(const struct console *c, struct err *e)
{
	if (ioctl(c->slave, TIOCSCTTY, 0) < 0)
		return err_sys(e, "process.terminal: make %s the controlling terminal", c->name);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(c->slave, fd) < 0)
			return err_sys(e, "process.terminal: make %s descriptor %d", c->name, fd);
	return 0;
}

void console_close(struct console *c)
{
	close_fd(&c->master);
	close_fd(&c->slave);
}
