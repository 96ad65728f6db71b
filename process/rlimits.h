/*
 * rlimits.h - limits of the new process.
 *
 * It sets them itself, late: it has to live with them for the rest of its way. To raise one it may
 * lack the privilege, as root of a user namespace does; then the parent sets them.
 */
#ifndef HULL_PROCESS_RLIMITS_H
#define HULL_PROCESS_RLIMITS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "spec/spec.h"

/* Is a hard limit of process.rlimits above that of the calling process? */
bool rlimits_raise(const struct spec_process *p);

/* process.rlimits, by prlimit(2) on `pid`; 0: the calling process. */
int rlimits_apply(pid_t pid, const struct spec_process *p, struct err *e) MUST_CHECK;

/*
 * process.oomScoreAdj, proc_pid_oom_score_adj(5). Lowering needs
 * CAP_SYS_RESOURCE; what is asked for and refused is an error. `proc` is a
 * procfs root.
 */
int oom_score_apply(int proc, pid_t pid, const struct spec_process *p, struct err *e) MUST_CHECK;

#endif
