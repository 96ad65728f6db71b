/*
 * fuzz_dns.c - anything at all as a query, and as the reply to one. The first byte
 * says how long the query is; what follows it is the reply.
 *
 *	fuzz_dns tests/fuzz/corpus-dns
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "network/dns/packet.h"
#include "network/names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_answer(const uint8_t *query, const struct dns_query *q, struct dns_answer *a)
{
	uint8_t out[DNS_PACKET_MAX];
	size_t n = dns_answer_write(query, q, a, out);

	require(n >= DNS_HEADER && n <= sizeof(out));
	require(dns_reply_matches(out, n, q->id, query, q));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size ? data[0] : 0;
	struct dns_answer full = { .n = DNS_ANSWERS_MAX }, failed = { .code = DNS_FORMERR };
	auto_names struct names names = { 0 };
	struct dns_query q = { 0 };
	struct net_addr addr;
	const uint8_t *query = data + 1, *reply;
	int r;

	if (size == 0)
		return 0;
	len = len < size - 1 ? len : size - 1;
	reply = query + len;
	names_parse((const char *)reply, size - 1 - len, &names);
	r = dns_query_parse(query, len, &q);
	if (len >= DNS_HEADER) {
		if (r == 0) {
			bool known;

			require(strlen(q.name) <= DNS_NAME_MAX && q.end <= len);
			(void)dns_reply_matches(reply, size - 1 - len, q.id, query, &q);
			if (dns_reverse_parse(q.name, &addr))
				require(addr.family == AF_INET || addr.family == AF_INET6);
			full.n = names_find(&names, q.name, AF_INET, full.addrs, DNS_ANSWERS_MAX,
					    &known);
			check_answer(query, &q, &full);
			for (size_t i = 0; i < DNS_ANSWERS_MAX; i++)
				full.addrs[i].family = AF_INET6;
			full.n = DNS_ANSWERS_MAX;
			full.name = names.n ? names.at[0].name : "localhost";
			check_answer(query, &q, &full);
		} else if (q.end) {
			check_answer(query, &q, &failed);
		}
	}
	return 0;
}
