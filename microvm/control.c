#include "microvm/control.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { WAITING_MAX = 16 };

/* By way of the directory's descriptor: a state root may be longer than a socket address. */
static struct sockaddr_un address_in(int dir)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/vm.sock", dir);
	return address;
}

int control_make(int dir, struct err *e)
{
	auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = address_in(dir);

	if (fd < 0)
		return err_sys(e, "make the machine's control socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, WAITING_MAX) < 0)
		return err_sys(e, "bind the machine's control socket");
	return take_fd(&fd);
}

int control_open(int dir, struct err *e)
{
	auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = address_in(dir);

	if (fd < 0)
		return err_sys(e, "make a socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_sys(e, "connect to the container's machine");
	return take_fd(&fd);
}
