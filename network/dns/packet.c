#include "network/dns/packet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	LABEL_MAX = 63,
	QUESTION_TAIL = 4, /* type and class */
	FLAG_ANSWER = 0x8000,
	FLAG_RECURSION_ASKED = 0x0100,
	FLAG_RECURSION = 0x0080,
	FLAG_AUTHORITATIVE = 0x0400,
	OPCODE_SHIFT = 11,
	OPCODE_MASK = 15,
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint16_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Letters, digits, "_" and "-": what names of containers are made of, between their dots. */
static bool is_text(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/*
 * The name at *at; a question has no compression. Its text goes to `name`, "" if
 * a label has other bytes. False if it is none.
 */
static bool read_name(const uint8_t *packet, size_t size, size_t *at, char name[DNS_NAME_MAX + 1])
{
	size_t pos = *at, len = 0;
	bool text = true;

	for (;;) {
		uint8_t label;

		if (pos >= size)
			return false;
		label = packet[pos++];
		if (label == 0)
			break;
		if (label > LABEL_MAX || label > size - pos || pos + label - *at > DNS_NAME_MAX)
			return false;
		for (uint8_t i = 0; i < label; i++) {
			text = text && is_text(packet[pos + i]);
			name[len++] = lower((char)packet[pos + i]);
		}
		name[len++] = '.';
		pos += label;
	}
	name[text && len ? len - 1 : 0] = '\0';
	*at = pos;
	return true;
}

int dns_query_parse(const uint8_t *packet, size_t size, struct dns_query *ret)
{
	struct dns_query q = { .end = DNS_HEADER };
	size_t at = DNS_HEADER;
	uint16_t flags;

	if (size < DNS_HEADER || size > DNS_PACKET_MAX)
		return -EBADMSG;
	flags = get16(packet + 2);
	q.id = get16(packet);
	if (flags & FLAG_ANSWER)
		return -EBADMSG;
	*ret = q;
	if (flags >> OPCODE_SHIFT & OPCODE_MASK)
		return -ENOTSUP;
	if (get16(packet + 4) != 1 || !read_name(packet, size, &at, q.name) ||
	    size - at < QUESTION_TAIL)
		return -EINVAL;
	q.type = get16(packet + at);
	q.class = get16(packet + at + 2);
	q.end = at + QUESTION_TAIL;
	*ret = q;
	return 0;
}

static size_t write_address(uint8_t *out, const struct net_addr *a)
{
	size_t len = addr_bits(a->family) / 8;

	put16(out, (uint16_t)len);
	memcpy(out + 2, a->bytes, len);
	return 2 + len;
}

/* The caller's names are host names: labels that fit. */
static size_t write_name(uint8_t *out, const char *name)
{
	size_t at = 2;

	while (*name) {
		size_t len = strcspn(name, ".");

		out[at++] = (uint8_t)len;
		memcpy(out + at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	out[at++] = 0;
	put16(out, (uint16_t)(at - 2));
	return at;
}

/* Type, class and TTL, of the name of the question (a pointer to it). */
static size_t write_head(uint8_t *out, uint16_t type)
{
	put16(out, 0xc000 | DNS_HEADER);
	put16(out + 2, type);
	put16(out + 4, DNS_IN);
	put16(out + 6, 0);
	put16(out + 8, DNS_TTL);
	return 10;
}

size_t dns_answer_write(const uint8_t *packet, const struct dns_query *q,
			const struct dns_answer *a, uint8_t out[DNS_PACKET_MAX])
{
	uint16_t asked = get16(packet + 2), answers = 0;
	size_t at = q->end;

	memcpy(out, packet, q->end);
	for (size_t i = 0; i < a->n && i < DNS_ANSWERS_MAX; i++, answers++) {
		at += write_head(out + at, a->addrs[i].family == AF_INET ? DNS_A : DNS_AAAA);
		at += write_address(out + at, &a->addrs[i]);
	}
	if (a->name) {
		at += write_head(out + at, DNS_PTR);
		at += write_name(out + at, a->name);
		answers++;
	}
	put16(out + 2, (uint16_t)(FLAG_ANSWER | (asked & (OPCODE_MASK << OPCODE_SHIFT)) |
				  (asked & FLAG_RECURSION_ASKED) | FLAG_RECURSION |
				  (answers ? FLAG_AUTHORITATIVE : 0) | a->code));
	put16(out + 4, q->end > DNS_HEADER);
	put16(out + 6, answers);
	put16(out + 8, 0);
	put16(out + 10, 0);
	return at;
}

bool dns_reply_matches(const uint8_t *reply, size_t size, uint16_t id, const uint8_t *packet,
		       const struct dns_query *q)
{
	struct dns_query r = { 0 };
	size_t at = DNS_HEADER;

	if (size < DNS_HEADER || size > DNS_PACKET_MAX || get16(reply) != id ||
	    !(get16(reply + 2) & FLAG_ANSWER))
		return false;
	/* Servers that understood nothing may repeat nothing. */
	if (get16(reply + 4) == 0)
		return true;
	if (get16(reply + 4) != 1 || !read_name(reply, size, &at, r.name) ||
	    size - at < QUESTION_TAIL || at + QUESTION_TAIL != q->end)
		return false;
	for (size_t i = DNS_HEADER; i < q->end; i++)
		if (lower((char)reply[i]) != lower((char)packet[i]))
			return false;
	return true;
}

static bool reverse4(const char *name, struct net_addr *ret)
{
	unsigned b[4];
	char text[32];
	int end = 0;

	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &b[3], &b[2], &b[1], &b[0], &end) != 4 ||
	    end == 0 || name[end])
		return false;
	snprintf(text, sizeof(text), "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	return addr_parse(text, ret, NULL) == 0;
}

bool dns_reverse_parse(const char *name, struct net_addr *ret)
{
	static const char tail[] = "ip6.arpa", digits[] = "0123456789abcdef";
	struct net_addr a = { .family = AF_INET6 };

	if (reverse4(name, ret))
		return true;
	if (strlen(name) != 64 + strlen(tail) || strcmp(name + 64, tail) != 0)
		return false;
	for (size_t i = 0; i < 32; i++) {
		const char *digit = name[2 * i] ? strchr(digits, name[2 * i]) : NULL;

		if (!digit || name[2 * i + 1] != '.')
			return false;
		a.bytes[15 - i / 2] |= (uint8_t)((digit - digits) << (i % 2 ? 4 : 0));
	}
	*ret = a;
	return true;
}
