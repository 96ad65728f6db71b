/*
 * oom_log.h - what the kernel's log tells of kills for lack of memory.
 *
 * For a cgroup that is gone, and what it had counted with it (systemd removes that of a unit whose
 * last process has ended): for each kill the kernel writes a report to its log (kmsg) with the
 * cgroup's path. It leaves reports out where many come at once, so these may have been more, and
 * old ones are overwritten. The log may be forbidden (kernel.dmesg_restrict): that is as if
 * nothing were in it.
 *
 *	struct oom_log log = { .path = "/system.slice/x.scope/container", .init = 77, .since = ... };
 *
 *	oom_log_read(&log);
 *	if (log.found.kills.set) ...
 */
#ifndef HULL_CGROUPS_OOM_LOG_H
#define HULL_CGROUPS_OOM_LOG_H

#include <stdint.h>
#include <sys/types.h>

#include "cgroups/stats.h"

struct oom_log {
	const char *path; /* of the container's cgroup; borrowed */
	const char *unit; /* its unit's, which has the same limit and hits it first; or NULL */
	/*
	 * Another container may have had that path before. A kill of `init`, of the initial PID
	 * namespace, is this one's; that of another process is if it came at `since` or later, in
	 * microseconds of the log's clock (CLOCK_MONOTONIC, but for its drift).
	 */
	pid_t init;
	uint64_t since;
	struct opt_u64 usage, limit; /* bytes, of the report that is read */
	struct cgroup_oom found;     /* the limit and the peak only if it was that of these */
};

/* A record of /dev/kmsg; they come in their order. */
void oom_log_take(struct oom_log *log, const char *record);

/* All that is in the log. That it cannot be read is noted for debugging, no more. */
void oom_log_read(struct oom_log *log);

#endif
