/*
 * netjoin.h - a container's network, and the files in /etc that speak of it.
 *
 *	netjoin_prepare()        before each start: the files have their content
 *	netjoin_before_start()   when its namespaces are there
 *	netjoin_leave()          when it has ended
 */
#ifndef HULL_ENGINE_NETJOIN_H
#define HULL_ENGINE_NETJOIN_H

#include "engine/engine.h"
#include "engine/record.h"

struct net_context {
	const struct engine *g;
	const struct record *record;
	int dir; /* the container's */
	bool attached;
};

/* What --network is unless it is given. */
const char *netjoin_default(const struct engine *g);
/* Whether its options make sense, before anything is made. */
int netjoin_check(const struct engine *g, const struct record *r, struct err *e) MUST_CHECK;
/* Whether it is given a network (and a namespace) of its own by us. */
bool netjoin_has_own(const struct engine *g, const struct record *r);

int netjoin_prepare(struct net_context *n, struct err *e) MUST_CHECK;
/* For create_request.before_start; `ctx` is a struct net_context. */
int netjoin_before_start(void *ctx, pid_t pid, struct err *e) MUST_CHECK;
void netjoin_leave(struct net_context *n);

#endif
