#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "network/ipam.h"
#include "tests/unit/test_dir.h"

TestSuite(ipam, .init = dir_make, .fini = dir_remove);

static struct network network_of(const char *subnet, const char *gateway)
{
	struct network n = { .name = "web", .link = "hull1" };

	cr_assert_eq(subnet_parse(subnet, &n.subnet, NULL), 0);
	cr_assert_eq(addr_parse(gateway, &n.gateway, NULL), 0);
	return n;
}

static const char *take(struct leases *l, const struct network *n, const char *wish,
			const char *container)
{
	static char said[1200];
	struct net_addr asked = { 0 }, got = { 0 };
	struct err e = { 0 };

	if (wish)
		cr_assert_eq(addr_parse(wish, &asked, NULL), 0);
	if (leases_take(l, n, asked.family ? asked.family : AF_INET, &asked, container, &got, &e) <
	    0)
		strcpy(said, e.msg);
	else
		strcpy(said, addr_text(&got).text);
	return said;
}

Test(ipam, taken_in_turn)
{
	auto_leases struct leases l = { 0 };
	struct network n = network_of("10.0.0.0/29", "10.0.0.1");

	cr_expect_str_eq(take(&l, &n, NULL, "a"), "10.0.0.2");
	cr_expect_str_eq(take(&l, &n, NULL, "b"), "10.0.0.3");
	cr_expect_eq(leases_drop(&l, "a"), 1);
	cr_expect_eq(leases_drop(&l, "a"), 0);
	cr_expect_str_eq(take(&l, &n, NULL, "c"), "10.0.0.4");
	cr_expect_str_eq(take(&l, &n, "10.0.0.6", "d"), "10.0.0.6");
	cr_expect_str_eq(take(&l, &n, NULL, "e"), "10.0.0.5");
	cr_expect_str_eq(take(&l, &n, NULL, "f"), "10.0.0.2");
	cr_expect_str_eq(take(&l, &n, NULL, "g"),
			 "network web: all addresses of 10.0.0.0/29 are taken");
	cr_expect_eq(leases_drop(&l, "d"), 1);
	cr_expect_str_eq(take(&l, &n, NULL, "g"), "10.0.0.6");
}

Test(ipam, wishes)
{
	static const struct {
		const char *wish, *said;
	} rows[] = {
		{ "10.0.0.9", "address 10.0.0.9 is not in 10.0.0.0/29, the subnet of network web" },
		{ "10.0.0.1", "address 10.0.0.1 is the gateway of network web" },
		{ "10.0.0.0", "address 10.0.0.0 is no container's in subnet 10.0.0.0/29" },
		{ "10.0.0.7", "address 10.0.0.7 is no container's in subnet 10.0.0.0/29" },
		{ "10.0.0.2", "address 10.0.0.2 of network web is that of container a" },
		{ "fd00::2", "address fd00::2: network web has no IPv6" },
		{ "10.0.0.3", "10.0.0.3" },
		{ "10.0.0.3", "10.0.0.3" }, /* its own */
	};
	auto_leases struct leases l = { 0 };
	struct network n = network_of("10.0.0.0/29", "10.0.0.1");

	cr_expect_str_eq(take(&l, &n, NULL, "a"), "10.0.0.2");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_str_eq(take(&l, &n, rows[i].wish, "b"), rows[i].said);
	cr_expect_eq(l.n, 2);
}

Test(ipam, large_subnets)
{
	auto_leases struct leases l = { 0 };
	struct network n = network_of("10.0.0.0/8", "10.0.0.1");

	cr_expect_str_eq(take(&l, &n, NULL, "a"), "10.0.0.2");
	cr_expect_str_eq(take(&l, &n, "10.200.0.1", "b"), "10.200.0.1");
	cr_expect_str_eq(take(&l, &n, NULL, "c"), "10.0.0.3");
}

Test(ipam, on_disk)
{
	struct network n = network_of("10.0.0.0/29", "10.0.0.1");
	struct err e = { 0 };

	for (int i = 0; i < 2; i++) {
		auto_leases struct leases l = { 0 };

		cr_assert_eq(leases_read(dir_fd, "web", &l, &e), 0, "%s", e.msg);
		cr_expect_eq(l.n, (size_t)i);
		cr_expect_str_eq(take(&l, &n, NULL, i ? "b" : "a"), i ? "10.0.0.3" : "10.0.0.2");
		cr_assert_eq(leases_write(dir_fd, "web", &l, &e), 0, "%s", e.msg);
	}
}

Test(ipam, files_that_are_none)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "", NULL },
		{ "last 10.0.0.2\nlast fd00::1\n10.0.0.2 a\nfd00::1 a\n", NULL },
		{ "10.0.0.2 a", NULL },
		{ "10.0.0.2 a\nx", "leases of network web: line 2: \"x\" is no lease" },
		{ "10.0.0.2 \n", "leases of network web: line 1: \"10.0.0.2 \" is no lease" },
		{ "\n", "leases of network web: line 1: \"\" is no lease" },
		{ "x a\n", "leases of network web: line 1: \"x\" is not an IP address" },
		{ "last x\n", "leases of network web: line 1: \"x\" is not an IP address" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_leases struct leases l = { 0 };
		auto_buf struct buf back = { 0 };
		struct err e = { 0 };
		int r = leases_parse("web", rows[i].text, strlen(rows[i].text), &l, &e);

		cr_expect_eq(r, rows[i].error ? -EINVAL : 0);
		cr_expect_str_eq(e.msg, rows[i].error ? rows[i].error : "");
		leases_encode(&l, &back);
		if (r == 0 && i != 2)
			cr_expect_str_eq(back.text, rows[i].text);
	}
}
