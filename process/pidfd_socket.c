#include "process/pidfd_socket.h"

#include <string.h>

#include "base/io.h"
#include "process/unix_socket.h"

static const char WHAT[] = "pidfd socket";

int pidfd_socket_check(const char *path, struct err *e)
{
	return unix_socket_check(path, WHAT, e);
}

int pidfd_socket_send(const char *path, int pidfd, const char *of, struct err *e)
{
	auto_fd int sock = unix_socket_connect(path, WHAT, e);
	int r;

	TRY(sock);
	r = io_send_fds(sock, of, strlen(of), &pidfd, 1);
	return r < 0 ? err_neg(e, r, "send a pidfd to pidfd socket %s", path) : 0;
}
