/*
 * plan.h - all decisions about one process, before anything is done.
 *
 * Made from the configuration and facts about the host, for a container's
 * first process (plan_create) and for a further one (plan_exec). What the
 * child does after the clone is read from here: it parses nothing.
 */
#ifndef HULL_RUNTIME_PLAN_H
#define HULL_RUNTIME_PLAN_H

#include <stdbool.h>

#include "cgroups/cgroup.h"
#include "mounts/plan.h"
#include "namespaces/namespaces.h"
#include "process/scheduling.h"
#include "runtime/container.h"
#include "runtime/host.h"
#include "security/caps.h"
#include "security/seccomp.h"
#include "spec/spec.h"

struct plan {
	struct arena arena; /* owns what the spec does not */
	const struct spec *spec;
	const struct spec_process *process; /* NULL: a container that cannot be started */
	const char *id;
	const char *bundle, *rootfs; /* absolute */
	struct ns_plan namespaces;
	struct mount_plan mounts;
	struct cgroup_plan cgroup; /* without a path: it stays in our cgroup */
	struct caps_plan caps;
	struct memory_plan memory;
	const struct number_set *first_cpus; /* execCPUAffinity.initial: ours when it is cloned */
	const struct number_set *cpus; /* ... and final; NULL without both: all of the cpuset */
	struct seccomp_filter seccomp; /* by plan_filter(); empty: none */
	uint64_t caps_until_filter; /* permitted until the filter is loaded, without no_new_privs */
	bool shows_itself;          /* for its listener to be taken without CAP_SYS_PTRACE */
	bool user_namespace;        /* made or joined */
	bool writes_maps;           /* made: its maps are ours to write */
	bool parent_opens;          /* the parent opens what is bound, else the child does */
	bool meets_prepared;        /* the parent has work to do at PREPARED */
	bool raises_limits;         /* ... among that process.rlimits; else init sets its own */
	bool terminal;
	bool new_keyring;
	unsigned listen_fds;   /* descriptors from 3 on that systemd gave us for it */
	unsigned preserve_fds; /* all that go to it, those included */
	const int *sockets;    /* those of listen_fds that are yet to be placed; NULL: they are */
	const char *socket_names; /* NULL: those that hull has */
	bool notifies;            /* it has a NOTIFY_SOCKET */
};

#define auto_plan __attribute__((cleanup(plan_done)))
void plan_done(struct plan *p);

/* What only the command line knows. */
struct plan_request {
	const char *id, *bundle, *rootfs;
	bool no_pivot, no_new_keyring, cgroups_disabled;
	unsigned preserve_fds, listen_fds;
	const int *sockets;
	const char *socket_names;
	const char *notify_dir;              /* on the host; NULL: no NOTIFY_SOCKET */
	const struct mount_overlay *overlay; /* NULL: the root is rootfs */
};

int plan_create(const struct spec *s, const struct plan_request *req, const struct host *host,
		struct plan *ret, struct err *e) MUST_CHECK;

/* `process` runs in the container that `s` configured; `caps` are added to its own. */
int plan_exec(const struct spec *s, const struct spec_process *process, const struct strings *caps,
	      const struct plan_request *req, struct plan *ret, struct err *e) MUST_CHECK;

/* Who sets its limits: hull where one is above our own, for which the process may lack the privilege. */
void plan_limits(struct plan *p);

/*
 * The last part of either: its filter, which may be one that was compiled
 * before and kept in the state root `root`; `apart`: not compiled in this process.
 */
int plan_filter(struct plan *p, int root, bool apart, struct err *e) MUST_CHECK;

#endif
