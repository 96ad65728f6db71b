/*
 * joins.h - which networks a container is on, from one start to the next:
 * DATA/containers/ID/networks.json, written when it is made for several, and by connect and
 * disconnect. Until then it is the one of its record.
 */
#ifndef HULL_ENGINE_JOINS_H
#define HULL_ENGINE_JOINS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "engine/record.h"
#include "network/attach.h"

/* As people wrote it. */
struct join {
	const char *network, *ip, *ip6, *mac; /* NULL: chosen */
	struct strings aliases;
};

struct joins {
	LIST(struct join) list;
};

/*
 * Held by who changes them, from reading to what is made of them, and by who removes the
 * container. Waits. Returns a descriptor; -ENOENT "no such container": it was removed meanwhile.
 */
int joins_lock(int dir, const char *id, struct err *e) MUST_CHECK;

/* `network` is what the record's means as a name; strings are the arena's, the record's or it. */
int joins_read(int dir, const struct record *r, const char *network, struct arena *a,
	       struct joins *ret, struct err *e) MUST_CHECK;
/* Those of the file alone; -ENOENT. */
int joins_read_file(int dir, struct arena *a, struct joins *ret, struct err *e) MUST_CHECK;
int joins_write(int dir, const struct joins *j, struct err *e) MUST_CHECK;

/* For the networks: addresses are read, and the container's name is one more alias. */
int join_parse(const struct join *j, const char *name, struct arena *a, struct net_join *ret,
	       struct err *e) MUST_CHECK;

#endif
