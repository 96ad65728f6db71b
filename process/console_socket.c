#include "process/console_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/io.h"

static int open_path(const char *path, struct err *e)
{
	auto_fd int at = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (at < 0)
		return err_sys(e, "open console socket %s", path);
	if (fstat(at, &st) < 0)
		return err_sys(e, "stat console socket %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ENOTSOCK, "console socket %s is not a socket", path);
	return take_fd(&at);
}

int console_socket_check(const char *path, struct err *e)
{
	auto_fd int at = open_path(path, e);

	TRY(at);
	return 0;
}

int console_socket_send(const char *path, int master, const char *name, struct err *e)
{
	auto_fd int at = open_path(path, e);
	auto_fd int sock = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct fd_path by_fd;
	int r;

	TRY(at);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_sys(e, "make a socket for console socket %s", path);
	/* By descriptor: an address has room for 107 bytes of path only. */
	by_fd = io_fd_path(at);
	memcpy(address.sun_path, by_fd.text, sizeof(by_fd.text));
	if (connect(sock, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "connect to console socket %s", path);
	r = io_send_fds(sock, name, strlen(name), &master, 1);
	return r < 0 ? err_neg(e, r, "send %s to console socket %s", name, path) : 0;
}
