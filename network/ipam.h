/*
 * ipam.h - who has which address of a network: DIR/leases/NAME.
 *
 * A plain file, written whole and renamed into place while the lock of the
 * networks is held:
 *
 *	last 10.76.0.7
 *	10.76.0.2 web
 *	10.76.0.7 db
 *
 * A free address is looked for behind the last one that was given, so that one
 * just given back is not at once somebody else's.
 */
#ifndef HULL_NETWORK_IPAM_H
#define HULL_NETWORK_IPAM_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "network/config.h"

enum { LEASES_SIZE_MAX = 32 * 1024 * 1024 };

struct lease {
	struct net_addr addr;
	const char *container;
};

struct leases {
	struct arena arena;
	struct lease *at;
	size_t n, size;
	struct net_addr last, last6;
};

#define auto_leases __attribute__((cleanup(leases_done)))

/* `name` is the network's, for messages. */
int leases_parse(const char *name, const char *text, size_t size, struct leases *ret, struct err *e)
	MUST_CHECK;
void leases_encode(const struct leases *l, struct buf *ret);
void leases_done(struct leases *l);

/*
 * Gives `container` the address `wish`, or for family 0 a free one of `family`.
 * -ENOSPC: all are taken; -EEXIST: that one is.
 */
int leases_take(struct leases *l, const struct network *network, int family,
		const struct net_addr *wish, const char *container, struct net_addr *ret,
		struct err *e) MUST_CHECK;
/* All that it has; returns how many. */
size_t leases_drop(struct leases *l, const char *container);

/* No file is no leases. */
int leases_read(int state_dir_fd, const char *network, struct leases *ret, struct err *e)
	MUST_CHECK;
int leases_write(int state_dir_fd, const char *network, const struct leases *l, struct err *e)
	MUST_CHECK;

#endif
