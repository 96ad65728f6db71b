/*
 * process_list.h - the processes of a microVM's container: as lines from the agent, and as the
 * table that ps(1) would print of them.
 *
 * A line is "OUTER PARENT PID UID AGE CPU TTY COMMAND": pids as the guest's first PID namespace
 * has them, then as the container counts; seconds; a device number. All of it is the guest's word.
 */
#ifndef HULL_MICROVM_PROCESS_LIST_H
#define HULL_MICROVM_PROCESS_LIST_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"

enum { PROCESS_LIST_MAX = 4 * 1024 * 1024, PROCESS_COMMAND_MAX = 1024 };

/* What /proc/PID tells of a process, each ended by a NUL but `command`, which has them inside. */
struct process_files {
	const char *stat, *status, *command;
	size_t command_size;
};

/* Its line; -ESRCH: it is none of the container's, or has ended. `now` is the seconds since boot. */
int process_line(const struct process_files *f, uint64_t now, unsigned ticks, struct buf *ret);

/* The pid that the container counts, by /proc/PID/status; 0: it is a process of the guest's own. */
uint64_t process_inner_pid(const char *status);

/* The table of such lines, in the columns of `ps -ef`; -EPROTO: they are none. */
int process_table(const char *lines, time_t now, struct buf *ret, struct err *e) MUST_CHECK;

/*
 * Of LIST_COUNTS: a line for each of the `n` values, as files of a cgroup have them ("max" is
 * CGROUP_NO_LIMIT); of one that is not known, an empty one. -EPROTO: they are none.
 */
int process_counts(const char *lines, struct opt_u64 *const *ret, size_t n, struct err *e)
	MUST_CHECK;

#endif
