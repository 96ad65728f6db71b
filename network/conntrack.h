/*
 * conntrack.h - the kernel's connections of UDP, which outlive who they led to.
 *
 * A connection keeps the way that its first packet took, published port or not, until nothing was
 * sent for half a minute. A client that goes on sending would reach a container's old address for ever: nobody, or
 * whoever has it next; and one that began before the port was published would never reach the container.
 */
#ifndef HULL_NETWORK_CONNTRACK_H
#define HULL_NETWORK_CONNTRACK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "network/record.h"

/*
 * Makes the kernel forget what came to the UDP ports that `r` publishes, in our network namespace: the
 * next packet is led by the rules as they are now. Asks nothing if there are no such ports. What fails is
 * a warning in the log: what was made or taken away is so all the same.
 */
void conntrack_forget(const struct record *r);

/* One connection, of a message of nf_conntrack_netlink (linux/netfilter/nfnetlink_conntrack.h). */
struct conntrack_flow {
	uint8_t protocol;
	uint16_t port;                          /* that its first packet was sent to */
	struct net_addr to;                     /* the address likewise */
	struct net_addr answered_by;            /* where that packet was led */
	const struct nlattr *tuple, *zone, *id; /* in the message; NULL: it has none */
};

/* False: the message is none, or one of another family. */
bool conntrack_read(const struct nlmsghdr *message, struct conntrack_flow *ret);
/* Whether it came to a published UDP port of `r`; not yet whether the address is the host's. */
bool conntrack_is_of(const struct conntrack_flow *flow, const struct record *r);

#endif
