/*
 * address.h - a link's addresses in full, so that they can be given again elsewhere.
 *
 * The kernel drops addresses when a device changes its namespace, and a guest
 * is to have those that its interface has outside. Those of global scope that
 * somebody set count; others come by themselves.
 */
#ifndef HULL_NETWORK_ADDRESS_H
#define HULL_NETWORK_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "network/netlink.h"

enum { LINK_ADDRESSES_MAX = 256 };

/* As RTM_GETADDR shows it. */
struct link_address {
	uint8_t family, prefix;
	uint8_t local_len, peer_len, broadcast_len; /* 0: it has none */
	uint32_t flags, metric;
	uint8_t local[16], peer[16], broadcast[16];
};

/* Those of the link `index`, called `name`: at most LINK_ADDRESSES_MAX, into `ret`; returns how many. */
int addresses_read(struct netlink *nl, unsigned index, const char *name, struct link_address *ret,
		   struct err *e) MUST_CHECK;

/* Whether its lengths are those of addresses: of one that came from elsewhere. */
bool address_is_sound(const struct link_address *a);

/* Gives one, that is sound, to the link `index`, called `name`. It is there already: success. */
int address_repeat(struct netlink *nl, unsigned index, const char *name,
		   const struct link_address *a, struct err *e) MUST_CHECK;

#endif
