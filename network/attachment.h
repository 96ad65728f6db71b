/*
 * attachment.h - one container's networks, decided, made and taken away one at a time:
 * what attach.c, connect.c and detach.c have in common. What changes anything is called with
 * the container's lock held and, but for what is made inside of it, the networks' (lock.h).
 *
 * The record on disk is ahead of what there is: an interface is in it, marked as
 * partial, before anything of it is made, and until all of it is gone.
 */
#ifndef HULL_NETWORK_ATTACHMENT_H
#define HULL_NETWORK_ATTACHMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "network/attach.h"
#include "network/config.h"
#include "network/netlink.h"
#include "network/record.h"

enum { NETWORKS_MAX = 32 /* of one container */ };

struct attached {
	struct network network;
	struct net_interface interface;
	struct cni_result cni; /* NETWORK_CNI: what its plug-ins made */
	unsigned master; /* index of the bridge, or of the link a child is on; 0: not looked for */
};

/* One container's; strings live in the arena. on[i] is what record.interfaces.at[i] stands for. */
struct attachment {
	int dir;
	int lock; /* the networks', which is let go of while plug-ins run; -1: that is not held */
	struct arena *a;
	struct record record;
	struct attached on[NETWORKS_MAX];
};

/* The words of a request; nothing is touched. */
int attachment_check(const struct net_request *req, struct err *e) MUST_CHECK;

/* Reads the record of a container, and of which kind its networks are. -ENOENT without words: none. */
int attachment_load(struct attachment *at, const char *id, struct err *e) MUST_CHECK;

/* Decides a further interface and puts it at the end of the record, in memory alone. */
int attachment_plan(struct attachment *at, const struct net_join *join, struct err *e) MUST_CHECK;

/* Where published ports lead if it were not on network `except` (SIZE_MAX: it is on all). */
void attachment_targets(const struct attachment *at, size_t except, struct net_addr *ret,
			struct net_addr *ret6);
/* Which network has the way out in this family, SIZE_MAX if none. */
size_t attachment_way_out(const struct attachment *at, int family, size_t except);

/* Makes i's: its lease; its bridge; its names (a warning where nothing can answer them); its link. */
int attachment_lease(const struct attachment *at, size_t i, struct err *e) MUST_CHECK;
int attachment_up(struct attachment *at, size_t i, struct netlink *nl, struct err *e) MUST_CHECK;
int attachment_names(struct attachment *at, size_t i, const char *hostname, struct err *e)
	MUST_CHECK;
int attachment_link(struct attachment *at, size_t i, struct netlink *nl, int netns_fd,
		    struct err *e) MUST_CHECK;

/* The same in the container's namespace `netns_fd`, whose socket is `nl`. */
int attachment_set_up(const struct attachment *at, size_t i, struct netlink *nl, int netns_fd,
		      struct err *e) MUST_CHECK;
/* Its way out is over i. It has one already: success. */
int attachment_route(const struct attachment *at, size_t i, int family, struct netlink *nl,
		     struct err *e) MUST_CHECK;

/*
 * Lets published ports lead to where they do without network `except`. The record on disk
 * follows. `always`: also if that is what the record says.
 */
int attachment_move_ports(struct attachment *at, size_t except, bool always, struct err *e)
	MUST_CHECK;

/*
 * Takes i's away, made or half made, and then forgets it, on disk too. `netns_fd` is the
 * container's namespace; -1: that is gone. `force`: also if the container has put its end
 * where it is not found.
 */
int attachment_remove(struct attachment *at, size_t i, int netns_fd, bool force, struct err *e)
	MUST_CHECK;
/* What a killed hull left of interfaces that it was making, or taking away. */
int attachment_repair(struct attachment *at, struct err *e) MUST_CHECK;

/*
 * The network namespace of the container's first process. Returns a descriptor; -ESRCH: it has
 * ended. Refuses one that is hull's own.
 */
int attachment_netns(const struct attachment *at, struct err *e) MUST_CHECK;

/* The hosts and resolv.conf of the container as it is attached now, into ret->arena. */
int attachment_files(const struct attachment *at, const struct net_request *req,
		     struct net_result *ret, struct err *e) MUST_CHECK;

/* What ret says of interfaces and ports. */
void attachment_result(const struct attachment *at, struct net_result *ret);

/* What i's plug-ins are told: what `join` asks for, and the ports that they publish. */
int attachment_cni_plan(struct attachment *at, size_t i, const struct net_join *join,
			const struct port_list *ports, struct err *e) MUST_CHECK;
/*
 * Runs the plug-ins of i's network. `netns_fd` is the container's namespace; -1: that is gone, which
 * only DEL can bear. The record on disk has what ADD answered.
 */
int attachment_cni_add(struct attachment *at, size_t i, int netns_fd, struct err *e) MUST_CHECK;
int attachment_cni_delete(const struct attachment *at, size_t i, int netns_fd, struct err *e)
	MUST_CHECK;
int attachment_cni_check(const struct attachment *at, size_t i, int netns_fd, struct err *e)
	MUST_CHECK;
/* The file that leads plug-ins to the namespace, of one who was killed. There is none: success. */
int attachment_cni_forget(int state_dir_fd, const char *id, struct err *e) MUST_CHECK;

/* network_detach() with the container's lock held. */
int attachment_detach(int state_dir_fd, const char *id, struct buf *ret_left, struct err *e)
	MUST_CHECK;

/* A link on the host, if it is the container's. There is none: success. */
int attachment_delete_link(struct netlink *nl, const char *id, const char *name, struct err *e)
	MUST_CHECK;

#endif
