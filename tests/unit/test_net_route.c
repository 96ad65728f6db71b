/* Addresses and routes, read from one link and made again over another. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <string.h>

#include "network/address.h"
#include "network/link.h"
#include "network/route.h"

static struct netlink nl = NETLINK_CLOSED;
static unsigned first, second;

static struct subnet net(const char *text, unsigned prefix)
{
	struct subnet s = { .prefix = prefix };

	cr_assert_eq(addr_parse(text, &s.base, NULL), 0);
	return s;
}

static unsigned index_of(const char *name)
{
	struct link_info link = { 0 };
	struct err e = { 0 };

	cr_assert_eq(link_get(&nl, name, &link, &e), 0, "%s: %s", name, e.msg);
	return link.index;
}

static void set_up(void)
{
	struct subnet a = net("10.9.8.7", 24), b = net("fd00:9::7", 64),
		      far = net("10.200.0.0", 16), none = { 0 };
	struct net_addr gateway = net("10.9.8.1", 0).base, gateway6 = net("fd00:9::1", 0).base,
			direct = { 0 };
	struct err e = { 0 };

	if (unshare(CLONE_NEWNET) < 0)
		cr_skip_test("needs CAP_SYS_ADMIN");
	cr_assert_eq(netlink_open(-1, &nl, &e), 0, "%s", e.msg);
	if (link_make_veth(&nl, &(struct link_wish){ .name = "one", .up = true },
			   &(struct link_wish){ .name = "two" }, &e) < 0)
		cr_skip_test("%s", e.msg);
	cr_assert_eq(link_set_up(&nl, "two", true, &e), 0, "%s", e.msg);
	first = index_of("one");
	second = index_of("two");
	cr_assert_eq(link_add_address(&nl, "one", &a, &e), 0, "%s", e.msg);
	cr_assert_eq(link_add_address(&nl, "one", &b, &e), 0, "%s", e.msg);
	cr_assert_eq(route_add(&nl, "one", &far, &direct, &e), 0, "%s", e.msg);
	cr_assert_eq(route_add(&nl, "one", &none, &gateway, &e), 0, "%s", e.msg);
	cr_assert_eq(route_add(&nl, "one", &none, &gateway6, &e), 0, "%s", e.msg);
}

static void tear_down(void)
{
	netlink_close(&nl);
}

TestSuite(route, .init = set_up, .fini = tear_down, .timeout = 20);

static bool same(struct link_route a, struct link_route b)
{
	a.index = b.index = 0;
	return memcmp(&a, &b, sizeof(a)) == 0;
}

Test(route, are_the_same_over_another_link)
{
	static struct link_route before[LINK_ROUTES_MAX], after[LINK_ROUTES_MAX];
	static struct link_address addresses[LINK_ADDRESSES_MAX], again[LINK_ADDRESSES_MAX];
	struct link_route odd = { .family = AF_INET,
				  .prefix = 32,
				  .type = RTN_UNICAST,
				  .protocol = RTPROT_BOOT,
				  .onlink = 1,
				  .destination_len = 4,
				  .gateway_len = 4,
				  .source_len = 4,
				  .priority = 77,
				  .destination = { 192, 168, 3, 4 },
				  .gateway = { 169, 254, 1, 1 },
				  .source = { 10, 9, 8, 7 },
				  .metrics_len = 8,
				  .metrics = { 8, 0, RTAX_MTU, 0, 0x14, 0x05 } };
	struct link_route hole = { .family = AF_INET,
				   .prefix = 8,
				   .type = RTN_UNREACHABLE,
				   .protocol = RTPROT_STATIC,
				   .destination_len = 4,
				   .destination = { 11 } };
	struct err e = { 0 };
	int n, seen = 0;

	odd.index = first;
	cr_assert_eq(route_repeat(&nl, &odd, &e), 0, "%s", e.msg);
	cr_assert_eq(route_repeat(&nl, &hole, &e), 0, "%s", e.msg);
	n = routes_read(&nl, before, &e);
	cr_assert_eq(n, 5, "%d: %s", n, e.msg);
	cr_assert_eq(addresses_read(&nl, first, "one", addresses, &e), 2, "%s", e.msg);
	for (int i = 0; i < n; i++)
		seen += same(before[i], odd) + same(before[i], hole);
	cr_expect_eq(seen, 2, "what was made is what is read");
	/* Routes go with their link; the unreachable one has none. */
	cr_assert_eq(link_set_up(&nl, "one", false, &e), 0, "%s", e.msg);
	cr_assert_eq(link_set_up(&nl, "one", true, &e), 0, "%s", e.msg);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(address_repeat(&nl, second, "two", &addresses[i], &e), 0, "%s", e.msg);
	cr_assert_eq(addresses_read(&nl, second, "two", again, &e), 2, "%s", e.msg);
	cr_expect_arr_eq(addresses, again, 2 * sizeof(again[0]));
	for (int gateways = 0; gateways < 2; gateways++)
		for (int i = 0; i < n; i++) {
			struct link_route r = before[i];

			r.index = r.index ? second : 0;
			if (gateways == (r.gateway_len > 0))
				cr_assert_eq(route_repeat(&nl, &r, &e), 0, "%s", e.msg);
		}
	cr_assert_eq(routes_read(&nl, after, &e), n, "%s", e.msg);
	for (int i = 0; i < n; i++) {
		seen = 0;
		for (int k = 0; k < n; k++)
			seen += same(before[i], after[k]);
		cr_expect_eq(seen, 1, "route %d", i);
	}
}

/* "default nexthop dev one nexthop dev two" */
static void make_two_ways(void)
{
	struct {
		struct rtnexthop one, two;
	} ways = { { sizeof(struct rtnexthop), 0, 0, (int)first },
		   { sizeof(struct rtnexthop), 0, 0, (int)second } };
	struct netlink_request m;
	struct err e = { 0 };
	struct rtmsg *info = netlink_request(&m, RTM_NEWROUTE, NLM_F_CREATE, sizeof(*info));
	const uint8_t dst[4] = { 12 };

	info->rtm_family = AF_INET;
	info->rtm_dst_len = 8;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = RTPROT_STATIC;
	info->rtm_scope = RT_SCOPE_LINK;
	info->rtm_type = RTN_UNICAST;
	netlink_put(&m, RTA_DST, dst, sizeof(dst));
	netlink_put(&m, RTA_MULTIPATH, &ways, sizeof(ways));
	cr_assert_eq(netlink_do(&nl, &m, &e, "make it"), 0, "%s", e.msg);
}

Test(route, one_with_two_ways_is_refused)
{
	static struct link_route routes[LINK_ROUTES_MAX];
	struct err e = { 0 };

	make_two_ways();
	cr_expect_eq(routes_read(&nl, routes, &e), -ENOTSUP);
	cr_expect_str_eq(e.msg, "the route to 12.0.0.0/8 has several ways, or a way that can't be "
				"made again");
}
