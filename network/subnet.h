/*
 * subnet.h - addresses, subnets, MACs and names as people write them. Pure.
 *
 * An address that is not given has family 0, a MAC that is not given is all
 * zeroes; both are what `{ 0 }` makes.
 */
#ifndef HULL_NETWORK_SUBNET_H
#define HULL_NETWORK_SUBNET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct net_addr {
	int family; /* AF_INET, AF_INET6; 0: none */
	uint8_t bytes[16];
};

struct subnet {
	struct net_addr base; /* its lowest address; family 0: none */
	unsigned prefix;
};

struct net_mac {
	uint8_t bytes[6];
};

struct net_text {
	char text[64];
};

enum {
	NETWORK_NAME_MAX = 63,
	SUBNET_LEASES_MAX = 65536, /* addresses of a subnet that are ever given out */
};

/* "10.0.0.1", "fd00::1"; nothing around it. Messages begin with the text in quotes. */
int addr_parse(const char *text, struct net_addr *ret, struct err *e) MUST_CHECK;
/* "10.89.0.0/24"; bits beyond the prefix are refused. */
int subnet_parse(const char *text, struct subnet *ret, struct err *e) MUST_CHECK;
/* "02:42:ac:11:00:02"; a group address or zero is refused. */
int mac_parse(const char *text, struct net_mac *ret, struct err *e) MUST_CHECK;
/* The name of a network: letters, digits, "_.-". */
int network_name_check(const char *name, struct err *e) MUST_CHECK;
/* Whether --network means something else, or the default network, by it. */
bool network_name_is_reserved(const char *name);
/* A name for hosts files: labels of letters, digits, "_-", split by dots. */
int host_name_check(const char *name, struct err *e) MUST_CHECK;

struct net_text addr_text(const struct net_addr *a);
struct net_text subnet_text(const struct subnet *s);
struct net_text mac_text(const struct net_mac *m);

unsigned addr_bits(int family); /* 32 or 128 */
bool addr_equal(const struct net_addr *a, const struct net_addr *b);
bool addr_is_loopback(const struct net_addr *a);
bool addr_is_any(const struct net_addr *a);
bool mac_is_set(const struct net_mac *m);

bool subnet_contains(const struct subnet *s, const struct net_addr *a);
bool subnet_overlaps(const struct subnet *a, const struct subnet *b);
/* The `offset`-th address of it; the caller stays within subnet_hosts(). */
struct net_addr subnet_at(const struct subnet *s, uint32_t offset);
/* Of an address in it; UINT32_MAX if it is beyond what 32 bits count. */
uint32_t subnet_offset(const struct subnet *s, const struct net_addr *a);
/* The highest offset that can be given out: not the broadcast address, at most SUBNET_LEASES_MAX. */
uint32_t subnet_last_offset(const struct subnet *s);

/* The MAC of an address: locally administered, the same for the same address. */
struct net_mac mac_of_addr(const struct net_addr *a);

#endif
