/* Devices that change their network namespace. Each test has two of its own. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>

#include "network/link.h"
#include "network/netdev.h"

static int other = -1;
static struct netlink nl = NETLINK_CLOSED, inner = NETLINK_CLOSED;

static struct subnet address(const char *text, unsigned prefix)
{
	struct subnet s = { .prefix = prefix };

	cr_assert_eq(addr_parse(text, &s.base, NULL), 0);
	return s;
}

/* "dev0" with two addresses here, nothing there. */
static void set_up(void)
{
	struct subnet a = address("10.1.2.1", 24), b = address("fd00::1", 64);
	struct err e = { 0 };
	int home;

	if (unshare(CLONE_NEWNET) < 0)
		cr_skip_test("needs CAP_SYS_ADMIN");
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(unshare(CLONE_NEWNET), 0);
	other = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(setns(home, CLONE_NEWNET), 0);
	close(home);
	cr_assert_eq(netlink_open(-1, &nl, &e), 0, "%s", e.msg);
	cr_assert_eq(netlink_open(other, &inner, &e), 0, "%s", e.msg);
	if (link_make_veth(&nl, &(struct link_wish){ .name = "dev0", .mtu = 1400 },
			   &(struct link_wish){ .name = "peer0" }, &e) < 0)
		cr_skip_test("%s", e.msg);
	cr_assert_eq(link_set_alias(&nl, "dev0", "alias", &e), 0);
	cr_assert_eq(link_set_up(&nl, "dev0", true, &e), 0);
	cr_assert_eq(link_add_address(&nl, "dev0", &a, &e), 0, "%s", e.msg);
	cr_assert_eq(link_add_address(&nl, "dev0", &b, &e), 0, "%s", e.msg);
}

static void tear_down(void)
{
	netlink_close(&nl);
	netlink_close(&inner);
	close_fd(&other);
}

TestSuite(netdev, .init = set_up, .fini = tear_down, .timeout = 20);

static int expect_route(const struct subnet *dst, void *ctx)
{
	*(int *)ctx += strcmp(subnet_text(dst).text, "10.1.2.0/24") == 0;
	return 0;
}

static void is_there(struct netlink *where, const char *name)
{
	struct link_info link = { 0 };
	struct err e = { 0 };
	int routes = 0;

	cr_assert_eq(link_get(where, name, &link, &e), 0, "%s: %s", name, e.msg);
	cr_expect(link.up, "%s is not up", name);
	cr_expect_eq(link.mtu, 1400);
	cr_expect_str_eq(link.alias, "alias");
	/* the address's own route says that it is there */
	cr_assert_eq(route_each(where, expect_route, &routes, &e), 0, "%s", e.msg);
	cr_expect_eq(routes, 1);
}

static void is_gone(struct netlink *where, const char *name)
{
	struct link_info link = { 0 };

	cr_expect_eq(link_get(where, name, &link, NULL), -ENODEV, "%s", name);
}

Test(netdev, is_moved_and_back)
{
	struct netdev d = { 0 };
	struct err e = { 0 };

	cr_assert_eq(netdev_move("dev0", "lan0", other, &d, &e), 0, "%s", e.msg);
	is_gone(&nl, "dev0");
	is_there(&inner, "lan0");
	cr_assert_eq(d.n, 2);
	cr_expect(d.was_up);
	cr_assert_eq(netdev_return(&d, other, &e), 0, "%s", e.msg);
	is_gone(&inner, "lan0");
	is_there(&nl, "dev0");
	netdev_done(&d);
}

Test(netdev, a_name_that_is_taken)
{
	struct netdev d = { 0 };
	struct err e = { 0 };

	cr_expect_eq(netdev_move("dev0", "lo", other, &d, &e), -EEXIST);
	cr_expect_str_eq(e.msg, "linux.netDevices.dev0: the container has a network device \"lo\" "
				"already");
	is_there(&nl, "dev0");
}

Test(netdev, a_pattern_takes_the_first_free_name)
{
	struct netdev d = { 0 };
	struct err e = { 0 };

	cr_assert_eq(link_make_bridge(&inner, &(struct link_wish){ .name = "lan0" }, &e), 0, "%s",
		     e.msg);
	cr_assert_eq(netdev_move("dev0", "lan%d", other, &d, &e), 0, "%s", e.msg);
	cr_expect_str_eq(d.name, "lan1");
	is_there(&inner, "lan1");
	netdev_done(&d);
}

Test(netdev, one_that_does_not_exist)
{
	struct netdev d = { 0 };
	struct err e = { 0 };

	cr_expect_eq(netdev_move("nothing", "lan0", other, &d, &e), -ENODEV);
	cr_expect_str_eq(e.msg, "linux.netDevices.nothing: there is no such network device");
}

/* The kernel lets no loopback go. */
Test(netdev, one_that_stays)
{
	struct netdev d = { 0 };
	struct err e = { 0 };

	cr_expect_lt(netdev_move("lo", "lan0", other, &d, &e), 0);
	cr_expect_not_null(strstr(e.msg, "linux.netDevices.lo: move lo to another network "
					 "namespace as lan0: "),
			   "%s", e.msg);
	is_gone(&inner, "lan0");
}

Test(netdev_name, patterns)
{
	static const struct {
		const char *pattern, *name;
	} rows[] = {
		{ "eth0", "eth0" },
		{ "eth%d", "eth7" },
		{ "%d", "7" },
		{ "a%db", "a7b" },
		{ "eth%s", NULL },
		{ "eth%", NULL },
		{ "eth%d%d", NULL },
		{ "eth%%d", NULL },
		{ "", NULL },
		{ "123456789012345", "123456789012345" },
		{ "1234567890123456", NULL },
		{ "12345678901234%d", "123456789012347" },
		{ "123456789012345%d", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[IF_NAMESIZE];
		int r = netdev_name(rows[i].pattern, 7, name);

		cr_expect_eq(r, rows[i].name ? 0 : -EINVAL, "%s", rows[i].pattern);
		if (r == 0 && rows[i].name)
			cr_expect_str_eq(name, rows[i].name);
	}
}
