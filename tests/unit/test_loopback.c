#include <criterion/criterion.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "network/loopback.h"
#include "tests/unit/test_child.h"

static int send_to_loopback(void)
{
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	return sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1 ? 0 : errno;
}

static void goes_up(void *arg UNUSED)
{
	struct ifreq request = { .ifr_name = "lo" };
	struct err e = { 0 };
	int fd = -1;

	CHILD_ASSERT(unshare(CLONE_NEWNET) == 0, "errno %d", errno);
	CHILD_ASSERT(send_to_loopback() == ENETUNREACH, "it is up");
	CHILD_ASSERT(loopback_up(&e) == 0, "%s", e.msg);
	CHILD_ASSERT(loopback_up(&e) == 0, "again: %s", e.msg);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHILD_ASSERT(ioctl(fd, SIOCGIFFLAGS, &request) == 0, "errno %d", errno);
	CHILD_ASSERT((request.ifr_flags & (IFF_UP | IFF_RUNNING | IFF_LOOPBACK)) ==
			     (IFF_UP | IFF_RUNNING | IFF_LOOPBACK),
		     "%#x", request.ifr_flags);
	CHILD_ASSERT(send_to_loopback() == 0, "it is down");
}

Test(loopback, goes_up)
{
	need_root();
	expect_child(goes_up, NULL);
}

static void may_not_go_up(void *arg UNUSED)
{
	struct err e = { 0 };

	CHILD_ASSERT(unshare(CLONE_NEWNET) == 0, "errno %d", errno);
	become_user(65534);
	CHILD_ASSERT(loopback_up(&e) == -EPERM, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "set lo up: operation not permitted");
}

Test(loopback, needs_privilege)
{
	need_root();
	expect_child(may_not_go_up, NULL);
}
