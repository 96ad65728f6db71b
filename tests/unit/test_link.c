#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "network/link.h"
#include "network/loopback.h"

/* Each test has a network namespace of its own, or is passed over without root. */
static bool enter(void)
{
	return unshare(CLONE_NEWNET) == 0;
}

static int other_namespace(void)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), other;

	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	other = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(setns(home, CLONE_NEWNET), 0);
	close(home);
	return other;
}

static struct subnet address(const char *text, unsigned prefix)
{
	struct subnet s = { .prefix = prefix };

	cr_assert_eq(addr_parse(text, &s.base, NULL), 0);
	return s;
}

static int count_route(const struct subnet *dst, void *ctx)
{
	if (strcmp(subnet_text(dst).text, "10.1.2.0/24") == 0)
		++*(int *)ctx;
	return 0;
}

static int count_link(const struct link_info *link, void *ctx)
{
	(void)link;
	++*(int *)ctx;
	return 0;
}

Test(link, bridge_and_veth)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED, inner = NETLINK_CLOSED;
	struct link_info bridge = { 0 }, port = { 0 }, eth = { 0 };
	struct subnet a = address("10.1.2.1", 24), a6 = address("fd00::1", 64);
	struct subnet b = address("10.1.2.2", 24);
	struct err e = { 0 };
	int other, n = 0;

	if (!enter())
		cr_skip_test("needs CAP_SYS_ADMIN");
	other = other_namespace();
	cr_assert_eq(netlink_open(-1, &nl, &e), 0, "%s", e.msg);
	cr_assert_eq(netlink_open(other, &inner, &e), 0, "%s", e.msg);
	cr_assert_eq(link_make_bridge(&nl,
				      &(struct link_wish){ .name = "br",
							   .mtu = 1400,
							   .up = true,
							   .mac = { { 2, 0, 0, 0, 0, 1 } } },
				      &e),
		     0, "%s", e.msg);
	cr_assert_eq(link_get(&nl, "br", &bridge, &e), 0, "%s", e.msg);
	cr_expect(bridge.up);
	cr_expect_eq(bridge.mtu, 1400);
	cr_expect_str_eq(bridge.kind, "bridge");
	cr_expect_str_eq(mac_text(&bridge.mac).text, "02:00:00:00:00:01");
	cr_assert_eq(link_add_address(&nl, "br", &a, &e), 0, "%s", e.msg);
	cr_assert_eq(link_add_address(&nl, "br", &a, &e), 0, "%s", e.msg);
	cr_assert_eq(link_add_address(&nl, "br", &a6, &e), 0, "%s", e.msg);

	cr_assert_eq(link_make_veth(
			     &nl,
			     &(struct link_wish){
				     .name = "v", .master = bridge.index, .mtu = 1400, .up = true },
			     &(struct link_wish){ .name = "eth0",
						  .netns_fd = other,
						  .mtu = 1400,
						  .mac = { { 2, 0, 0, 0, 0, 2 } } },
			     &e),
		     0, "%s", e.msg);
	cr_assert_eq(link_get(&nl, "v", &port, &e), 0);
	cr_expect_eq(port.master, bridge.index);
	cr_expect(port.up);
	cr_expect_eq(link_get(&nl, "eth0", &eth, &e), -ENODEV);
	cr_assert_eq(link_get(&inner, "eth0", &eth, &e), 0);
	cr_expect_not(eth.up);
	cr_assert_eq(link_set_up(&inner, "eth0", true, &e), 0, "%s", e.msg);
	cr_expect_eq(eth.mtu, 1400);
	cr_expect_str_eq(mac_text(&eth.mac).text, "02:00:00:00:00:02");
	cr_assert_eq(link_add_address(&inner, "eth0", &b, &e), 0, "%s", e.msg);
	cr_assert_eq(route_add(&inner, "eth0", &(struct subnet){ 0 }, &a.base, &e), 0, "%s", e.msg);
	cr_assert_eq(route_each(&inner, count_route, &n, &e), 0, "%s", e.msg);
	cr_expect_eq(n, 1);

	cr_assert_eq(link_set_alias(&nl, "v", "hull x", &e), 0, "%s", e.msg);
	cr_assert_eq(link_get(&nl, "v", &port, &e), 0);
	cr_expect_str_eq(port.alias, "hull x");
	cr_assert_eq(link_delete(&nl, "v", &e), 0, "%s", e.msg);
	cr_assert_eq(link_delete(&nl, "v", &e), 0, "%s", e.msg);
	cr_expect_eq(link_get(&inner, "eth0", &eth, &e), -ENODEV);
	n = 0;
	cr_assert_eq(link_each(&nl, count_link, &n, &e), 0, "%s", e.msg);
	cr_expect_eq(n, 2);
	close(other);
}

Test(link, move_and_macvlan)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED, inner = NETLINK_CLOSED;
	struct link_info link = { 0 };
	struct err e = { 0 };
	int other;

	if (!enter())
		cr_skip_test("needs CAP_SYS_ADMIN");
	other = other_namespace();
	cr_assert_eq(netlink_open(-1, &nl, &e), 0, "%s", e.msg);
	cr_assert_eq(netlink_open(other, &inner, &e), 0, "%s", e.msg);
	cr_assert_eq(link_make_veth(&nl, &(struct link_wish){ .name = "a" },
				    &(struct link_wish){ .name = "b" }, &e),
		     0, "%s", e.msg);
	cr_assert_eq(link_move(&nl, "b", other, "c", &e), 0, "%s", e.msg);
	cr_expect_eq(link_get(&inner, "c", &link, &e), 0);
	cr_expect_eq(link_move(&nl, "b", other, "c", &e), -ENODEV);
	cr_expect_str_eq(e.msg, "move b: there is no such link");
	cr_assert_eq(link_get(&nl, "a", &link, &e), 0);
	e = (struct err){ 0 };
	if (link_make_child(&nl, LINK_MACVLAN, link.index,
			    &(struct link_wish){ .name = "m0", .netns_fd = other, .up = false },
			    &e) < 0)
		cr_expect_str_eq(e.msg,
				 "make macvlan m0: this kernel has no links of kind macvlan");
	else
		cr_expect_eq(link_get(&inner, "m0", &link, &e), 0);
	close(other);
}

Test(link, failures)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct subnet a = address("10.1.2.1", 24), far = address("10.9.0.0", 16);
	struct err e = { 0 };

	if (!enter())
		cr_skip_test("needs CAP_SYS_ADMIN");
	cr_assert_eq(netlink_open(-1, &nl, &e), 0, "%s", e.msg);
	cr_expect_eq(link_set_up(&nl, "nope", true, &e), -ENODEV);
	cr_expect_str_eq(e.msg, "set nope up: no such device");
	cr_expect_eq(link_add_address(&nl, "nope", &a, &e), -ENODEV);
	cr_expect_str_eq(e.msg, "there is no link nope");
	cr_expect_eq(link_make_bridge(&nl, &(struct link_wish){ .name = "lo" }, &e), -EEXIST);
	cr_expect_str_eq(e.msg, "make bridge lo: file exists");
	cr_expect_eq(link_make_bridge(&nl, &(struct link_wish){ .name = "br", .mtu = 10 }, &e),
		     -EINVAL);
	cr_expect_str_eq(e.msg, "make bridge br: invalid argument (mtu less than device minimum)");
	cr_assert_eq(loopback_up(&e), 0);
	cr_expect_eq(route_add(&nl, "lo", &far, &a.base, &e), -ENETUNREACH);
	cr_expect_str_eq(e.msg, "route 10.9.0.0/16 over lo: network is unreachable (Nexthop has "
				"invalid gateway)");
	cr_expect_eq(netlink_open(0, &nl, &e), -EINVAL);
}
