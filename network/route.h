/*
 * route.h - routes in full, so that they can be made again elsewhere (link.h has simple ones).
 *
 * Of the main table, those that somebody made: what the kernel derives of
 * addresses, or hears of routers, comes by itself.
 */
#ifndef HULL_NETWORK_ROUTE_H
#define HULL_NETWORK_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "network/netlink.h"

enum { LINK_ROUTES_MAX = 256, ROUTE_METRICS_MAX = 64 };

/* As RTM_GETROUTE shows it. */
struct link_route {
	uint8_t family, prefix, scope, type, protocol, onlink;
	uint8_t destination_len, gateway_len, source_len, metrics_len; /* 0: it has none */
	uint32_t index;    /* of the link that it goes over; 0: none (unreachable...) */
	uint32_t priority; /* 0: the kernel's choice */
	uint8_t destination[16], gateway[16], source[16];
	uint8_t metrics[ROUTE_METRICS_MAX]; /* RTA_METRICS as it is: MTU... */
};

/*
 * At most LINK_ROUTES_MAX, into `ret`; returns how many. One that this struct
 * can't hold (several ways, an encapsulation) is an error: -ENOTSUP.
 */
int routes_read(struct netlink *nl, struct link_route *ret, struct err *e) MUST_CHECK;

/* Whether its lengths are those of addresses and metrics: of one that came from elsewhere. */
bool route_is_sound(const struct link_route *r);

/* Makes one that is sound. It is there already: success. */
int route_repeat(struct netlink *nl, const struct link_route *r, struct err *e) MUST_CHECK;

#endif
