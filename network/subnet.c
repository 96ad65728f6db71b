#include "network/subnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

/* What --network takes for something other than a network that was created. */
static const char *const reserved_names[] = {
	"bridge", "container", "default", "host", "none", "ns", "pasta", "private", "slirp4netns",
};

unsigned addr_bits(int family)
{
	return family == AF_INET6 ? 128 : 32;
}

static size_t addr_size(int family)
{
	return addr_bits(family) / 8;
}

int addr_parse(const char *text, struct net_addr *ret, struct err *e)
{
	struct net_addr a = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	if (inet_pton(a.family, text, a.bytes) != 1)
		return err_set(e, EINVAL, "%s is not an IP address", json_quote(text).text);
	if (a.family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)a.bytes))
		return err_set(e, EINVAL, "%s is an IPv4 address written as IPv6: write it as IPv4",
			       json_quote(text).text);
	*ret = a;
	return 0;
}

static bool is_digits(const char *text, size_t max)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n <= max && text[n] == '\0';
}

/* Clears the bits beyond the prefix. */
static struct net_addr masked(const struct net_addr *a, unsigned prefix)
{
	struct net_addr m = *a;

	for (unsigned bit = prefix; bit < addr_bits(a->family); bit++)
		m.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return m;
}

int subnet_parse(const char *text, struct subnet *ret, struct err *e)
{
	const char *slash = strchr(text, '/');
	char base[INET6_ADDRSTRLEN + 1];
	struct subnet s = { 0 };

	if (!slash)
		return err_set(e, EINVAL,
			       "%s has no prefix length: a subnet is written 10.89.0.0/24",
			       json_quote(text).text);
	if ((size_t)(slash - text) >= sizeof(base))
		return err_set(e, EINVAL, "%s is not a subnet", json_quote(text).text);
	memcpy(base, text, (size_t)(slash - text));
	base[slash - text] = '\0';
	TRY(addr_parse(base, &s.base, e));
	if (!is_digits(slash + 1, 3) || (unsigned)atoi(slash + 1) > addr_bits(s.base.family))
		return err_set(e, EINVAL, "%s: %s is not a prefix length between 0 and %u",
			       json_quote(text).text, json_quote(slash + 1).text,
			       addr_bits(s.base.family));
	s.prefix = (unsigned)atoi(slash + 1);
	{
		struct subnet whole = { masked(&s.base, s.prefix), s.prefix };

		if (!addr_equal(&whole.base, &s.base))
			return err_set(e, EINVAL,
				       "%s has bits set beyond its prefix: the subnet is %s",
				       json_quote(text).text, subnet_text(&whole).text);
	}
	*ret = s;
	return 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	if (!at)
		return -1;
	return (int)(at - digits) < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

int mac_parse(const char *text, struct net_mac *ret, struct err *e)
{
	struct net_mac m = { 0 };

	if (strlen(text) != 17)
		return err_set(e, EINVAL, "%s is not a MAC: one is written 0e:00:0a:59:00:02",
			       json_quote(text).text);
	for (size_t i = 0; i < 6; i++) {
		int high = hex_digit(text[i * 3]), low = hex_digit(text[i * 3 + 1]);

		if (high < 0 || low < 0 || (i < 5 && text[i * 3 + 2] != ':'))
			return err_set(e, EINVAL,
				       "%s is not a MAC: one is written 0e:00:0a:59:00:02",
				       json_quote(text).text);
		m.bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (m.bytes[0] & 1)
		return err_set(e, EINVAL, "%s is the MAC of a group, not of one interface",
			       json_quote(text).text);
	if (!mac_is_set(&m))
		return err_set(e, EINVAL, "%s is no interface's MAC", json_quote(text).text);
	*ret = m;
	return 0;
}

#define LETTERS_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

int network_name_check(const char *name, struct err *e)
{
	size_t len = strlen(name);

	if (len == 0)
		return err_set(e, EINVAL, "the name of a network is empty");
	if (len > NETWORK_NAME_MAX)
		return err_set(e, ENAMETOOLONG, "network name %s is longer than %d characters",
			       json_quote(name).text, NETWORK_NAME_MAX);
	if (strspn(name, LETTERS_DIGITS) == 0 || strspn(name, LETTERS_DIGITS "_.-") != len)
		return err_set(e, EINVAL,
			       "network name %s: only letters, digits, \"_\", \".\" and \"-\" are "
			       "allowed, and the first is a letter or digit",
			       json_quote(name).text);
	return 0;
}

bool network_name_is_reserved(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved_names); i++)
		if (strcmp(name, reserved_names[i]) == 0)
			return true;
	return false;
}

int host_name_check(const char *name, struct err *e)
{
	size_t len = strlen(name), label = 0;

	if (len == 0)
		return err_set(e, EINVAL, "a host name is empty");
	if (len > 253)
		return err_set(e, ENAMETOOLONG, "host name %s is longer than 253 characters",
			       json_quote(name).text);
	if (strspn(name, LETTERS_DIGITS "_.-") != len)
		return err_set(
			e, EINVAL,
			"host name %s: only letters, digits, \"_\", \".\" and \"-\" are allowed",
			json_quote(name).text);
	for (const char *at = name;; at += label + 1) {
		label = strcspn(at, ".");
		if (label == 0 || label > 63 || *at == '-')
			return err_set(
				e, EINVAL,
				"host name %s: between dots are 1 to 63 characters, of which "
				"the first is no \"-\"",
				json_quote(name).text);
		if (!at[label])
			return 0;
	}
}

struct net_text addr_text(const struct net_addr *a)
{
	struct net_text t = { "" };

	if (a->family)
		inet_ntop(a->family, a->bytes, t.text, sizeof(t.text));
	return t;
}

struct net_text subnet_text(const struct subnet *s)
{
	struct net_text t = addr_text(&s->base);
	size_t len = strlen(t.text);

	if (len)
		snprintf(t.text + len, sizeof(t.text) - len, "/%u", s->prefix);
	return t;
}

struct net_text mac_text(const struct net_mac *m)
{
	struct net_text t = { "" };
	const uint8_t *b = m->bytes;

	if (mac_is_set(m))
		snprintf(t.text, sizeof(t.text), "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2],
			 b[3], b[4], b[5]);
	return t;
}

bool addr_equal(const struct net_addr *a, const struct net_addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, addr_size(a->family)) == 0;
}

bool addr_is_loopback(const struct net_addr *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] == 127;
	return a->family == AF_INET6 && IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)a->bytes);
}

bool addr_is_any(const struct net_addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, addr_size(a->family)) == 0;
}

bool mac_is_set(const struct net_mac *m)
{
	static const struct net_mac none;

	return memcmp(m->bytes, none.bytes, sizeof(none.bytes)) != 0;
}

bool subnet_contains(const struct subnet *s, const struct net_addr *a)
{
	struct net_addr base;

	if (s->base.family == 0 || s->base.family != a->family)
		return false;
	base = masked(a, s->prefix);
	return addr_equal(&base, &s->base);
}

bool subnet_overlaps(const struct subnet *a, const struct subnet *b)
{
	return a->prefix < b->prefix ? subnet_contains(a, &b->base) : subnet_contains(b, &a->base);
}

struct net_addr subnet_at(const struct subnet *s, uint32_t offset)
{
	struct net_addr a = s->base;

	for (size_t i = addr_size(a.family); i-- > 0 && offset; offset >>= 8) {
		uint32_t sum = a.bytes[i] + (offset & 0xff);

		a.bytes[i] = (uint8_t)sum;
		offset += sum & ~0xffU; /* the carry, one byte further up */
	}
	return a;
}

uint32_t subnet_offset(const struct subnet *s, const struct net_addr *a)
{
	size_t size = addr_size(s->base.family);
	uint32_t offset = 0;

	for (size_t i = 0; i < size; i++) {
		uint8_t bits = a->bytes[i] ^ s->base.bytes[i];

		if (i + 4 < size && bits)
			return UINT32_MAX;
		offset = offset << 8 | bits;
	}
	return offset;
}

uint32_t subnet_last_offset(const struct subnet *s)
{
	unsigned bits = addr_bits(s->base.family) - s->prefix;
	uint32_t all = bits >= 17 ? SUBNET_LEASES_MAX + 1U : (1U << bits) - 1;

	if (s->base.family == AF_INET && bits >= 2 && bits < 17)
		all--; /* broadcast */
	return all < SUBNET_LEASES_MAX ? all : SUBNET_LEASES_MAX;
}

struct net_mac mac_of_addr(const struct net_addr *a)
{
	const uint8_t *tail = a->bytes + addr_size(a->family) - 4;
	struct net_mac m = { { 0x0e, 0x68, tail[0], tail[1], tail[2], tail[3] } };

	return m;
}
