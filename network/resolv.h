/*
 * resolv.h - what a container's /etc/resolv.conf and /etc/hosts say. Pure but
 * for resolv_read_host().
 */
#ifndef HULL_NETWORK_RESOLV_H
#define HULL_NETWORK_RESOLV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "network/attach.h"

/* What a resolv.conf says; what it says wrongly is passed over, as resolvers do. */
struct resolv {
	struct strings servers, searches, options;
};

enum { RESOLV_SIZE_MAX = 64 * 1024, RESOLV_SERVERS_MAX = 16 };

void resolv_parse(const char *text, size_t size, struct arena *a, struct resolv *ret);
/* Whether all its servers are the host's loopback: a container cannot reach them. */
bool resolv_is_local(const struct resolv *r);

/* The host's; where that names a local stub only, what systemd-resolved itself asks. */
int resolv_read_host(struct arena *a, struct resolv *ret, struct err *e) MUST_CHECK;

/* Refuses what is no address, no name, no option. */
int dns_check(const struct net_dns *dns, struct err *e) MUST_CHECK;

/*
 * The file: of each kind what `dns` has, or else the host's. Servers on the host's
 * loopback are left out unless `shared` says that the container has the host's network.
 */
const char *resolv_text(const struct resolv *host, const struct net_dns *dns, bool shared,
			struct arena *a);

struct hosts_facts {
	const char *hostname;
	struct net_addr own[2];  /* its addresses; family 0: none. Neither: 127.0.1.1 */
	struct net_addr gateway; /* what "host-gateway" means; family 0: nothing */
	struct strings extra;    /* "NAME:ADDRESS" */
};

int hosts_text(const struct hosts_facts *facts, struct arena *a, const char **ret, struct err *e)
	MUST_CHECK;

#endif
