/*
 * doctor.h - what this host can do for a caller who wants to run containers.
 *
 *	doctor_read()   facts from files below a root descriptor: a host, or a
 *	                tree that a test made up
 *	doctor_probe()  what only trying tells, in processes that end and leave
 *	                nothing; this host only
 *
 * Nothing is judged here: cli/doctor_words.h says what is missing and how to
 * mend it. A file that isn't there is a fact, no failure.
 */
#ifndef HULL_RUNTIME_DOCTOR_H
#define HULL_RUNTIME_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_decode.h"
#include "cgroups/host.h"

/* How far a file of a helper program or a device may be used. */
enum doctor_access { DOCTOR_ABSENT, DOCTOR_FORBIDDEN, DOCTOR_USABLE };

enum doctor_program {
	DOCTOR_NEWUIDMAP,
	DOCTOR_NEWGIDMAP,
	DOCTOR_NFT,
	DOCTOR_PASTA,
	DOCTOR_SLIRP4NETNS,
	DOCTOR_CRIU,
	DOCTOR_PROGRAMS,
};

/* -1: not tried, 0: it works, else the errno of its failure. */
struct doctor_probes {
	int user_namespace; /* made, mapped, and with capabilities in it */
	int namespaces;     /* the others; in a user namespace unless the caller is root */
	int overlay;        /* mounted; in a user namespace unless the caller is root */
	int idmapped;       /* a mount of the root file system; root only */
};

/* clang-format off */
#define DOCTOR_NOT_PROBED { -1, -1, -1, -1 }
/* clang-format on */

struct doctor_facts {
	uid_t uid;
	bool rootless;    /* not the host's root: another user, or root of a user namespace */
	const char *user; /* NULL: not in /etc/passwd */
	const char *kernel;
	unsigned kernel_major, kernel_minor; /* 0.0: not understood */

	enum cgroup_mode cgroup_mode;
	const char *cgroup_mount; /* "/sys/fs/cgroup"; NULL: CGROUP_NONE */
	const char *controllers;  /* what v2 can hand out to this caller */
	const char *v1;           /* what v1 holds */
	const char *own;          /* the caller's own cgroup, NULL: not to be seen */
	bool delegated;           /* it may make cgroups beside its own */

	bool has_user_namespaces;
	struct opt_u64 user_namespaces_max;      /* user.max_user_namespaces */
	struct opt_u64 user_namespaces_users;    /* Debian's kernel.unprivileged_userns_clone */
	struct opt_u64 user_namespaces_apparmor; /* kernel.apparmor_restrict_unprivileged_userns */
	uint64_t subuids, subgids;               /* how many ids beside its own, all ranges */
	uint64_t free_id; /* from here on no user has subordinate ids; at least 100000 */

	const char *seccomp; /* the actions, NULL: the kernel has no filters */
	bool overlay_listed; /* in /proc/filesystems; a module comes when it is asked for */
	enum doctor_access programs[DOCTOR_PROGRAMS];
	enum doctor_access kvm;
	const char *lsms; /* "capability,landlock,apparmor", NULL: securityfs is not mounted */
	bool apparmor, selinux;

	bool systemd; /* it is process 1 */
	bool bus;     /* the caller's systemd can be asked: the system's, or the user's own */

	struct doctor_probes probes;
};

/* `uid` is the caller's, `user_bus` its $DBUS_SESSION_BUS_ADDRESS or NULL. Not probed. */
int doctor_read(int root, uid_t uid, const char *user_bus, struct arena *a,
		struct doctor_facts *ret, struct err *e) MUST_CHECK;

int doctor_probe(struct doctor_probes *ret, struct err *e) MUST_CHECK;

/* Where the ranges of all users end. */
uint64_t doctor_last_id(const char *text);

/* How many ids of /etc/subuid or /etc/subgid belong to a user, by name or number. */
uint64_t doctor_count_ids(const char *text, const char *user, uid_t uid);

#endif
