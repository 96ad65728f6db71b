/*
 * packet.h - DNS packets (RFC 1035) as hull-dns needs them. Pure; every byte of
 * a packet is a stranger's.
 */
#ifndef HULL_NETWORK_DNS_PACKET_H
#define HULL_NETWORK_DNS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/util.h"
#include "network/subnet.h"

enum {
	DNS_HEADER = 12,
	DNS_NAME_MAX = 255,
	DNS_PACKET_MAX = 4096,
	DNS_ANSWERS_MAX = 16,
	DNS_TTL = 1, /* seconds: containers come and go */
};

enum { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_ANY = 255, DNS_IN = 1 };
enum { DNS_OK = 0, DNS_FORMERR = 1, DNS_SERVFAIL = 2, DNS_NXDOMAIN = 3, DNS_NOTIMP = 4 };

struct dns_query {
	uint16_t id, type, class;
	size_t end;                  /* of the question: header and it are what answers repeat */
	char name[DNS_NAME_MAX + 1]; /* in lower case, without the last dot; "" if it is no text */
};

/*
 * 0: *ret is it. -EBADMSG: nothing to answer (too short, or an answer itself).
 * -EINVAL, -ENOTSUP: to be answered with FORMERR, NOTIMP; of *ret only `id` and
 * `end` are set, and the question is left out.
 */
int dns_query_parse(const uint8_t *packet, size_t size, struct dns_query *ret) MUST_CHECK;

struct dns_answer {
	int code;
	struct net_addr addrs[DNS_ANSWERS_MAX];
	size_t n;
	const char *name; /* PTR; NULL: none */
};

/* Writes the answer to the query in `packet`; returns its size, at most DNS_PACKET_MAX. */
size_t dns_answer_write(const uint8_t *packet, const struct dns_query *q,
			const struct dns_answer *a, uint8_t out[DNS_PACKET_MAX]);

/* Whether `reply` answers the question of `packet` under the id that it was asked with. */
bool dns_reply_matches(const uint8_t *reply, size_t size, uint16_t id, const uint8_t *packet,
		       const struct dns_query *q);

/* The address that "2.0.76.10.in-addr.arpa" is about; false if it is no such name. */
bool dns_reverse_parse(const char *name, struct net_addr *ret);

#endif
