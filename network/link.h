/*
 * link.h - links, their addresses and routes. Each call is one request to the kernel.
 *
 * Names of links are at most 15 bytes. Where a kind of link is missing in the
 * kernel, the message says so by its name.
 */
#ifndef HULL_NETWORK_LINK_H
#define HULL_NETWORK_LINK_H

#include <net/if.h>
#include <stdbool.h>

#include "network/netlink.h"
#include "network/subnet.h"

enum { LINK_ALIAS_MAX = 255 };

struct link_info {
	unsigned index, master, mtu;
	unsigned type; /* ARPHRD_ETHER... */
	bool up;
	char name[IF_NAMESIZE];
	char kind[16]; /* "bridge", "veth"...; "" for hardware and lo */
	char alias[LINK_ALIAS_MAX + 1];
	struct net_mac mac;
};

/* What a new link is to be; what is zero or NULL is the kernel's choice. */
struct link_wish {
	const char *name;
	unsigned mtu;
	struct net_mac mac;
	unsigned master; /* index of the bridge it becomes a port of */
	int netns_fd;    /* where it is to be; -1 or 0: the socket's namespace */
	bool up;
};

/* One of the socket's namespace. -ENODEV without words if there is none. */
int link_get(struct netlink *nl, const char *name, struct link_info *ret, struct err *e) MUST_CHECK;
/* Calls fn for each link. */
int link_each(struct netlink *nl, int (*fn)(const struct link_info *link, void *ctx), void *ctx,
	      struct err *e) MUST_CHECK;

int link_make_bridge(struct netlink *nl, const struct link_wish *wish, struct err *e) MUST_CHECK;
int link_make_dummy(struct netlink *nl, const struct link_wish *wish, struct err *e) MUST_CHECK;
/* Both ends at once, each where it belongs. The peer is to be set up later: it has no end yet. */
int link_make_veth(struct netlink *nl, const struct link_wish *wish, const struct link_wish *peer,
		   struct err *e) MUST_CHECK;

enum link_child { LINK_MACVLAN, LINK_IPVLAN };
/* A further interface on the link `parent` (its index). */
int link_make_child(struct netlink *nl, enum link_child kind, unsigned parent,
		    const struct link_wish *wish, struct err *e) MUST_CHECK;

int link_set_up(struct netlink *nl, const char *name, bool up, struct err *e) MUST_CHECK;
int link_set_mtu(struct netlink *nl, const char *name, unsigned mtu, struct err *e) MUST_CHECK;
/* While it is down; two names can't be one at any time. */
int link_rename(struct netlink *nl, unsigned index, const char *name, struct err *e) MUST_CHECK;
/* It gets no IPv6 address by itself: what is on it is somebody else's business. */
int link_set_no_addresses(struct netlink *nl, const char *name, struct err *e) MUST_CHECK;
int link_set_alias(struct netlink *nl, const char *name, const char *alias, struct err *e)
	MUST_CHECK;
/* Lets the bridge send what came from this port back to it. */
int link_set_hairpin(struct netlink *nl, const char *name, struct err *e) MUST_CHECK;
/* Moves it to another namespace, under another name. */
int link_move(struct netlink *nl, const char *name, int netns_fd, const char *new_name,
	      struct err *e) MUST_CHECK;
/* There is none: success. */
int link_delete(struct netlink *nl, const char *name, struct err *e) MUST_CHECK;

/* Adds address and prefix; it is usable at once. It is there already: success. */
int link_add_address(struct netlink *nl, const char *name, const struct subnet *address,
		     struct err *e) MUST_CHECK;

/* dst.base.family 0: the default route of the gateway's family. */
int route_add(struct netlink *nl, const char *name, const struct subnet *dst,
	      const struct net_addr *gateway, struct err *e) MUST_CHECK;
/* Calls fn for the destination of each route of the main table but for default ones. */
int route_each(struct netlink *nl, int (*fn)(const struct subnet *dst, void *ctx), void *ctx,
	       struct err *e) MUST_CHECK;

#endif
