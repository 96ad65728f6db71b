/*
 * netjoin.h - a container's network, and the files in /etc that speak of it.
 *
 *	netjoin_prepare()        before each start: the files have their content
 *	netjoin_before_start()   when its namespaces are there
 *	netjoin_leave()          when it has ended
 *	netjoin_release()        the same by who removes it, if its keeper was killed
 *
 *	netjoin_connect(), netjoin_disconnect()   meanwhile, or while it does not run
 */
#ifndef HULL_ENGINE_NETJOIN_H
#define HULL_ENGINE_NETJOIN_H

#include "engine/engine.h"
#include "engine/joins.h"
#include "engine/record.h"

struct net_context {
	const struct engine *g;
	const struct record *record;
	int dir; /* the container's */
	bool attached;
	struct buf joined; /* "NAME\0DRIVER\0" of the networks that it was attached to */
	struct buf left;   /* "NAME\0" of those that it was on when it left */
	struct joins again; /* of a restore: networks with the addresses that it is to have again */
};

/* What --network is unless it is given. */
const char *netjoin_default(const struct engine *g);
/* Whether its options make sense, before anything is made. */
int netjoin_check(const struct engine *g, const struct record *r, const struct joins *joins,
		  struct err *e) MUST_CHECK;
/* The record has one of them; more than that are written down beside it, in `dir`, the container's. */
void netjoin_record(const struct joins *joins, struct record *r);
int netjoin_keep(const struct engine *g, int dir, const struct joins *joins, struct err *e)
	MUST_CHECK;
/* Whether it is given a network (and a namespace) of its own by us. */
bool netjoin_has_own(const struct engine *g, const struct record *r);

int netjoin_prepare(struct net_context *n, struct err *e) MUST_CHECK;
/* For create_request.before_start; `ctx` is a struct net_context. */
int netjoin_before_start(void *ctx, pid_t pid, struct err *e) MUST_CHECK;
void netjoin_leave(struct net_context *n);
void netjoin_done(struct net_context *n);

/* What is left of the network of a container that has ended. Nothing: success. */
int netjoin_release(const struct engine *g, const struct record *r, struct err *e) MUST_CHECK;

/*
 * Puts it on a further network, now if it runs, and at each start. -EEXIST: it is on it; -EINVAL:
 * its network is of a kind that has no others beside it; -ENOENT: there is no such container.
 */
int netjoin_connect(const struct engine *g, const char *who, const struct join *wish, struct err *e)
	MUST_CHECK;
/* The reverse. -ENOENT: it is not on it; with `force` that is success. */
int netjoin_disconnect(const struct engine *g, const char *who, const char *network, bool force,
		       struct err *e) MUST_CHECK;

/* Whether what networks made for it is still there; see network_check(). */
int netjoin_verify(const struct engine *g, const char *who, struct err *e) MUST_CHECK;

/* The networks that it is on, or will be; and what is published. */
struct netjoin_view {
	struct arena arena;
	struct joins joins;
	bool attached;
	struct net_result now; /* if it is attached */
};
void netjoin_view_done(struct netjoin_view *v);
#define auto_netjoin_view __attribute__((cleanup(netjoin_view_done)))
int netjoin_look(const struct engine *g, int dir, const struct record *r, struct netjoin_view *ret,
		 struct err *e) MUST_CHECK;

#endif
