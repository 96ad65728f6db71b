#include "runtime/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/io.h"
#include "runtime/handshake.h"

#define GATE_NAME "start.sock"

/* By way of the directory's descriptor: a state root may be longer than a socket address. */
static struct sockaddr_un gate_address(int dir)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" GATE_NAME, dir);
	return address;
}

int gate_make(int dir, struct err *e)
{
	auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = gate_address(dir);

	if (fd < 0)
		return err_sys(e, "make the start socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "bind the start socket");
	if (listen(fd, 1) < 0)
		return err_sys(e, "listen on the start socket");
	return take_fd(&fd);
}

int gate_exists(int dir, struct err *e)
{
	struct stat st;

	if (fstatat(dir, GATE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_sys(e, "look for the start socket");
}

int gate_remove(int dir, struct err *e)
{
	if (unlinkat(dir, GATE_NAME, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove the start socket");
	return 0;
}

int gate_wait(int gate, int sock, struct err *e)
{
	struct pollfd fds[] = { { .fd = gate, .events = POLLIN },
				{ .fd = sock, .events = POLLIN } };

	for (;;) {
		if (poll(fds, ARRAY_LEN(fds), -1) < 0) {
			if (errno != EINTR)
				return err_sys(e, "wait for start");
			continue;
		}
		if (fds[1].revents) {
			TRY(handshake_expect(sock, SAY_RECORDED, NULL, NULL, e));
			fds[1].fd = -1;
		}
		if (fds[0].revents) {
			int conn = accept4(gate, NULL, NULL, SOCK_CLOEXEC);

			if (conn >= 0)
				return conn;
			if (errno != EINTR && errno != ECONNABORTED)
				return err_sys(e, "accept start");
		}
	}
}

int gate_open(int dir, struct err *e)
{
	auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = gate_address(dir);

	if (fd < 0)
		return err_sys(e, "make a socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "connect to the container's init");
	return take_fd(&fd);
}
