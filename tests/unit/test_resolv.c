#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "network/resolv.h"

static struct strings list_of(const char **at)
{
	struct strings list = { at, 0 };

	while (at && at[list.n])
		list.n++;
	return list;
}

Test(resolv, from_the_hosts)
{
	static const struct {
		const char *host;
		bool shared;
		const char *text;
	} rows[] = {
		{ "nameserver 10.0.0.1\n", false, "nameserver 10.0.0.1\n" },
		{ "# a comment\n\n;another\nnameserver\t10.0.0.1  \nsearch a.example b.example\n"
		  "options ndots:2 edns0",
		  false,
		  "search a.example b.example\nnameserver 10.0.0.1\noptions ndots:2 edns0\n" },
		{ "search a\nsearch b\n", false, "search b\n" },
		{ "domain a\n", false, "search a\n" },
		{ "nameserver 127.0.0.53\nnameserver ::1\nnameserver fd00::1\n", false,
		  "nameserver fd00::1\n" },
		{ "nameserver 127.0.0.53\n", true, "nameserver 127.0.0.53\n" },
		{ "nameserver 127.0.0.53\n", false, "" },
		{ "", false, "" },
		{ "nameserver fe80::1%eth0\nnameserver\nnameserver x\nnameserver 10.0.0.1\r\n",
		  false, "nameserver 10.0.0.1\n" },
		{ "namesrever 10.0.0.1\nsortlist 1.2.3.4\n", false, "" },
		{ "search a\x01 b \xff\noptions a;b\n", false, "search b\n" },
		{ "nameserver 10.0.0.1 10.0.0.2\n", false, "nameserver 10.0.0.1\n" },
	};
	static const struct net_dns dns;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct resolv r = { 0 };

		resolv_parse(rows[i].host, strlen(rows[i].host), &a, &r);
		cr_expect_str_eq(resolv_text(&r, &dns, rows[i].shared, &a), rows[i].text,
				 "row %zu: %s", i, resolv_text(&r, &dns, rows[i].shared, &a));
	}
}

Test(resolv, from_options)
{
	auto_arena struct arena a = { 0 };
	static const char host[] = "nameserver 10.0.0.1\nsearch host\noptions ndots:1\n";
	const char *servers[] = { "127.0.0.1", "fd00::1", NULL }, *searches[] = { ".", NULL },
		   *options[] = { "ndots:5", NULL };
	struct net_dns dns = { .servers = list_of(servers) };
	struct resolv r = { 0 };

	resolv_parse(host, strlen(host), &a, &r);
	cr_expect_str_eq(
		resolv_text(&r, &dns, false, &a),
		"search host\nnameserver 127.0.0.1\nnameserver fd00::1\noptions ndots:1\n");
	dns = (struct net_dns){ .searches = list_of(searches), .options = list_of(options) };
	cr_expect_str_eq(resolv_text(&r, &dns, false, &a),
			 "nameserver 10.0.0.1\noptions ndots:5\n");
}

Test(resolv, local)
{
	static const struct {
		const char *host;
		bool local;
	} rows[] = {
		{ "", true },
		{ "nameserver 127.0.0.53\n", true },
		{ "nameserver ::1\nnameserver 127.0.0.1\n", true },
		{ "nameserver 127.0.0.53\nnameserver 10.0.0.1\n", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct resolv r = { 0 };

		resolv_parse(rows[i].host, strlen(rows[i].host), &a, &r);
		cr_expect_eq(resolv_is_local(&r), rows[i].local);
	}
}

Test(resolv, checked)
{
	static const struct {
		const char *server, *search, *option, *error;
	} rows[] = {
		{ "10.0.0.1", "example.org", "ndots:2", NULL },
		{ NULL, ".", NULL, NULL },
		{ "dns.example", NULL, NULL, "DNS server: \"dns.example\" is not an IP address" },
		{ NULL, "a b", NULL,
		  "DNS search domain: host name \"a b\": only letters, digits, \"_\", \".\" and "
		  "\"-\" "
		  "are allowed" },
		{ NULL, NULL, "a\nnameserver 6.6.6.6",
		  "DNS option \"a\\u000anameserver 6.6.6.6\" is none" },
		{ NULL, NULL, "", "DNS option \"\" is none" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *server[] = { rows[i].server, NULL },
			   *search[] = { rows[i].search, NULL },
			   *option[] = { rows[i].option, NULL };
		struct net_dns dns = { list_of(server), list_of(search), list_of(option) };
		struct err e = { 0 };

		cr_expect_eq(dns_check(&dns, &e), rows[i].error ? -EINVAL : 0);
		cr_expect_str_eq(e.msg, rows[i].error ? rows[i].error : "");
	}
}

#define HEAD "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n"

Test(resolv, hosts)
{
	static const struct {
		const char *hostname, *own, *own6, *gateway, *extra, *text, *error;
	} rows[] = {
		{ "web", "10.0.0.2", NULL, NULL, NULL, HEAD "10.0.0.2\tweb\n" },
		{ "web", "10.0.0.2", "fd00::2", NULL, NULL, HEAD "10.0.0.2\tweb\nfd00::2\tweb\n" },
		{ "web", NULL, NULL, NULL, NULL, HEAD "127.0.1.1\tweb\n" },
		{ NULL, NULL, NULL, NULL, NULL, HEAD },
		{ NULL, NULL, NULL, NULL, "db:10.1.1.1", HEAD "10.1.1.1\tdb\n" },
		{ NULL, NULL, NULL, NULL, "db:fd00::1", HEAD "fd00::1\tdb\n" },
		{ NULL, NULL, NULL, NULL, "db:[fd00::1]", HEAD "fd00::1\tdb\n" },
		{ NULL, NULL, NULL, "10.0.0.1", "up:host-gateway", HEAD "10.0.0.1\tup\n" },
		{ NULL, NULL, NULL, NULL, "up:host-gateway", NULL,
		  "add host \"up:host-gateway\": this container has no gateway to the host" },
		{ NULL, NULL, NULL, NULL, "db", NULL,
		  "add host \"db\": it is written NAME:ADDRESS" },
		{ NULL, NULL, NULL, NULL, ":10.0.0.1", NULL,
		  "add host \":10.0.0.1\": a host name is empty" },
		{ NULL, NULL, NULL, NULL, "db:", NULL,
		  "add host \"db:\": \"\" is not an IP address" },
		{ NULL, NULL, NULL, NULL, "a b:10.0.0.1", NULL,
		  "add host \"a b:10.0.0.1\": host name \"a b\": only letters, digits, \"_\", "
		  "\".\" and "
		  "\"-\" are allowed" },
		{ "a\nb", NULL, NULL, NULL, NULL, NULL,
		  "host name \"a\\u000ab\": only letters, digits, \"_\", \".\" and \"-\" are "
		  "allowed" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const char *extra[] = { rows[i].extra, NULL }, *text = NULL;
		struct hosts_facts facts = { .hostname = rows[i].hostname,
					     .extra = list_of(extra) };
		struct err e = { 0 };
		int r;

		if (rows[i].own)
			cr_assert_eq(addr_parse(rows[i].own, &facts.own[0], NULL), 0);
		if (rows[i].own6)
			cr_assert_eq(addr_parse(rows[i].own6, &facts.own[1], NULL), 0);
		if (rows[i].gateway)
			cr_assert_eq(addr_parse(rows[i].gateway, &facts.gateway, NULL), 0);
		r = hosts_text(&facts, &a, &text, &e);
		cr_expect_eq(r < 0, rows[i].error != NULL);
		cr_expect_str_eq(e.msg, rows[i].error ? rows[i].error : "");
		if (r == 0)
			cr_expect_str_eq(text, rows[i].text);
	}
}
