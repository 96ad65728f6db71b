/*
 * guest_network.h - the network of a container's namespace, as its guest is to have it.
 *
 * hull reads it in the namespace when the container is started (vmnet.h); the
 * agent makes it again over its own interfaces. It is one struct, sent as it
 * is: both ends are of one build.
 */
#ifndef HULL_MICROVM_GUEST_NETWORK_H
#define HULL_MICROVM_GUEST_NETWORK_H

#include <net/if.h>

#include "network/address.h"
#include "network/route.h"
#include "network/subnet.h"

enum { GUEST_LINKS_MAX = 4, GUEST_LINK_WAIT_MS = 30 * 1000 };

struct guest_link {
	char name[IF_NAMESIZE];
	struct net_mac mac;
	uint16_t n_addresses; /* of the list, after those of the links before it */
	uint32_t mtu;
};

struct guest_network {
	uint32_t n_links, n_addresses, n_routes;
	struct guest_link links[GUEST_LINKS_MAX];
	struct link_address addresses[LINK_ADDRESSES_MAX];
	struct link_route routes[LINK_ROUTES_MAX]; /* .index: which of the links, from 1; 0: none */
};

/* -EPROTO: those bytes are none. */
int guest_network_read(const void *bytes, size_t size, struct guest_network *ret);

/*
 * Makes it, in the network namespace of `nl`: links are known by their MAC,
 * and waited for; they get their names, MTUs, addresses and routes.
 */
int guest_network_apply(struct netlink *nl, const struct guest_network *n, struct err *e)
	MUST_CHECK;

#endif
