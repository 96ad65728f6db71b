#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "network/dns/packet.h"
#include "network/names.h"
#include "tests/unit/test_dir.h"

TestSuite(dns, .init = dir_make, .fini = dir_remove);

#define HEAD "\x12\x34\x01\x00\0\1\0\0\0\0\0\0"
#define TAIL "\0\1\0\1"
#define BYTES(text) text, sizeof(text) - 1

Test(dns, queries)
{
	static const struct {
		const char *packet;
		size_t size;
		int result;
		const char *name;
		size_t end;
	} rows[] = {
		{ BYTES(HEAD "\2DB\0" TAIL), 0, "db", 20 },
		{ BYTES(HEAD "\3www\7Example\0" TAIL), 0, "www.example", 29 },
		{ BYTES(HEAD "\0" TAIL), 0, "", 17 },
		{ BYTES(HEAD "\3a.b\0" TAIL), 0, "", 21 }, /* a dot in a label is not text */
		{ BYTES(HEAD "\2\xc3\xa9\0" TAIL), 0, "", 20 },
		{ BYTES(HEAD "\2db\0" TAIL "\0\0\x29\x10\0\0\0\0\0\0\0"), 0, "db", 20 }, /* EDNS */

		{ BYTES(""), -EBADMSG },
		{ BYTES("\x12\x34\x01\x00\0\1\0\0\0\0\0"), -EBADMSG },
		{ BYTES("\x12\x34\x81\x00\0\1\0\0\0\0\0\0\2db\0" TAIL), -EBADMSG },
		{ BYTES("\x12\x34\x29\x00\0\1\0\0\0\0\0\0\2db\0" TAIL), -ENOTSUP },
		{ BYTES("\x12\x34\x01\x00\0\0\0\0\0\0\0\0"), -EINVAL },
		{ BYTES("\x12\x34\x01\x00\0\2\0\0\0\0\0\0\2db\0" TAIL), -EINVAL },
		{ BYTES(HEAD), -EINVAL },
		{ BYTES(HEAD "\2db"), -EINVAL },
		{ BYTES(HEAD "\2d"), -EINVAL },
		{ BYTES(HEAD "\2db\0\0\1\0"), -EINVAL },
		{ BYTES(HEAD "\xc0\x0c" TAIL), -EINVAL }, /* compression: it points to itself */
		{ BYTES(HEAD "\x40"
			     "0123456789012345678901234567890123456789012345678901234567890123"
			     "\0" TAIL),
		  -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct dns_query q = { 0 };
		int r = dns_query_parse((const uint8_t *)rows[i].packet, rows[i].size, &q);

		cr_expect_eq(r, rows[i].result, "row %zu: %d", i, r);
		if (r != -EBADMSG)
			cr_expect_eq(q.id, 0x1234);
		if (r == 0) {
			cr_expect_str_eq(q.name, rows[i].name);
			cr_expect_eq(q.end, rows[i].end, "row %zu: %zu", i, q.end);
		}
	}
}

Test(dns, long_names)
{
	uint8_t packet[512] = HEAD;
	size_t at = DNS_HEADER;
	struct dns_query q = { 0 };

	for (int i = 0; i < 4; i++) { /* 4 labels of 63: 256 bytes with the end */
		packet[at] = i < 3 ? 63 : 61;
		memset(packet + at + 1, 'a', packet[at]);
		at += packet[at] + 1U;
	}
	packet[at++] = 0;
	memcpy(packet + at, TAIL, 4);
	cr_expect_eq(dns_query_parse(packet, at + 4, &q), 0);
	cr_expect_eq(strlen(q.name), 253);
	packet[DNS_HEADER + 192] = 63;
	memset(packet + DNS_HEADER + 193, 'a', 63);
	packet[DNS_HEADER + 256] = 0;
	memcpy(packet + DNS_HEADER + 257, TAIL, 4);
	cr_expect_eq(dns_query_parse(packet, DNS_HEADER + 261, &q), -EINVAL);
}

Test(dns, answers)
{
	static const char query[] = HEAD "\2db\0" TAIL;
	struct dns_answer two = { .n = 2 }, none = { .code = DNS_NXDOMAIN },
			  name = { .name = "a.b" };
	uint8_t out[DNS_PACKET_MAX];
	struct dns_query q = { 0 };

	cr_assert_eq(dns_query_parse((const uint8_t *)query, sizeof(query) - 1, &q), 0);
	cr_assert_eq(addr_parse("10.0.0.2", &two.addrs[0], NULL), 0);
	cr_assert_eq(addr_parse("10.0.0.3", &two.addrs[1], NULL), 0);
	{
		static const char expected[] = "\x12\x34\x85\x80\0\1\0\2\0\0\0\0\2db\0" TAIL
					       "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x0a\0\0\2\xc0\x0c\0\1"
					       "\0\1\0\0\0\1\0\4\x0a\0\0\3";
		size_t n = dns_answer_write((const uint8_t *)query, &q, &two, out);

		cr_expect_eq(n, sizeof(expected) - 1);
		cr_expect_eq(memcmp(out, expected, n), 0);
		cr_expect(dns_reply_matches(out, n, 0x1234, (const uint8_t *)query, &q));
		cr_expect_not(dns_reply_matches(out, n, 0x1235, (const uint8_t *)query, &q));
		cr_expect_not(dns_reply_matches((const uint8_t *)query, sizeof(query) - 1, 0x1234,
						(const uint8_t *)query, &q));
		out[13] = 'x'; /* another question */
		cr_expect_not(dns_reply_matches(out, n, 0x1234, (const uint8_t *)query, &q));
		out[13] = 'D'; /* the same in other letters */
		cr_expect(dns_reply_matches(out, n, 0x1234, (const uint8_t *)query, &q));
	}
	{
		static const char expected[] = "\x12\x34\x81\x83\0\1\0\0\0\0\0\0\2db\0" TAIL;
		size_t n = dns_answer_write((const uint8_t *)query, &q, &none, out);

		cr_expect_eq(n, sizeof(expected) - 1);
		cr_expect_eq(memcmp(out, expected, n), 0);
	}
	{
		static const char expected[] = "\x12\x34\x85\x80\0\1\0\1\0\0\0\0\2db\0" TAIL
					       "\xc0\x0c\0\x0c\0\1\0\0\0\1\0\5\1a\1b\0";
		size_t n = dns_answer_write((const uint8_t *)query, &q, &name, out);

		cr_expect_eq(n, sizeof(expected) - 1);
		cr_expect_eq(memcmp(out, expected, n), 0);
	}
}

Test(dns, reverse)
{
	static const struct {
		const char *name, *addr;
	} rows[] = {
		{ "2.0.76.10.in-addr.arpa", "10.76.0.2" },
		{ "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa",
		  "fd00::2" },
		{ "256.0.76.10.in-addr.arpa", NULL },
		{ "0.76.10.in-addr.arpa", NULL },
		{ "2.0.76.10.in-addr.arpa.x", NULL },
		{ "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.g.ip6.arpa",
		  NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct net_addr a = { 0 };

		cr_expect_eq(dns_reverse_parse(rows[i].name, &a), rows[i].addr != NULL);
		if (rows[i].addr)
			cr_expect_str_eq(addr_text(&a).text, rows[i].addr);
	}
}

Test(dns, names)
{
	static const char text[] = "upstream 10.1.1.1\nalso web other\n10.0.0.2 web web\n"
				   "10.0.0.2 web Www.Example\nfd00::2 web web\n10.0.0.3 db web\n"
				   "nonsense\n10.0.0.4 x a b\nupstream x\nalso x ../y\n\n";
	auto_names struct names n = { 0 };
	auto_buf struct buf back = { 0 };
	struct net_addr found[4], addr = { 0 };
	bool known = false;

	names_parse(text, sizeof(text) - 1, &n);
	names_encode(&n, &back);
	cr_expect_str_eq(back.text, "upstream 10.1.1.1\nalso web other\n10.0.0.2 web web\n"
				    "10.0.0.2 web www.example\nfd00::2 web web\n10.0.0.3 db web\n");
	cr_expect_eq(names_find(&n, "web", AF_INET, found, 4, &known), 2);
	cr_expect_eq(names_find(&n, "web", AF_INET, found, 1, &known), 1);
	cr_expect_eq(names_find(&n, "web", AF_INET6, found, 4, &known), 1);
	cr_expect_eq(names_find(&n, "www.example", AF_INET6, found, 4, &known), 0);
	cr_expect(known);
	cr_expect_eq(names_find(&n, "nobody", AF_INET, found, 4, &known), 0);
	cr_expect_not(known);
	cr_assert_eq(addr_parse("10.0.0.3", &addr, NULL), 0);
	cr_expect_str_eq(names_owner(&n, &addr), "db");
	cr_expect_str_eq(names_of(&n, &addr), "web");
	cr_expect_eq(names_drop(&n, "web"), 3);
	cr_expect_eq(n.n, 1);
	cr_expect_eq(n.n_also, 0);
	cr_expect_eq(names_drop(&n, "web"), 0);
}

Test(dns, names_on_disk)
{
	auto_names struct names n = { 0 }, back = { 0 };
	struct net_addr addr = { 0 };
	struct err e = { 0 };

	cr_assert_eq(names_read(dir_fd, "web", &n, &e), 0, "%s", e.msg);
	cr_expect_eq(n.n, 0);
	cr_assert_eq(addr_parse("10.0.0.3", &addr, NULL), 0);
	names_add(&n, &addr, "db", "DB");
	names_add(&n, &addr, "db", "db");
	cr_assert_eq(names_write(dir_fd, "web", &n, &e), 0, "%s", e.msg);
	cr_assert_eq(names_read(dir_fd, "web", &back, &e), 0, "%s", e.msg);
	cr_expect_eq(back.n, 1);
}

/* More than is read again is not written. */
Test(dns, too_many_names_for_the_disk)
{
	auto_names struct names n = { 0 }, back = { 0 };
	struct net_addr addr = { AF_INET, { 10, 0, 0, 3 } };
	struct err e = { 0 };
	char also[16001] = "";

	memset(also, 'x', sizeof(also) - 1);
	names_add(&n, &addr, "db", "db");
	cr_assert_eq(names_write(dir_fd, "web", &n, &e), 0, "%s", e.msg);
	for (size_t i = 0; i <= NAMES_SIZE_MAX / sizeof(also); i++)
		names_add_also(&n, "db", also);
	cr_expect_eq(names_write(dir_fd, "web", &n, &e), -EFBIG);
	cr_expect(strstr(e.msg, "the names of network web would have ") &&
			  strstr(e.msg, " bytes, and may have 16777216"),
		  "%s", e.msg);
	cr_assert_eq(names_read(dir_fd, "web", &back, &e), 0, "%s", e.msg);
	cr_expect_eq(back.n, 1);
}
