/*
 * attach.h - a container's network: made, taken away, and swept up after a crash.
 *
 *	network_mode_parse(--network)           what is asked for
 *	dir = network_state_open(NULL, &e)      where networks and leases are kept
 *	network_attach(dir, &request, &result)  once the container's namespace is there
 *	...                                     result.resolv_conf, result.hosts
 *	network_detach(dir, id)                 when it has ended
 *
 *	network_connect(), network_disconnect() meanwhile, one network at a time
 *
 * What is made for a container is in a record on disk (containers/ID.json) before it
 * is made. So network_detach() needs only the id, and works after a kill -9 of
 * whoever attached; network_sweep() does it for every container whose owner is gone.
 */
#ifndef HULL_NETWORK_ATTACH_H
#define HULL_NETWORK_ATTACH_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "network/port.h"
#include "network/subnet.h"

enum net_mode {
	NET_NETWORKS, /* named networks; without names the default one */
	NET_NONE,     /* loopback alone */
	NET_HOST,     /* the host's namespace: no namespace of its own */
	NET_JOINED,   /* that of a container or a path: whoever made it set it up */
	NET_PASTA,    /* without root: pasta(1) connects it */
	NET_SLIRP,    /* without root: slirp4netns(1) does */
};

struct net_mode_choice {
	enum net_mode mode;
	const char *network;   /* NET_NETWORKS: its name, NULL for the default one */
	const char *container; /* NET_JOINED: "container:ID" */
	const char *path;      /* NET_JOINED: "ns:PATH" */
};

/*
 * What --network says: bridge, none, host, pasta, slirp4netns, container:ID,
 * ns:PATH, or the name of a network. Strings of *ret are parts of `text`.
 */
int network_mode_parse(const char *text, struct net_mode_choice *ret, struct err *e) MUST_CHECK;

/* One network to join; the container's interfaces are eth0, eth1... in their order. */
struct net_join {
	const char *network; /* NULL: the default one */
	struct net_addr ip, ip6;
	struct net_mac mac;
	struct strings aliases;
};

struct net_dns {
	struct strings servers, searches, options; /* instead of the host's, where any is given */
};

struct net_request {
	const char *container_id;
	pid_t owner;  /* the container's first process; what is made lives no longer than it */
	int netns_fd; /* its network namespace; unused for NET_HOST */
	enum net_mode mode;
	LIST(struct net_join) networks;
	bool apart; /* NET_NETWORKS without names: on none for now, instead of the default one */
	struct port_list ports;
	const char *hostname;     /* for the hosts file; NULL: the id */
	struct strings add_hosts; /* "NAME:ADDRESS", also "NAME:host-gateway" */
	struct net_dns dns;
};

struct net_interface {
	const char *network, *name;
	const char *driver;    /* the network's, "bridge" */
	struct subnet ip, ip6; /* the address in `base`, and the prefix */
	struct net_addr gateway, gateway6;
	struct net_mac mac;
	struct strings aliases;
};

/* All of it lives in the arena: network_result_done(). */
struct net_result {
	struct arena arena;
	LIST(struct net_interface) interfaces;
	struct port_list ports;  /* with the host ports that were chosen */
	bool ports4, ports6;     /* whether they lead to it over IPv4, over IPv6 */
	const char *resolv_conf; /* contents of the files, to be bound into the container */
	const char *hosts;
};

/*
 * Opens (makes) the directory of networks and leases: `path`, or for NULL
 * $HULL_NETWORK_DIR, /var/lib/hull/network as root, $XDG_STATE_HOME/hull/network
 * or ~/.local/state/hull/network else. Returns a descriptor.
 */
int network_state_open(const char *path, struct err *e) MUST_CHECK;

/* On failure nothing is left of it, and *ret is not touched. */
int network_attach(int state_dir_fd, const struct net_request *req, struct net_result *ret,
		   struct err *e) MUST_CHECK;
void network_result_done(struct net_result *ret);

/*
 * Nothing is there: success. Can be called again until it succeeds. *ret_left (may be NULL) gets the names of
 * the networks that it was on, with a NUL behind each.
 */
int network_detach(int state_dir_fd, const char *container_id, struct buf *ret_left,
		   struct err *e) MUST_CHECK;

/*
 * Gives a container that is attached a further network: req->networks has that one. Its owner,
 * namespace, mode and ports are as they were attached; host name, hosts and DNS are as they
 * would be, for the files in *ret, which also says all its interfaces. What is published may
 * lead over it. -ENOTCONN: it is not attached, or has ended; -EEXIST: it is on that network, or
 * somebody has the address. On failure nothing is left of it.
 */
int network_connect(int state_dir_fd, const struct net_request *req, struct net_result *ret,
		    struct err *e) MUST_CHECK;

/*
 * Takes a network away from an attached container; what is published leads over another one,
 * if it can. Returns 1 if it is not on that network; *ret is not touched then. Failures are as with
 * network_connect(). `force`: also where its end in the container cannot be found.
 */
int network_disconnect(int state_dir_fd, const struct net_request *req, const char *network,
		       bool force, struct net_result *ret, struct err *e) MUST_CHECK;

/* What it has now, without the files. -ENOTCONN: it is not attached, or has ended. */
int network_look(int state_dir_fd, const char *container_id, struct net_result *ret, struct err *e)
	MUST_CHECK;

/*
 * Whether what was made for it is still there: of a bridge the link on the host, and what CNI
 * plug-ins answer to CHECK, where they have it. -ENOTCONN: it is not attached, or has ended.
 */
int network_check(int state_dir_fd, const char *container_id, struct err *e) MUST_CHECK;

/* Whether a container that does not run could join: the network is there, and has the address. */
int network_join_check(int state_dir_fd, const struct net_join *join, struct err *e) MUST_CHECK;

/*
 * Detaches every container whose owner is gone; never what is not hull's. Returns how many. What
 * a killed connect or disconnect left of a living one is taken away too.
 */
int network_sweep(int state_dir_fd, struct err *e) MUST_CHECK;

#endif
