#include "network/loopback.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int loopback_up(struct err *e)
{
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };

	if (fd < 0)
		return err_sys(e, "set lo up: make a socket");
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return err_sys(e, "set lo up: read its flags");
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
	if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_sys(e, "set lo up");
	return 0;
}
