#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "network/subnet.h"

Test(subnet, addresses)
{
	static const struct {
		const char *text, *same, *error;
	} rows[] = {
		{ "10.0.0.1", "10.0.0.1" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "FD00:0:0::1", "fd00::1" },
		{ "::", "::" },

		{ "", NULL, "\"\" is not an IP address" },
		{ "10.0.0", NULL, "\"10.0.0\" is not an IP address" },
		{ "10.0.0.256", NULL, "\"10.0.0.256\" is not an IP address" },
		{ "10.0.0.01", NULL, "\"10.0.0.01\" is not an IP address" },
		{ " 10.0.0.1", NULL, "\" 10.0.0.1\" is not an IP address" },
		{ "fe80::1%eth0", NULL, "\"fe80::1%eth0\" is not an IP address" },
		{ "[::1]", NULL, "\"[::1]\" is not an IP address" },
		{ "::ffff:10.0.0.1", NULL,
		  "\"::ffff:10.0.0.1\" is an IPv4 address written as IPv6: write it as IPv4" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_addr a = { 0 };
		struct err e = { 0 };
		int r = addr_parse(rows[i].text, &a, &e);

		cr_expect_eq(r, rows[i].error ? -EINVAL : 0, "%s: %d", rows[i].text, r);
		cr_expect_str_eq(addr_text(&a).text, rows[i].same ? rows[i].same : "");
		cr_expect_str_eq(e.msg, rows[i].error ? rows[i].error : "");
	}
}

Test(subnet, subnets)
{
	static const struct {
		const char *text, *error;
		uint32_t last;
	} rows[] = {
		{ "10.89.0.0/24", NULL, 254 },
		{ "10.0.0.0/8", NULL, 65536 },
		{ "10.0.0.0/16", NULL, 65534 },
		{ "10.0.0.4/30", NULL, 2 },
		{ "10.0.0.4/31", NULL, 1 },
		{ "10.0.0.4/32", NULL, 0 },
		{ "0.0.0.0/0", NULL, 65536 },
		{ "fd00:1::/64", NULL, 65536 },
		{ "fd00:1::/126", NULL, 3 },

		{ "10.89.0.0",
		  "\"10.89.0.0\" has no prefix length: a subnet is written 10.89.0.0/24" },
		{ "10.89.0.1/24",
		  "\"10.89.0.1/24\" has bits set beyond its prefix: the subnet is 10.89.0.0/24" },
		{ "fd00::1/64",
		  "\"fd00::1/64\" has bits set beyond its prefix: the subnet is fd00::/64" },
		{ "10.89.0.0/33",
		  "\"10.89.0.0/33\": \"33\" is not a prefix length between 0 and 32" },
		{ "10.89.0.0/", "\"10.89.0.0/\": \"\" is not a prefix length between 0 and 32" },
		{ "10.89.0.0/-1",
		  "\"10.89.0.0/-1\": \"-1\" is not a prefix length between 0 and 32" },
		{ "fd00::/129",
		  "\"fd00::/129\": \"129\" is not a prefix length between 0 and 128" },
		{ "x/24", "\"x\" is not an IP address" },
		{ "/24", "\"\" is not an IP address" },
		{ "10.89.0.0/24/1",
		  "\"10.89.0.0/24/1\": \"24/1\" is not a prefix length between 0 and 32" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subnet s = { 0 };
		struct err e = { 0 };
		int r = subnet_parse(rows[i].text, &s, &e);

		cr_expect_eq(r, rows[i].error ? -EINVAL : 0, "%s: %d", rows[i].text, r);
		cr_expect_str_eq(e.msg, rows[i].error ? rows[i].error : "");
		if (r == 0) {
			cr_expect_str_eq(subnet_text(&s).text, rows[i].text);
			cr_expect_eq(subnet_last_offset(&s), rows[i].last, "%s: %u", rows[i].text,
				     subnet_last_offset(&s));
		}
	}
}

static struct subnet subnet_of(const char *text)
{
	struct subnet s = { 0 };

	cr_assert_eq(subnet_parse(text, &s, NULL), 0);
	return s;
}

static struct net_addr addr_of(const char *text)
{
	struct net_addr a = { 0 };

	cr_assert_eq(addr_parse(text, &a, NULL), 0);
	return a;
}

Test(subnet, offsets)
{
	static const struct {
		const char *subnet;
		uint32_t offset;
		const char *addr;
	} rows[] = {
		{ "10.0.0.0/8", 0, "10.0.0.0" },      { "10.0.0.0/8", 255, "10.0.0.255" },
		{ "10.0.0.0/8", 256, "10.0.1.0" },    { "10.0.0.0/8", 65536, "10.1.0.0" },
		{ "10.0.0.128/25", 5, "10.0.0.133" }, { "fd00::/64", 0x12345, "fd00::1:2345" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subnet s = subnet_of(rows[i].subnet);
		struct net_addr a = subnet_at(&s, rows[i].offset);

		cr_expect_str_eq(addr_text(&a).text, rows[i].addr);
		cr_expect(subnet_contains(&s, &a));
		cr_expect_eq(subnet_offset(&s, &a), rows[i].offset);
	}
	{
		struct subnet s = subnet_of("fd00::/48");
		struct net_addr far = addr_of("fd00::1:0:0:1");

		cr_expect_eq(subnet_offset(&s, &far), UINT32_MAX);
	}
}

Test(subnet, overlap)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {
		{ "10.0.0.0/8", "10.1.0.0/16", true },    { "10.1.0.0/16", "10.0.0.0/8", true },
		{ "10.1.0.0/16", "10.1.0.0/16", true },   { "10.1.0.0/16", "10.2.0.0/16", false },
		{ "0.0.0.0/0", "10.2.0.0/16", true },     { "0.0.0.0/0", "fd00::/64", false },
		{ "fd00::/63", "fd00:0:0:1::/64", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct subnet a = subnet_of(rows[i].a), b = subnet_of(rows[i].b);

		cr_expect_eq(subnet_overlaps(&a, &b), rows[i].overlap, "%s %s", rows[i].a,
			     rows[i].b);
	}
}

Test(subnet, macs)
{
	static const struct {
		const char *text, *same, *error;
	} rows[] = {
		{ "0e:68:0a:59:00:02", "0e:68:0a:59:00:02" },
		{ "0E:68:0A:59:00:fF", "0e:68:0a:59:00:ff" },
		{ "0e:68:0a:59:00", NULL,
		  "\"0e:68:0a:59:00\" is not a MAC: one is written 0e:00:0a:59:00:02" },
		{ "0e-68-0a-59-00-02", NULL,
		  "\"0e-68-0a-59-00-02\" is not a MAC: one is written 0e:00:0a:59:00:02" },
		{ "0g:68:0a:59:00:02", NULL,
		  "\"0g:68:0a:59:00:02\" is not a MAC: one is written 0e:00:0a:59:00:02" },
		{ "01:00:5e:00:00:01", NULL,
		  "\"01:00:5e:00:00:01\" is the MAC of a group, not of one interface" },
		{ "00:00:00:00:00:00", NULL, "\"00:00:00:00:00:00\" is no interface's MAC" },
	};
	struct net_addr v4 = addr_of("10.89.0.2"), v6 = addr_of("fd00::1:2");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_mac m = { 0 };
		struct err e = { 0 };
		int r = mac_parse(rows[i].text, &m, &e);

		cr_expect_eq(r, rows[i].error ? -EINVAL : 0, "%s: %d", rows[i].text, r);
		cr_expect_str_eq(mac_text(&m).text, rows[i].same ? rows[i].same : "");
		cr_expect_str_eq(e.msg, rows[i].error ? rows[i].error : "");
	}
	{
		struct net_mac m4 = mac_of_addr(&v4), m6 = mac_of_addr(&v6);

		cr_expect_str_eq(mac_text(&m4).text, "0e:68:0a:59:00:02");
		cr_expect_str_eq(mac_text(&m6).text, "0e:68:00:01:00:02");
	}
}

Test(subnet, names)
{
	static const struct {
		const char *name;
		bool network, host;
	} rows[] = {
		{ "web", true, true },    { "web.1_a-b", true, true },  { "1", true, true },
		{ "", false, false },     { "-a", false, false },       { "a b", false, false },
		{ "a/b", false, false },  { "..", false, false },       { "a..b", true, false },
		{ "a.", true, false },    { "\xc3\xa9", false, false }, { "_x", false, true },
		{ "a\nb", false, false },
	};
	char name_64[65], name_254[255];
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(network_name_check(rows[i].name, NULL) == 0, rows[i].network, "%s",
			     rows[i].name);
		cr_expect_eq(host_name_check(rows[i].name, NULL) == 0, rows[i].host, "%s",
			     rows[i].name);
	}
	memset(name_64, 'a', 64);
	name_64[64] = '\0';
	cr_expect_eq(network_name_check(name_64, NULL), -ENAMETOOLONG);
	cr_expect_eq(host_name_check(name_64, NULL), -EINVAL);
	for (size_t i = 0; i < 254; i++)
		name_254[i] = i % 2 ? '.' : 'a';
	name_254[254] = '\0';
	cr_expect_eq(host_name_check(name_254, NULL), -ENAMETOOLONG);
	cr_expect_eq(network_name_check("a b", &e), -EINVAL);
	cr_expect_str_eq(e.msg,
			 "network name \"a b\": only letters, digits, \"_\", \".\" and \"-\" are "
			 "allowed, and the first is a letter or digit");
	cr_expect(network_name_is_reserved("host"));
	cr_expect_not(network_name_is_reserved("hosts"));
}
