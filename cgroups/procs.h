/*
 * procs.h - the processes of a cgroup and of all cgroups below it.
 *
 * Whether it has any and whether they are frozen stands in its cgroup.events,
 * which can be waited for; nothing here sleeps.
 */
#ifndef HULL_CGROUPS_PROCS_H
#define HULL_CGROUPS_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroups/cgroup.h"

struct cgroup_pids {
	pid_t *at; /* ascending, each once */
	size_t n;
};

/* All of them, in `a`. One that is gone has none. */
int cgroup_pids(const struct cgroup *cg, struct arena *a, struct cgroup_pids *ret, struct err *e)
	MUST_CHECK;

/* 1 if it has any living process, 0 if not or if it is gone. */
int cgroup_populated(const struct cgroup *cg, struct err *e) MUST_CHECK;

/* 1 if it is frozen, by itself or by a parent, 0 if not or if it is gone. */
int cgroup_is_frozen(const struct cgroup *cg, struct err *e) MUST_CHECK;

/* Refuses (-EBUSY) a cgroup in which a new container could not live: frozen, or not empty. */
int cgroup_check_fit(const struct cgroup *cg, struct err *e) MUST_CHECK;

/* Freezes or thaws, and waits until it is so; if that takes too long, takes it back. */
int cgroup_freeze(const struct cgroup *cg, bool frozen, struct err *e) MUST_CHECK;

/* Sends SIGKILL to all, frozen or not; does not wait. */
int cgroup_kill(const struct cgroup *cg, struct err *e) MUST_CHECK;

/* Sends any signal to all that are there now. */
int cgroup_signal(const struct cgroup *cg, int signal, struct err *e) MUST_CHECK;

/* Waits until no process is left: -ETIMEDOUT after so many milliseconds, -ENOENT if it is gone. */
int cgroup_wait_empty(const struct cgroup *cg, int timeout, struct err *e) MUST_CHECK;

/* Moves a process, with all its threads, into it. */
int cgroup_add_pid(const struct cgroup *cg, pid_t pid, struct err *e) MUST_CHECK;
int cgroup_move_self(const struct cgroup *cg, struct err *e) MUST_CHECK;

#endif
