#include "process/terminal.h"

#include <errno.h>
#include <sys/ioctl.h>

/*
 * From the background this stops us (SIGTTOU) until we are in the foreground;
 * with nobody to continue us it fails with EIO.
 */
static int set_modes(int fd, const struct termios *modes)
{
	int r;

	do
		r = tcsetattr(fd, TCSANOW, modes);
	while (r < 0 && errno == EINTR);
	return r;
}

int terminal_raw(int fd, struct terminal *t, struct err *e)
{
	struct termios before, raw;

	if (tcgetattr(fd, &before) < 0)
		return err_sys(e, "read the modes of the terminal");
	if (t->fd >= 0)
		before = t->before;
	raw = before;
	cfmakeraw(&raw);
	if (set_modes(fd, &raw) < 0)
		return err_sys(e, "make the terminal raw");
	*t = (struct terminal){ .fd = fd, .before = before };
	return 0;
}

void terminal_restore(struct terminal *t)
{
	if (t->fd >= 0)
		set_modes(t->fd, &t->before);
	t->fd = -1;
}

int terminal_of_person(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

int terminal_copy_size(int from, int to)
{
	struct winsize size;

	if (ioctl(from, TIOCGWINSZ, &size) < 0)
		return -errno;
	if (size.ws_row == 0 && size.ws_col == 0)
		return 0;
	return ioctl(to, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int terminal_plain_newlines(int fd)
{
	struct termios modes;

	if (tcgetattr(fd, &modes) < 0)
		return -errno;
	modes.c_oflag &= ~(tcflag_t)ONLCR;
	return set_modes(fd, &modes) < 0 ? -errno : 0;
}
