/*
 * redirect.h - all that comes in at one link goes out by another, instead of to anybody here
 * (tc-mirred(8), by an ingress qdisc).
 *
 * How a microVM gets the packets of its namespace's interface: from eth0 to
 * its tap, and from the tap to eth0. The filter has a mark of ours. When the
 * tap goes, what is at the tap goes with it; what is at eth0 stays, drops all
 * that comes in, and is known by its mark and by having no other end.
 */
#ifndef HULL_NETWORK_REDIRECT_H
#define HULL_NETWORK_REDIRECT_H

#include "network/netlink.h"

/* From the link `from`, called `name`, to the link `to`. -EEXIST: somebody has its packets already. */
int redirect_make(struct netlink *nl, unsigned from, const char *name, unsigned to, struct err *e)
	MUST_CHECK;

/* Takes back one that was made. It is gone: success. */
int redirect_remove(struct netlink *nl, unsigned from, const char *name, struct err *e) MUST_CHECK;

/* Takes it back if it is one of ours without another end; 1 if it was. */
int redirect_clear(struct netlink *nl, unsigned from, const char *name, struct err *e) MUST_CHECK;

#endif
