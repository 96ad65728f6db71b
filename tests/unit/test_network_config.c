#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

#include "network/config.h"
#include "tests/unit/test_dir.h"

TestSuite(network_config, .init = dir_make, .fini = dir_remove);

static struct subnet subnet_of(const char *text)
{
	struct subnet s = { 0 };

	if (text)
		cr_assert_eq(subnet_parse(text, &s, NULL), 0, "%s", text);
	return s;
}

static struct net_addr addr_of(const char *text)
{
	struct net_addr a = { 0 };

	if (text)
		cr_assert_eq(addr_parse(text, &a, NULL), 0, "%s", text);
	return a;
}

Test(network_config, plan)
{
	static const struct {
		const char *name;
		enum network_driver driver;
		const char *parent, *subnet, *subnet6, *gateway, *gateway6;
		bool ipv6;
		uint32_t mtu;
		const char *link, *is, *is6, *via, *error; /* NULL: none */
	} rows[] = {
		{ "bridge", .link = "hull0", .is = "10.76.16.0/20", .via = "10.76.16.1" },
		{ "web", .link = "hull2", .is = "10.76.1.0/24", .via = "10.76.1.1" },
		{ "web", .subnet = "192.168.7.0/28", .gateway = "192.168.7.14", .link = "hull2",
		  .is = "192.168.7.0/28", .via = "192.168.7.14" },
		{ "web", .ipv6 = true, .link = "hull2", .is = "10.76.1.0/24",
		  .is6 = "fd01:203:405::/64", .via = "10.76.1.1" },
		{ "web", .subnet6 = "fd00:2::/64", .link = "hull2", .is6 = "fd00:2::/64" },
		{ "web", .subnet6 = "fd00:2::/64", .ipv6 = true, .link = "hull2",
		  .is = "10.76.1.0/24", .is6 = "fd00:2::/64", .via = "10.76.1.1" },
		{ "lan", .driver = NETWORK_MACVLAN, .parent = "eth0", .subnet = "172.20.5.0/24",
		  .link = "eth0", .is = "172.20.5.0/24", .via = "172.20.5.1" },

		{ "old", .error = "network old exists already" },
		{ "a b", .error = "network name \"a b\": only letters, digits, \"_\", \".\" and "
				  "\"-\" are allowed, and the first is a letter or digit" },
		{ "web", .subnet = "10.76.0.128/25",
		  .error = "network web: subnet 10.76.0.128/25 overlaps 10.76.0.0/24 of network "
			   "old" },
		{ "web", .subnet6 = "fd00:1::/48",
		  .error = "network web: subnet fd00:1::/48 overlaps fd00:1::/64 of network old" },
		{ "web", .subnet = "172.20.5.0/24",
		  .error = "network web: subnet 172.20.5.0/24 overlaps the route 172.20.0.0/16 of "
			   "this host" },
		{ "web", .subnet = "192.168.7.0/31",
		  .error = "network web: subnet 192.168.7.0/31 has no room for a container" },
		{ "web", .gateway = "10.0.0.1",
		  .error = "network web: gateway 10.0.0.1 is no address of subnet 10.76.1.0/24" },
		{ "web", .subnet = "192.168.7.0/28", .gateway = "192.168.7.15",
		  .error = "network web: gateway 192.168.7.15 is no address of subnet "
			   "192.168.7.0/28" },
		{ "web", .gateway6 = "fd00::1",
		  .error = "network web: gateway fd00::1 is in no subnet of it" },
		{ "web", .parent = "eth0",
		  .error = "network web: a bridge has no parent: that is for macvlan and ipvlan" },
		{ "lan", .driver = NETWORK_MACVLAN,
		  .error = "network lan: macvlan needs a link of this host to be on: say one with "
			   "--parent" },
		{ "lan", .driver = NETWORK_IPVLAN, .parent = "eth9",
		  .error = "network lan: this host has no link \"eth9\"" },
		{ "web", .mtu = 575, .error = "network web: MTU 575 is not between 576 and 65535" },
		{ "web", .mtu = 1279, .ipv6 = true,
		  .error = "network web: MTU 1279 is not between 1280 and 65535, as IPv6 needs" },
	};
	const char *links[] = { "lo", "eth0", "hull1" };
	struct network old = { .name = "old",
			       .link = "hull9",
			       .subnet = subnet_of("10.76.0.0/24"),
			       .subnet6 = subnet_of("fd00:1::/64") };
	struct subnet routes[] = { subnet_of("172.20.0.0/16"), subnet_of("10.76.2.0/23") };
	struct network_facts facts = { .networks = { &old, 1 },
				       .routes = { routes, 2 },
				       .links = { links, 3 },
				       .random = { 1, 2, 3, 4, 5 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct network_wish wish = { .name = rows[i].name,
					     .driver = rows[i].driver,
					     .parent = rows[i].parent,
					     .ipv6 = rows[i].ipv6,
					     .mtu = rows[i].mtu,
					     .subnet = subnet_of(rows[i].subnet),
					     .subnet6 = subnet_of(rows[i].subnet6),
					     .gateway = addr_of(rows[i].gateway),
					     .gateway6 = addr_of(rows[i].gateway6) };
		struct network n = { 0 };
		struct err e = { 0 };
		int r = network_plan(&wish, &facts, &a, &n, &e);

		cr_expect_eq(r < 0, rows[i].error != NULL, "row %zu", i);
		cr_expect_str_eq(e.msg, rows[i].error ? rows[i].error : "");
		if (rows[i].error || r < 0)
			continue;
		cr_expect_str_eq(n.link, rows[i].link);
		cr_expect_str_eq(subnet_text(&n.subnet).text, rows[i].is ? rows[i].is : "");
		cr_expect_str_eq(subnet_text(&n.subnet6).text, rows[i].is6 ? rows[i].is6 : "");
		cr_expect_str_eq(addr_text(&n.gateway).text, rows[i].via ? rows[i].via : "");
	}
}

Test(network_config, pool_is_finite)
{
	auto_arena struct arena a = { 0 };
	struct subnet all = subnet_of("10.0.0.0/8");
	struct network_facts facts = { .routes = { &all, 1 } };
	struct network_wish wish = { .name = "web" };
	struct network n;
	struct err e = { 0 };

	cr_expect_eq(network_plan(&wish, &facts, &a, &n, &e), -ENOSPC);
	cr_expect_str_eq(e.msg, "network web: networks and routes of this host take all of "
				"10.76.0.0/14: say one with --subnet");
}

Test(network_config, kept_on_disk)
{
	auto_arena struct arena a = { 0 };
	struct network_wish wish = { .name = "web", .ipv6 = true, .mtu = 1400, .internal = true };
	struct network_list list = { 0 };
	struct network made = { 0 }, n = { 0 };
	struct err e = { 0 };

	cr_assert_eq(network_list_read(dir_fd, &a, &list, &e), 0, "%s", e.msg);
	cr_expect_eq(list.n, 0);
	cr_expect_eq(network_find(dir_fd, "web", &a, &n, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "there is no network web: hull network create web makes it");
	cr_assert_eq(network_create(dir_fd, &wish, &a, &made, &e), 0, "%s", e.msg);
	cr_expect_eq(network_create(dir_fd, &wish, &a, &made, &e), -EEXIST);
	cr_expect_str_eq(e.msg, "network web exists already");
	cr_assert_eq(network_find(dir_fd, "web", &a, &n, &e), 0, "%s", e.msg);
	cr_expect_str_eq(n.name, "web");
	cr_expect_str_eq(n.link, made.link);
	cr_expect_str_eq(subnet_text(&n.subnet).text, subnet_text(&made.subnet).text);
	cr_expect_str_eq(subnet_text(&n.subnet6).text, subnet_text(&made.subnet6).text);
	cr_expect_str_eq(addr_text(&n.gateway6).text, addr_text(&made.gateway6).text);
	cr_expect_eq(n.mtu, 1400);
	cr_expect(n.internal);
	cr_assert_eq(network_find(dir_fd, NULL, &a, &n, &e), 0, "%s", e.msg);
	cr_expect_str_eq(n.name, "bridge");
	cr_assert_eq(network_list_read(dir_fd, &a, &list, &e), 0, "%s", e.msg);
	cr_expect_eq(list.n, 2);
	cr_expect_str_eq(list.at[0].name, "bridge");
	cr_assert_eq(network_forget(dir_fd, "web", &e), 0);
	cr_assert_eq(network_forget(dir_fd, "web", &e), 0);
	cr_expect_eq(network_find(dir_fd, "web", &a, &n, &e), -ENOENT);
	wish.name = "host";
	cr_expect_eq(network_create(dir_fd, &wish, &a, &made, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "a network cannot be named host: to --network the word means "
				"something else");
}

Test(network_config, a_file_that_is_none)
{
	static const struct {
		const char *content, *error;
	} rows[] = {
		{ "{", NULL },
		{ "{\"version\":2,\"name\":\"web\",\"driver\":\"bridge\",\"link\":\"hull1\","
		  "\"internal\":false,\"mtu\":0}",
		  "network web: it has version 2 and this hull knows 1" },
		{ "{\"version\":1,\"name\":\"web\",\"driver\":\"bridge\",\"link\":\"hull1\","
		  "\"internal\":false,\"mtu\":0,\"subnet\":\"10.0.0.1/8\"}",
		  "network web: \"10.0.0.1/8\" has bits set beyond its prefix: the subnet is "
		  "10.0.0.0/8" },
		{ "{\"version\":1,\"name\":\"web\",\"driver\":\"bridge\",\"link\":\"\","
		  "\"internal\":false,\"mtu\":0}",
		  "network web: \"\" is no name of a link" },
	};

	cr_assert_eq(mkdirat(dir_fd, "networks", 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct network n;
		struct err e = { 0 };

		dir_file("networks/web.json", rows[i].content);
		cr_expect_eq(network_find(dir_fd, "web", &a, &n, &e) < 0, true);
		if (rows[i].error)
			cr_expect_str_eq(e.msg, rows[i].error);
		cr_expect_eq(strncmp(e.msg, "network web: ", 13), 0, "%s", e.msg);
	}
}
