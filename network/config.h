/*
 * config.h - named networks: planned from what is asked for, kept on disk.
 *
 *	DIR/lock, containers.lock  held by whoever changes anything below DIR (lock.h)
 *	DIR/networks/NAME.json  a network
 *	DIR/leases/NAME         who has which of its addresses (ipam.h)
 *	DIR/containers/ID.json  what was made for a container (record.h)
 *
 * The default network, "bridge", is made when it is first asked for.
 */
#ifndef HULL_NETWORK_CONFIG_H
#define HULL_NETWORK_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "network/cni.h"
#include "network/subnet.h"

#define NETWORK_DEFAULT "bridge"

/* What CNI plug-ins make is never on disk here: its configuration is elsewhere (cni.h). */
enum network_driver { NETWORK_BRIDGE, NETWORK_MACVLAN, NETWORK_IPVLAN, NETWORK_CNI };

struct network {
	const char *name;
	enum network_driver driver;
	const char *link;              /* the bridge's name; of the others: the link they are on */
	struct subnet subnet, subnet6; /* family 0: none of that kind */
	struct net_addr gateway, gateway6;
	bool internal;             /* nothing goes out of it or comes in */
	uint32_t mtu;              /* 0: the kernel's choice */
	const struct cni_net *cni; /* NETWORK_CNI, and looked for: its configuration */
};

struct network_list {
	struct network *at;
	size_t n;
};

/* What `network create` is told. */
struct network_wish {
	const char *name;
	enum network_driver driver;
	const char *parent;            /* macvlan, ipvlan: the link they are on */
	struct subnet subnet, subnet6; /* family 0: chosen; IPv6 only with `ipv6` */
	struct net_addr gateway, gateway6;
	bool ipv6, internal;
	uint32_t mtu;
};

struct subnet_list {
	struct subnet *at;
	size_t n;
};

/* What the plan depends on. */
struct network_facts {
	struct network_list networks; /* that there are */
	struct subnet_list routes;    /* of the host */
	struct strings links;         /* of the host */
	uint8_t random[5];            /* for an IPv6 subnet of one's own (RFC 4193) */
};

/* Pure; strings of *ret are the wish's or the arena's. */
int network_plan(const struct network_wish *wish, const struct network_facts *facts,
		 struct arena *a, struct network *ret, struct err *e) MUST_CHECK;

const char *network_driver_name(enum network_driver driver);
int network_driver_parse(const char *name, enum network_driver *ret) MUST_CHECK;

/* The path of DIR, for programs that are to open files there. */
int network_state_path(int state_dir_fd, struct arena *a, const char **ret, struct err *e)
	MUST_CHECK;

/* Refuses a name that there is already. */
int network_create(int state_dir_fd, const struct network_wish *wish, struct arena *a,
		   struct network *ret, struct err *e) MUST_CHECK;
/*
 * NULL is the default network; a network that is not here may be one of CNI. The caller holds the lock if it
 * may have to be made.
 */
int network_find(int state_dir_fd, const char *name, struct arena *a, struct network *ret,
		 struct err *e) MUST_CHECK;
/* In the order of their names. */
int network_list_read(int state_dir_fd, struct arena *a, struct network_list *ret, struct err *e)
	MUST_CHECK;
/* The file alone; see network_remove() in bridge.h. There is none: success. */
int network_forget(int state_dir_fd, const char *name, struct err *e) MUST_CHECK;

/* Names of files in DIR/SUBDIR that end with `suffix`, without it, sorted. */
int network_files(int state_dir_fd, const char *subdir, const char *suffix, struct arena *a,
		  struct strings *ret, struct err *e) MUST_CHECK;
/* The same of those that io_replace_file() has not written to their end. */
int network_files_unwritten(int state_dir_fd, const char *subdir, const char *suffix,
			    struct arena *a, struct strings *ret, struct err *e) MUST_CHECK;

#endif
