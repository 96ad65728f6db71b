/* What counts as the kernel's answer, and when: here the kernel is the other end of a socket. */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "network/link.h"
#include "network/nlattr.h"

static struct netlink nl = NETLINK_CLOSED;
static int kernel = -1;

static void make_kernel(void)
{
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	nl = (struct netlink){ .fd = ends[0] };
	kernel = ends[1];
}

static void end_kernel(void)
{
	netlink_close(&nl);
	close(kernel);
}

TestSuite(netlink, .init = make_kernel, .fini = end_kernel, .timeout = 20);

/* A message of the answer to the seq-th request: a link, or the end of the list with its code. */
static void say(uint32_t seq, uint16_t type, uint16_t flags, const char *name, int code)
{
	_Alignas(struct nlmsghdr) char bytes[256];
	struct nlmsghdr *head = nlmsg_begin(bytes);
	struct ifinfomsg *info;

	head->nlmsg_type = type;
	head->nlmsg_flags = flags;
	head->nlmsg_seq = seq;
	if (type == NLMSG_DONE) {
		memcpy(nlmsg_extend(head, sizeof(code)), &code, sizeof(code));
	} else {
		info = nlmsg_extend(head, sizeof(*info));
		info->ifi_index = 7;
		cr_assert(nlattr_put(head, sizeof(bytes), IFLA_IFNAME, name, strlen(name) + 1));
	}
	cr_assert_eq(send(kernel, bytes, head->nlmsg_len, 0), (ssize_t)head->nlmsg_len);
}

static int note_name(const struct link_info *link, void *ctx)
{
	strcat(strcat(ctx, link->name), " ");
	return 0;
}

/* Of a list that changed meanwhile nothing counts, not what came before it was known either. */
Test(netlink, a_list_that_was_interrupted_is_read_anew)
{
	char names[128] = "";
	struct err e = { 0 };

	say(1, RTM_NEWLINK, NLM_F_MULTI, "gone", 0);
	say(1, RTM_NEWLINK, NLM_F_MULTI | NLM_F_DUMP_INTR, "eth0", 0);
	say(1, NLMSG_DONE, NLM_F_MULTI, NULL, 0);
	say(1, RTM_NEWLINK, NLM_F_MULTI, "late", 0);
	say(2, RTM_NEWLINK, NLM_F_MULTI, "eth0", 0);
	say(2, RTM_NEWLINK, NLM_F_MULTI, "eth1", 0);
	say(2, NLMSG_DONE, NLM_F_MULTI, NULL, 0);
	cr_assert_eq(link_each(&nl, note_name, names, &e), 0, "%s", e.msg);
	cr_expect_str_eq(names, "eth0 eth1 ");
}

/* The kernel says so at its end, and it is no list of all there is. */
Test(netlink, a_list_that_is_not_whole_is_none)
{
	char names[128] = "";
	struct err e = { 0 };

	say(1, RTM_NEWLINK, NLM_F_MULTI, "eth0", 0);
	say(1, NLMSG_DONE, NLM_F_MULTI, NULL, -ENOMEM);
	cr_expect_eq(link_each(&nl, note_name, names, &e), -ENOMEM);
	cr_expect_str_eq(e.msg, "list the links: cannot allocate memory");
	cr_expect_str_eq(names, "");
}

/* Root of a namespace may send to our sockets there, and our numbers are easily guessed. */
Test(netlink, what_others_send_is_no_answer, .init = NULL, .fini = NULL)
{
	struct {
		_Alignas(struct nlmsghdr) struct nlmsghdr head;
		struct nlmsgerr error;
	} lie = { .head = { .nlmsg_len = sizeof(lie), .nlmsg_type = NLMSG_ERROR },
		  .error = { .error = -EPERM } };
	auto_netlink struct netlink real = NETLINK_CLOSED;
	struct sockaddr_nl name = { 0 };
	socklen_t size = sizeof(name);
	struct link_info lo = { 0 };
	struct err e = { 0 };
	auto_fd int liar = -1;

	if (unshare(CLONE_NEWNET) < 0)
		cr_skip_test("needs CAP_SYS_ADMIN");
	cr_assert_eq(netlink_open(-1, &real, &e), 0, "%s", e.msg);
	/* It has its number once it has asked. */
	cr_assert_eq(link_get(&real, "lo", &lo, &e), 0, "%s", e.msg);
	cr_assert_eq(getsockname(real.fd, (struct sockaddr *)&name, &size), 0);
	liar = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	for (uint32_t i = 1; i <= 4; i++) {
		lie.head.nlmsg_seq = real.seq + i;
		cr_assert_eq(sendto(liar, &lie, sizeof(lie), 0, (struct sockaddr *)&name, size),
			     (ssize_t)sizeof(lie), "errno %d", errno);
	}
	cr_expect_eq(link_get(&real, "lo", &lo, &e), 0, "%s", e.msg);
	cr_expect_str_eq(lo.name, "lo");
	cr_expect_eq(link_get(&real, "none", &lo, &e), -ENODEV, "%s", e.msg);
}
