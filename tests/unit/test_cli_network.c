/* The list of networks: filters, fields, and what is wrong of them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "cli/network_table.h"

static int print(const char *const *texts, const char *format, struct buf *ret, struct err *e)
{
	struct network networks[] = {
		{ .name = "bridge", .driver = NETWORK_BRIDGE, .link = "hull0" },
		{ .name = "db", .driver = NETWORK_MACVLAN, .link = "eth0", .internal = true },
		{ .name = "lan", .driver = NETWORK_CNI, .link = "-" },
		{ .name = "web", .driver = NETWORK_BRIDGE, .link = "hull1" },
	};
	const char *used[] = { "web", "bridge" };
	auto_arena struct arena a = { 0 };
	struct strings list = { arena_array(&a, 8, sizeof(char *)), 0 };

	cr_assert_eq(subnet_parse("10.9.0.0/24", &networks[3].subnet, e), 0, "%s", e->msg);
	cr_assert_eq(subnet_parse("fd00::/64", &networks[3].subnet6, e), 0, "%s", e->msg);
	for (; texts[list.n]; list.n++)
		list.at[list.n] = texts[list.n];
	return network_table(&(struct network_list){ networks, ARRAY_LEN(networks) },
			     &(struct strings){ used, ARRAY_LEN(used) }, &list, format, ret, e);
}

Test(cli_network, filters)
{
	static const struct {
		const char *texts[4], *names;
	} rows[] = {
		{ { NULL }, "bridge db lan web " },
		{ { "name=b" }, "bridge db web " },
		{ { "name=^(db|lan)$" }, "db lan " },
		{ { "id=we" }, "web " },
		{ { "id=eb" }, "" },
		{ { "driver=bridge" }, "bridge web " },
		{ { "driver=cni", "driver=macvlan" }, "db lan " },
		{ { "scope=local" }, "bridge db lan web " },
		{ { "scope=swarm" }, "" },
		{ { "type=builtin" }, "bridge " },
		{ { "type=custom" }, "db lan web " },
		{ { "dangling=true" }, "db lan " },
		{ { "dangling=0" }, "bridge web " },
		{ { "dangling=true", "driver=macvlan" }, "db " },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = { 0 };
		struct err e = { 0 };

		buf_str(&b, "");
		cr_assert_eq(print(rows[i].texts, "{{.Name}}", &b, &e), 0, "%s", e.msg);
		for (char *c = b.text; *c; c++)
			*c = *c == '\n' ? ' ' : *c;
		cr_expect_str_eq(b.text, rows[i].names, "%s: %s", rows[i].texts[0], b.text);
	}
}

Test(cli_network, formats)
{
	static const struct {
		const char *format, *text;
	} rows[] = {
		{ NULL, "NAME   DRIVER   LINK    SUBNET        IPV6 SUBNET\n"
			"web    bridge   hull1   10.9.0.0/24   fd00::/64\n" },
		{ "table {{.ID}}\t{{.Scope}}", "NETWORK ID   SCOPE\nweb          local\n" },
		{ "{{.IPv4}} {{.IPv6}} {{.Internal}}", "true true false\n" },
		{ "json",
		  "{\"Name\":\"web\",\"Driver\":\"bridge\",\"Link\":\"hull1\",\"Subnet\":\"10.9.0.0/24\","
		  "\"IPv6Subnet\":\"fd00::/64\",\"ID\":\"web\",\"Scope\":\"local\",\"IPv4\":\"true\","
		  "\"IPv6\":\"true\",\"Internal\":\"false\"}\n" },
	};
	const char *const only[] = { "name=web", NULL };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = { 0 };
		struct err e = { 0 };

		cr_assert_eq(print(only, rows[i].format, &b, &e), 0, "%s", e.msg);
		cr_expect_str_eq(b.text, rows[i].text, "%s", b.text);
	}
}

Test(cli_network, wrong)
{
	static const struct {
		const char *texts[2], *format, *message;
	} rows[] = {
		{ { "label=x" },
		  NULL,
		  "--filter label=x: expected name=, id=, driver=, scope=, type= or dangling=" },
		{ { "type=own" }, NULL, "--filter type=own: expected builtin or custom" },
		{ { "dangling=maybe" }, NULL, "--filter dangling=maybe: expected true or false" },
		{ { "name=[" }, NULL, "--filter name=[: it is no regular expression" },
		{ { NULL }, "{{.Labels}}", "--format: there is no field \".Labels\"" },
		{ { "name=none" }, "{{.Label \"x\"}}", "--format: there is no field \".Label\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf b = { 0 };
		struct err e = { 0 };

		cr_expect_eq(print(rows[i].texts, rows[i].format, &b, &e), -EINVAL);
		cr_expect_str_eq(e.msg, rows[i].message, "%s", e.msg);
	}
}
