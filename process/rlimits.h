/*
 * rlimits.h - limits that the parent sets for the new process.
 *
 * The process itself may be root of a user namespace by then, which is no
 * privilege here; and it would have to live with its own limits for the rest
 * of its way.
 */
#ifndef HULL_PROCESS_RLIMITS_H
#define HULL_PROCESS_RLIMITS_H

#include <sys/types.h>

#include "base/err.h"
#include "spec/spec.h"

/* process.rlimits, by prlimit(2) on `pid`. */
int rlimits_apply(pid_t pid, const struct spec_process *p, struct err *e) MUST_CHECK;

/*
 * process.oomScoreAdj, proc_pid_oom_score_adj(5). Lowering needs
 * CAP_SYS_RESOURCE; what is asked for and refused is an error. `proc` is a
 * procfs root.
 */
int oom_score_apply(int proc, pid_t pid, const struct spec_process *p, struct err *e) MUST_CHECK;

#endif
