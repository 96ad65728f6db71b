/*
 * holder.h - a process that does nothing but be in a cgroup.
 *
 * A scope of systemd begins with a process and ends with its last one, and the
 * container's first can only be made in it once it is there. The holder has no
 * descriptors, obeys no signal but SIGKILL, and dies with its parent. Private
 * to cgroups/.
 */
#ifndef HULL_CGROUPS_HOLDER_H
#define HULL_CGROUPS_HOLDER_H

#include <sys/types.h>

#include "base/err.h"

/* Returns its pid, a child of ours. */
pid_t holder_start(struct err *e) MUST_CHECK;

/* Kills it and waits for its end; *pid is then 0, as it may be before. */
void holder_end(pid_t *pid);

#endif
