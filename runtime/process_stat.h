/*
 * process_stat.h - which process a pid means.
 *
 * Pids are used again. A process is a pid and its start time in clock ticks
 * since boot (proc_pid_stat(5), field 22); whoever acts on a process holds a
 * pidfd that was opened before that pair was checked.
 */
#ifndef HULL_RUNTIME_PROCESS_STAT_H
#define HULL_RUNTIME_PROCESS_STAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct process_stat {
	char state; /* 'R', 'S', 'Z', ... */
	uint64_t start;
};

/* -ESRCH when there is no such process. */
int process_stat_read(pid_t pid, struct process_stat *ret) MUST_CHECK;

/*
 * A pidfd of the process that is `pid` and started at `start`; -ESRCH when it
 * has ended with all its threads (a zombie has).
 */
int process_open(pid_t pid, uint64_t start) MUST_CHECK;

#endif
