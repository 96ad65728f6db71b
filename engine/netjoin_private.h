/* netjoin_private.h - what netjoin.c and netconnect.c share. */
#ifndef HULL_ENGINE_NETJOIN_PRIVATE_H
#define HULL_ENGINE_NETJOIN_PRIVATE_H

#include "engine/netjoin.h"

/* What --network asks for: "bridge" means another thing without root, where no bridge can be made. */
int netjoin_mode(const struct engine *g, const char *text, struct net_mode_choice *ret,
		 struct err *e) MUST_CHECK;
/* What its network is called, if it is one of hull's; else NULL. */
const char *netjoin_network(const struct net_mode_choice *choice);
/* The directory of networks and leases, a descriptor. */
int netjoin_state(const struct engine *g, struct err *e) MUST_CHECK;

/* What the files in /etc are made of; `own` keeps the name. */
struct net_request netjoin_request(const struct record *r, char own[256]);
/* Writes those files; `dir` is the container's. */
int netjoin_fill_files(int dir, const struct net_result *result, struct err *e) MUST_CHECK;

#endif
