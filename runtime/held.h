/*
 * held.h - where limits held a container back: processes, CPU time, I/O.
 *
 * The kernel counts that in files of the cgroup, as it counts kills for lack
 * of memory (oom.h). A cgroup that was made for the container counts from 0;
 * what one that was there before had counted at the start is in the state.
 */
#ifndef HULL_RUNTIME_HELD_H
#define HULL_RUNTIME_HELD_H

#include "cgroups/cgroup.h"
#include "runtime/state.h"

/* Into state->held_before, when the cgroup was made and before anything is in it. */
void held_remember(const struct cgroup *cg, struct state *state);

/*
 * Into state->held, what happened since, if it is stopped: only what did is set. If the cgroup went
 * with its unit of systemd, what a lookout saw (lookout.h).
 */
void held_look(const struct cgroup *cg, struct state *state);

/*
 * "the kernel refused 3 of its forks: its limit is 33 processes; ...", appended; false: nothing
 * held it back.
 */
bool held_describe(const struct state *state, struct buf *b);

/* Says so in the log: a warning if processes were refused, which programs seldom survive. */
void held_log(const struct state *state);

#endif
