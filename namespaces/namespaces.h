/*
 * namespaces.h - which namespaces a process gets, and how it gets there.
 *
 * A plan says for each of the eight types whether a process makes a new one,
 * joins one by path, or shares the runtime's. Three facts of the kernel shape
 * how the plan is carried out (clone(2), setns(2), namespaces(7)):
 *
 * - New namespaces belong to the user namespace of whoever makes them. A new
 *   user namespace goes into the same clone3(2) as the others and is made
 *   first; a joined one has to be joined before the others are made.
 * - Joining a PID namespace changes only children. So the parent joins, then
 *   clones; its own namespace does not change.
 * - A cgroup namespace has the cgroup of its maker as root, and clone3(2) makes
 *   it before it moves the child: the child has to make it by itself. A time
 *   namespace takes offsets only until somebody is in it: the child as well.
 */
#ifndef HULL_NAMESPACES_NAMESPACES_H
#define HULL_NAMESPACES_NAMESPACES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "spec/spec.h"

struct ns_kind {
	const char *name; /* as config.json calls it */
	const char *file; /* in /proc/PID/ns */
	uint64_t flag;    /* CLONE_NEW* */
};

/* Indexed by enum spec_ns. */
extern const struct ns_kind ns_kinds[SPEC_NS_KINDS];

struct ns_plan {
	uint64_t clone;                   /* CLONE_NEW* flags of the clone that makes the process */
	uint64_t later;                   /* those that the process makes by itself */
	const char *paths[SPEC_NS_KINDS]; /* to be joined, NULL for the others */
};

/* Pure: what the configuration asks for. */
void ns_plan(const struct spec *s, struct ns_plan *ret);

/* Is this type made or joined, rather than shared with the runtime? */
bool ns_is_own(const struct ns_plan *plan, enum spec_ns kind);

/* Descriptors of namespaces to join; -1 for none. */
struct ns_fds {
	int at[SPEC_NS_KINDS];
};
#define NS_FDS_NONE                                    \
	{                                              \
		{                                      \
			-1, -1, -1, -1, -1, -1, -1, -1 \
		}                                      \
	}
#define auto_ns_fds __attribute__((cleanup(ns_fds_close)))
void ns_fds_close(struct ns_fds *fds);

/* Opens the plan's paths; each must be a namespace of its type. */
int ns_open_paths(const struct ns_plan *plan, struct ns_fds *ret, struct err *e) MUST_CHECK;

/*
 * Opens the namespaces of the process `pid` that are not ours already: what a
 * further process of its container has to join. `procfd` is a procfs root. -ESRCH: it has ended.
 */
int ns_open_process(int procfd, pid_t pid, struct ns_fds *ret, struct err *e) MUST_CHECK;

/* Joins all that are open, the user namespace before those that may belong to it; `skip` is a set of 1 << enum spec_ns. */
int ns_join(const struct ns_fds *fds, unsigned skip, struct err *e) MUST_CHECK;

/*
 * Makes the PID namespace `fd` that of our further children, or with -1 that
 * of our own again.
 */
int ns_children_pid(int fd, struct err *e) MUST_CHECK;

/* Makes the namespaces of plan->later; writes the time offsets and enters the time namespace. */
int ns_make_later(const struct ns_plan *plan, const struct spec *s, struct err *e) MUST_CHECK;

#endif
