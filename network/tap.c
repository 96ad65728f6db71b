#include "network/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>

int tap_open(char ret_name[IF_NAMESIZE], struct err *e)
{
	struct ifreq request = { .ifr_name = "hull%d" };
	auto_fd int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int header = TAP_HEADER;

	if (fd < 0)
		return err_sys(e, "open /dev/net/tun, by which a microVM has a network");
	request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		return err_sys(e, "make a tap");
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return err_sys(e, "set the tap's header");
	memcpy(ret_name, request.ifr_name, IF_NAMESIZE);
	return take_fd(&fd);
}
