/*
 * cni.h - networks that CNI plug-ins make: configurations, what plug-ins are told and what they
 * answer, by the Container Network Interface Specification, versions 0.3.0 and later.
 *
 *	cni_find("name", &arena, &net, e)           /etc/cni/net.d, or $NETCONFPATH
 *	cni_prepare(&net, &wish, &arena, &p, e)     what is kept in the record, and run from there
 *	cni_add(&call, &arena, &result_text, &result, e)
 *	cni_check(&call, e), cni_delete(&call, e)   call.result is what add answered
 *
 * Plug-ins are programs in $CNI_PATH, by default /opt/cni/bin and /usr/lib/cni; what one directory
 * has made is taken away by the same (cni_prepared.path). They get the variables of the
 * specification and PATH, and nothing else of ours; when we die they are killed. What they have
 * started themselves, as bridge does host-local, is not: it ends by itself a moment later.
 */
#ifndef HULL_NETWORK_CNI_H
#define HULL_NETWORK_CNI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "network/port.h"
#include "network/subnet.h"

enum { CNI_SIZE_MAX = 256 * 1024 /* of a configuration, of a result */ };

/* What plug-ins can be told beside their configuration. */
struct cni_capabilities {
	bool ports, ips, mac, aliases;
};

/* A configuration, of one plug-in or a list of them. */
struct cni_net {
	const char *name, *version, *file;
	struct strings types; /* of its plug-ins, in their order */
	struct cni_capabilities any;
	const char *text; /* as in the file */
	size_t size;
};

struct cni_net_list {
	struct cni_net *at;
	size_t n;
};

/* What a container wants of it. */
struct cni_wish {
	struct net_addr ip, ip6;
	struct net_mac mac;
	struct strings aliases;
	struct port_list ports;
};

/* What is run for one container, as it is kept in its record. */
struct cni_prepared {
	struct strings plugins; /* for each, its configuration in JSON; it is one object */
	bool unchecked;         /* there is no CHECK */
	const char *path; /* directories of the programs; NULL, in an old record: cni_path() */
};

/* What plug-ins made. Of each family the first address in the container. */
struct cni_result {
	struct subnet ip, ip6; /* the address in `base` */
	struct net_addr gateway, gateway6;
	struct net_mac mac;
	struct strings servers, searches, options; /* for resolv.conf */
};

/* Pure: a file's content. `file` is its name for messages. */
int cni_parse(const char *file, const char *text, size_t size, struct arena *a, struct cni_net *ret,
	      struct err *e) MUST_CHECK;

/*
 * Pure: what to run for this container: each plug-in's configuration with the network's name and
 * version and its runtimeConfig. Refuses an address or MAC that no plug-in takes.
 */
int cni_prepare(const struct cni_net *net, const struct cni_wish *wish, struct arena *a,
		struct cni_prepared *ret, struct err *e) MUST_CHECK;

/* Pure: an answer to ADD, for the interface `name`. */
int cni_result_parse(const char *text, size_t size, const char *name, struct arena *a,
		     struct cni_result *ret, struct err *e) MUST_CHECK;

/*
 * Pure: what a plug-in said when it failed, in `ret` for people: its msg, code and details.
 * Returns -EINVAL if that is no such answer.
 */
int cni_failure_parse(const char *text, size_t size, struct arena *a, const char **ret) MUST_CHECK;

/* -ENOENT without words: no configuration has that name. Files that are wrong are warned of then. */
int cni_find(const char *name, struct arena *a, struct cni_net *ret, struct err *e) MUST_CHECK;
/* All that are right, in the order of their files' names; no directory is none. */
int cni_list(struct arena *a, struct cni_net_list *ret, struct err *e) MUST_CHECK;

/* Where plug-ins are looked for: directories between colons. */
const char *cni_path(void);
/* Whether all its plug-ins are there, before anything is made. */
int cni_programs_check(const struct cni_net *net, struct err *e) MUST_CHECK;

struct cni_call {
	const struct cni_prepared *prepared;
	const char *result;    /* of cni_add(); NULL: none yet */
	const char *container; /* its id */
	const char
		*netns; /* a path, the same for each; NULL: it is gone, which DEL alone can bear */
	const char *interface;
};

/* What was made by plug-ins before one that failed is there until cni_delete(). */
int cni_add(const struct cni_call *call, struct arena *a, const char **ret_text,
	    struct cni_result *ret, struct err *e) MUST_CHECK;
/* -ENOTSUP: the version has no CHECK, or the configuration wants none. */
int cni_check(const struct cni_call *call, struct err *e) MUST_CHECK;
/* In reverse; goes on after one that fails, and returns the first failure. */
int cni_delete(const struct cni_call *call, struct err *e) MUST_CHECK;

#endif
