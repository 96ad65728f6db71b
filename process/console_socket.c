#include "process/console_socket.h"

#include <string.h>

#include "base/io.h"
#include "process/unix_socket.h"

static const char WHAT[] = "console socket";

int console_socket_check(const char *path, struct err *e)
{
	return unix_socket_check(path, WHAT, e);
}

int console_socket_send(const char *path, int master, const char *name, struct err *e)
{
	auto_fd int sock = unix_socket_connect(path, WHAT, e);
	int r;

	TRY(sock);
	r = io_send_fds(sock, name, strlen(name), &master, 1);
	return r < 0 ? err_neg(e, r, "send %s to console socket %s", name, path) : 0;
}
