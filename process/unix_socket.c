#include "process/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/io.h"

static int open_path(const char *path, const char *what, struct err *e)
{
	auto_fd int at = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (at < 0)
		return err_sys(e, "open %s %s", what, path);
	if (fstat(at, &st) < 0)
		return err_sys(e, "stat %s %s", what, path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ENOTSOCK, "%s %s is not a socket", what, path);
	return take_fd(&at);
}

int unix_socket_check(const char *path, const char *what, struct err *e)
{
	auto_fd int at = open_path(path, what, e);

	TRY(at);
	return 0;
}

int unix_socket_connect(const char *path, const char *what, struct err *e)
{
	auto_fd int at = open_path(path, what, e);
	auto_fd int sock = -1;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct fd_path by_fd;

	TRY(at);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return err_sys(e, "make a socket for %s %s", what, path);
	/* By descriptor: an address has room for 107 bytes of path only. */
	by_fd = io_fd_path(at);
	memcpy(address.sun_path, by_fd.text, sizeof(by_fd.text));
	if (connect(sock, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "connect to %s %s", what, path);
	return take_fd(&sock);
}
