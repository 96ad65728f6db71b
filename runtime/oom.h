/*
 * oom.h - whether processes of a container were killed for lack of memory.
 *
 * The kernel counts that in memory.events of the cgroup, which stands until
 * the container is deleted; that of a unit of systemd only as long as it has processes. One that was there before us may have counted
 * before us, so what it had counted at the start is remembered in the state.
 */
#ifndef HULL_RUNTIME_OOM_H
#define HULL_RUNTIME_OOM_H

#include "cgroups/cgroup.h"
#include "runtime/state.h"

/* Into state->oom_kills, when the cgroup was made and before anything is in it. */
void oom_remember(const struct cgroup *cg, struct state *state);

/*
 * Into state->oom, what happened since, and into state->oom_counted whether that is known. If the
 * cgroup went with its unit of systemd, what a lookout saw (lookout.h), else what the kernel's log
 * has; `init` is the pid of the first process, which has ended.
 */
void oom_look(const struct cgroup *cg, pid_t init, struct state *state);

/* "the kernel killed 1 of its processes for lack of memory ...", appended; false: it did not. */
bool oom_describe(const struct state *state, struct buf *b);

/* Says so in the log, if there is anything to say. */
void oom_log(const struct state *state);

#endif
