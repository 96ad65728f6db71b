/* What --network says, in each notation, and what is wrong about it. */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/buf.h"
#include "engine/netwish.h"

static void add(struct buf *out, const char *key, const char *value)
{
	if (value)
		buf_printf(out, " %s=%s", key, value);
}

static void show(const struct join *j, struct buf *out)
{
	buf_str(out, j->network);
	add(out, "ip", j->ip);
	add(out, "ip6", j->ip6);
	add(out, "mac", j->mac);
	for (size_t i = 0; i < j->aliases.n; i++)
		add(out, "alias", j->aliases.at[i]);
}

Test(netwish, one)
{
	static const struct {
		const char *text, *is, *error;
	} rows[] = {
		{ "web", "web" },
		{ "container:a,b", "container:a,b" },
		{ "ns:/proc/1/ns/net", "ns:/proc/1/ns/net" },
		{ "web:ip=10.9.0.5", "web ip=10.9.0.5" },
		{ "web:ip=fd00::5", "web ip6=fd00::5" },
		{ "web:ip=10.9.0.5,ip=fd00::5", "web ip=10.9.0.5 ip6=fd00::5" },
		{ "web:mac=02:00:00:00:00:01,alias=a,alias=b",
		  "web mac=02:00:00:00:00:01 alias=a alias=b" },
		{ "name=web,ip=10.9.0.5,ip6=fd00::5,mac-address=02:00:00:00:00:01,alias=a",
		  "web ip=10.9.0.5 ip6=fd00::5 mac=02:00:00:00:00:01 alias=a" },
		{ "name=web", "web" },
		{ "web:mac_address=x", "web mac=x" },

		{ "", NULL, "--network \"\": it names no network" },
		{ ":ip=1", NULL, "--network \":ip=1\": it names no network" },
		{ "name=", NULL, "--network \"name=\": it names no network" },
		{ "web:", NULL,
		  "--network \"web:\": there is no option \"\" of a network: ip, ip6, mac and "
		  "alias are there" },
		{ "web:interface_name=x", NULL,
		  "--network \"web:interface_name=x\": there is no option \"interface_name\" of a "
		  "network: ip, ip6, mac and alias are there" },
		{ "web:ip", NULL, "--network \"web:ip\": ip has no value" },
		{ "web:alias=", NULL, "--network \"web:alias=\": alias has no value" },
		{ "web:ip=1,ip=2", NULL, "--network \"web:ip=1,ip=2\": ip is given twice" },
		{ "web:ip=fd00::1,ip6=fd00::2", NULL,
		  "--network \"web:ip=fd00::1,ip6=fd00::2\": ip6 is given twice" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf out = { 0 };
		struct join j = { 0 };
		struct err e = { 0 };
		int r = netwish_parse(rows[i].text, &a, &j, &e);

		cr_expect_eq(r, rows[i].is ? 0 : -EINVAL, "%s: %s", rows[i].text, e.msg);
		if (r == 0)
			show(&j, &out);
		cr_expect_str_eq(r < 0 ? e.msg : out.text, rows[i].is ? rows[i].is : rows[i].error);
	}
}

Test(netwish, all)
{
	static const char *const three[] = { "web:ip=10.9.0.5", "db", "name=x,alias=q" };
	static const char *const aliases[] = { "m", "n" };
	static const struct {
		size_t networks;
		const char *ip, *ip6, *mac;
		size_t aliases;
		const char *is, *error;
	} rows[] = {
		{ 0, NULL, NULL, NULL, 0, "pasta;" },
		{ 0, "10.9.0.6", "fd00::6", "m", 1,
		  "pasta ip=10.9.0.6 ip6=fd00::6 mac=m alias=m;" },
		{ 1, NULL, "fd00::6", NULL, 2, "web ip=10.9.0.5 ip6=fd00::6 alias=m alias=n;" },
		{ 3, NULL, NULL, NULL, 1, "web ip=10.9.0.5 alias=m;db alias=m;x alias=q alias=m;" },
		{ 1, "10.9.0.6", NULL, NULL, 0, NULL,
		  "--ip 10.9.0.6: --network web says 10.9.0.5 already" },
		{ 3, NULL, NULL, "m", 0, NULL,
		  "--mac-address: there are 3 networks: it is said of one, --network web:mac=m" },
		{ 2, NULL, "fd00::6", NULL, 0, NULL,
		  "--ip6: there are 2 networks: it is said of one, --network web:ip6=fd00::6" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf out = { 0 };
		struct joins joins = { 0 };
		struct err e = { 0 };
		const struct wish w = {
			.networks = { (const char **)three, rows[i].networks },
			.network_alias = { (const char **)aliases, rows[i].aliases },
			.ip = rows[i].ip,
			.ip6 = rows[i].ip6,
			.mac = rows[i].mac,
		};
		int r = netwish_plan(&w, "pasta", &a, &joins, &e);

		cr_expect_eq(r, rows[i].is ? 0 : -EINVAL, "%zu: %s", i, e.msg);
		for (size_t k = 0; k < joins.list.n; k++) {
			show(&joins.list.at[k], &out);
			buf_char(&out, ';');
		}
		cr_expect_str_eq(r < 0 ? e.msg : out.text, rows[i].is ? rows[i].is : rows[i].error);
	}
}
