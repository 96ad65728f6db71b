/* Taps, and packets that are sent on to them. Each test has a network namespace of its own. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "network/link.h"
#include "network/redirect.h"
#include "network/tap.h"

enum { TYPE = 0x88b5 /* for experiments */, FRAME = 60, WAIT_MS = 5000 };

static struct netlink nl = NETLINK_CLOSED;
static int tap = -1, far_end = -1;
static char tap_name[IF_NAMESIZE];
static unsigned tap_index, eth_index;

static unsigned index_of(const char *name)
{
	struct link_info link = { 0 };
	struct err e = { 0 };

	cr_assert_eq(link_get(&nl, name, &link, &e), 0, "%s: %s", name, e.msg);
	cr_expect_eq(link.type, ARPHRD_ETHER);
	return link.index;
}

static void make_tap(void)
{
	struct err e = { 0 };

	tap = tap_open(tap_name, &e);
	if (tap < 0)
		cr_skip_test("%s", e.msg);
	tap_index = index_of(tap_name);
	cr_assert_eq(link_set_no_addresses(&nl, tap_name, &e), 0, "%s", e.msg);
	cr_assert_eq(link_set_up(&nl, tap_name, true, &e), 0, "%s", e.msg);
}

/* "eth0", whose far end is a packet socket at "far0". */
static void set_up(void)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(TYPE) };
	struct err e = { 0 };

	if (unshare(CLONE_NEWNET) < 0)
		cr_skip_test("needs CAP_SYS_ADMIN");
	cr_assert_eq(netlink_open(-1, &nl, &e), 0, "%s", e.msg);
	if (link_make_veth(&nl, &(struct link_wish){ .name = "eth0", .up = true },
			   &(struct link_wish){ .name = "far0" }, &e) < 0)
		cr_skip_test("%s", e.msg);
	cr_assert_eq(link_set_up(&nl, "far0", true, &e), 0, "%s", e.msg);
	eth_index = index_of("eth0");
	far_end = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	at.sll_ifindex = (int)index_of("far0");
	cr_assert_eq(bind(far_end, (struct sockaddr *)&at, sizeof(at)), 0, "errno %d", errno);
	make_tap();
}

static void tear_down(void)
{
	netlink_close(&nl);
	close_fd(&tap);
	close_fd(&far_end);
}

TestSuite(redirect, .init = set_up, .fini = tear_down, .timeout = 60);

static void make_frame(uint8_t ret[FRAME], char mark)
{
	memset(ret, mark, FRAME);
	memset(ret, 0xff, 6);
	ret[6] = 2;
	ret[12] = TYPE >> 8;
	ret[13] = TYPE & 0xff;
}

/* The next frame of our type, whose first byte of data is returned; 0: none comes. */
static char next_mark(int fd, size_t skip, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t bytes[2048];

	while (poll(&p, 1, wait_ms) == 1) {
		ssize_t n = read(fd, bytes, sizeof(bytes));

		if (n >= (ssize_t)(skip + FRAME) && bytes[skip + 12] == TYPE >> 8 &&
		    bytes[skip + 13] == (TYPE & 0xff))
			return (char)bytes[skip + 14];
	}
	return 0;
}

static void make_both(void)
{
	struct err e = { 0 };

	if (redirect_make(&nl, eth_index, "eth0", tap_index, &e) < 0)
		cr_skip_test("%s", e.msg);
	cr_assert_eq(redirect_make(&nl, tap_index, tap_name, eth_index, &e), 0, "%s", e.msg);
}

Test(redirect, both_ways)
{
	uint8_t frame[FRAME], with_header[TAP_HEADER + FRAME] = { 0 };

	make_both();
	make_frame(frame, 'a');
	cr_assert_eq(send(far_end, frame, FRAME, 0), FRAME);
	cr_expect_eq(next_mark(tap, TAP_HEADER, WAIT_MS), 'a');
	make_frame(with_header + TAP_HEADER, 'b');
	cr_assert_eq(write(tap, with_header, sizeof(with_header)), sizeof(with_header));
	cr_expect_eq(next_mark(far_end, 0, WAIT_MS), 'b');
}

Test(redirect, one_that_is_in_use_is_not_made_again_or_cleared)
{
	struct err e = { 0 };

	make_both();
	cr_expect_eq(redirect_clear(&nl, eth_index, "eth0", &e), 0, "%s", e.msg);
	cr_expect_eq(redirect_make(&nl, eth_index, "eth0", tap_index, &e), -EEXIST);
	cr_expect_str_eq(e.msg, "eth0 has an ingress qdisc already: what comes in there is another "
				"microVM's, or somebody else's");
}

Test(redirect, what_is_left_of_one_whose_tap_is_gone_is_cleared)
{
	uint8_t frame[FRAME];
	struct err e = { 0 };

	make_both();
	close_fd(&tap);
	cr_expect_eq(redirect_clear(&nl, eth_index, "eth0", &e), 1, "%s", e.msg);
	cr_expect_eq(redirect_clear(&nl, eth_index, "eth0", &e), 0, "%s", e.msg);
	make_tap();
	/* ... by the next one as well */
	make_both();
	close_fd(&tap);
	make_tap();
	make_both();
	make_frame(frame, 'c');
	cr_assert_eq(send(far_end, frame, FRAME, 0), FRAME);
	cr_expect_eq(next_mark(tap, TAP_HEADER, WAIT_MS), 'c');
}

Test(redirect, is_taken_back)
{
	struct err e = { 0 };

	make_both();
	cr_expect_eq(redirect_remove(&nl, eth_index, "eth0", &e), 0, "%s", e.msg);
	cr_expect_eq(redirect_remove(&nl, eth_index, "eth0", &e), 0, "%s", e.msg);
	cr_expect_eq(redirect_make(&nl, eth_index, "eth0", tap_index, &e), 0, "%s", e.msg);
}

Test(redirect, somebody_elses_stays)
{
	struct err e = { 0 };

	cr_expect_eq(redirect_make(&nl, eth_index, "eth0", 9999, &e), -ENODEV);
	cr_expect(strncmp(e.msg, "redirect what comes in at eth0: ", 32) == 0, "%s", e.msg);
	/* ... and left no qdisc */
	make_both();
}

Test(links, are_renamed_and_get_an_mtu)
{
	struct link_info link = { 0 };
	struct err e = { 0 };

	if (unshare(CLONE_NEWNET) < 0)
		cr_skip_test("needs CAP_SYS_ADMIN");
	cr_assert_eq(netlink_open(-1, &nl, &e), 0, "%s", e.msg);
	if (link_make_veth(&nl, &(struct link_wish){ .name = "a0" },
			   &(struct link_wish){ .name = "b0" }, &e) < 0)
		cr_skip_test("%s", e.msg);
	cr_expect_eq(link_rename(&nl, index_of("a0"), "b0", &e), -EEXIST);
	cr_expect_eq(link_rename(&nl, index_of("a0"), "c0", &e), 0, "%s", e.msg);
	cr_expect_eq(link_set_mtu(&nl, "c0", 1380, &e), 0, "%s", e.msg);
	cr_expect_eq(link_get(&nl, "c0", &link, &e), 0, "%s", e.msg);
	cr_expect_eq(link.mtu, 1380);
	cr_expect_eq(link_set_mtu(&nl, "c0", 1, &e), -EINVAL);
	cr_expect(strncmp(e.msg, "set the MTU of c0 to 1: ", 24) == 0, "%s", e.msg);
	netlink_close(&nl);
}
