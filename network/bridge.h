/*
 * bridge.h - a network in the kernel: its bridge, its settings, its rules.
 * The caller holds the lock of the networks.
 */
#ifndef HULL_NETWORK_BRIDGE_H
#define HULL_NETWORK_BRIDGE_H

#include "base/err.h"
#include "network/config.h"
#include "network/link.h"

/* Makes what is missing of it. *ret is its bridge, or the link that it is on. */
int network_up(int state_dir_fd, struct netlink *nl, const struct network *n, struct link_info *ret,
	       struct err *e) MUST_CHECK;

/* Takes its bridge and rules away. */
int network_down(struct netlink *nl, const struct network *n, struct err *e) MUST_CHECK;

/*
 * Takes it all away, and then forgets it; takes the lock itself. Refused while a
 * container is on it, whose owner lives.
 */
int network_remove(int state_dir_fd, const char *name, struct err *e) MUST_CHECK;

/* If the table of rules is gone (somebody flushed all rules), writes it anew. */
int network_restore_rules(int state_dir_fd, struct err *e) MUST_CHECK;

#endif
