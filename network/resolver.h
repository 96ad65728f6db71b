/*
 * resolver.h - hull-dns, one for each network that was created: started with the
 * first container on it, ended with the last. The caller holds the lock of the
 * networks.
 */
#ifndef HULL_NETWORK_RESOLVER_H
#define HULL_NETWORK_RESOLVER_H

#include <stdbool.h>

#include "base/err.h"
#include "base/list.h"
#include "network/config.h"
#include "network/names.h"

/* Whether containers on it are answered by name: bridges, but the default one. */
bool resolver_wanted(const struct network *n);

/* What is added for a container. */
struct resolver_entry {
	const char *container;
	struct net_addr ip, ip6;
	struct strings names; /* what is no host name is passed over */
	struct strings also;  /* its other networks that have a resolver */
};

/*
 * Adds the container and sees to it that hull-dns runs. -ENOENT: it is not installed;
 * then nothing was done.
 */
int resolver_add(int state_dir_fd, const struct network *n, const struct resolver_entry *entry,
		 struct err *e) MUST_CHECK;

/* Takes the names back, and hull-dns if nobody is left. No such names: success. */
int resolver_drop(int state_dir_fd, const char *network, const char *container, struct err *e)
	MUST_CHECK;

/*
 * Tells the resolver of `network`, where the container is, whether it is on `other` as well.
 * It has no resolver: success.
 */
int resolver_tell(int state_dir_fd, const char *network, const char *container, const char *other,
		  bool joined, struct err *e) MUST_CHECK;

#endif
