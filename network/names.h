/*
 * names.h - who is called what on a network: DIR/names/NETWORK, for hull-dns.
 *
 *	10.76.1.2 db database
 *	fd00::2 db database
 *
 * are the address, the container's id and a name of it. Written whole and renamed
 * into place while the lock of the networks is held. Lines "upstream ADDRESS" say
 * who is asked about the rest; "also ID NETWORK", that the container is on another
 * network with names, whose names are its to ask for too.
 */
#ifndef HULL_NETWORK_NAMES_H
#define HULL_NETWORK_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "network/subnet.h"

enum { NAMES_SIZE_MAX = 16 * 1024 * 1024, NAMES_UPSTREAM_MAX = 4 };

struct name_row {
	struct net_addr addr;
	const char *container, *name; /* the name in lower case */
};

struct name_also {
	const char *container, *network;
};

struct names {
	struct arena arena;
	struct name_row *at;
	size_t n, size;
	struct name_also *also;
	size_t n_also;
	struct net_addr upstream[NAMES_UPSTREAM_MAX];
	size_t n_upstream;
};

#define auto_names __attribute__((cleanup(names_done)))

/* Lines that are none are passed over. */
void names_parse(const char *text, size_t size, struct names *ret);
void names_encode(const struct names *n, struct buf *ret);
void names_done(struct names *n);
void names_add(struct names *n, const struct net_addr *addr, const char *container,
	       const char *name);
void names_add_also(struct names *n, const char *container, const char *network);
void names_drop_also(struct names *n, const char *container, const char *network);
/* All that is about the container; returns how many names. */
size_t names_drop(struct names *n, const char *container);

/* Up to `max` addresses of the family that the name (in lower case) has; *known: it has any. */
size_t names_find(const struct names *n, const char *name, int family, struct net_addr *ret,
		  size_t max, bool *known);
/* Whose the address is, NULL if nobody's; and the first name of it. */
const char *names_owner(const struct names *n, const struct net_addr *addr);
const char *names_of(const struct names *n, const struct net_addr *addr);

/* No file is no names. */
int names_read(int state_dir_fd, const char *network, struct names *ret, struct err *e) MUST_CHECK;
int names_write(int state_dir_fd, const char *network, const struct names *n, struct err *e)
	MUST_CHECK;

#endif
