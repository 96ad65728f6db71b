/*
 * state.h - what is remembered about a container between two commands.
 *
 * store.h keeps it on disk. Nothing else is remembered; whether init lives is
 * asked of the kernel by pid and start time, and what a container's status is
 * follows from that.
 */
#ifndef HULL_RUNTIME_STATE_H
#define HULL_RUNTIME_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "cgroups/rdt.h"
#include "cgroups/stats.h"
#include "spec/spec.h"

enum state_status { STATE_CREATING, STATE_CREATED, STATE_RUNNING, STATE_PAUSED, STATE_STOPPED };

struct state {
	struct arena arena; /* owns the strings */
	const char *id;
	const char *oci_version;   /* the config's */
	const char *bundle;        /* absolute */
	const char *rootfs;        /* absolute */
	const char *created;       /* RFC 3339 with nanoseconds, UTC */
	const char *cgroup;        /* below the v2 mount, "/a/b"; NULL: none was made */
	const char *cgroup_driver; /* who made it, "systemd"; NULL: cgroupfs */
	const char *unit;          /* of systemd, which it is in; NULL: none */
	struct opt_bool unit_user; /* ... of the owner's own, not the system's; unset: not known */
	uint64_t
		cgroup_inode; /* of its directory: another of the same path is not ours; 0: not yet */
	/* So many of the cgroup path's last components are our work; without an inode: may be. */
	uint32_t cgroup_made;
	const char *executor; /* by its name (executor.h), NULL: processes */
	struct rdt_group rdt; /* without a name: none */
	uid_t owner;          /* who created it */
	pid_t pid;            /* init in our pid namespace, 0: not yet or no more */
	uint64_t pid_start;   /* its start time in clock ticks, proc_pid_stat(5) field 22 */
	bool ready;           /* create has come to its end */
	struct spec_pairs annotations;
	struct opt_u64 oom_kills; /* of its cgroup before the start; unset: nobody counts */
	struct opt_u64 oom_own, oom_within; /* ... and at whose limit */
	/* The same of what its limits count; unset where the cgroup was made, and so began at 0. */
	struct cgroup_held held_before;
	/* Of a unit's cgroup, which goes with its last process: what it had counted then (lookout.h). */
	struct cgroup_oom last_oom;
	struct cgroup_held last_held;
	enum state_status status; /* now; not stored */
	bool oom_counted;         /* of a stopped one: `oom` is known; not stored */
	struct cgroup_oom oom;    /* of a stopped one that lacked memory, since; not stored */
	struct cgroup_held held;  /* of a stopped one that its limits held back; not stored */
};

/* The word of the runtime specification: "creating", "created", ... */
const char *state_status_name(enum state_status status);

void state_done(struct state *s);

/* As state.json has it. A newer version is refused by name, an older one is read. */
struct buf;
void state_encode(const struct state *s, struct buf *ret);
int state_decode(const struct buf *text, struct state *ret, struct err *e) MUST_CHECK;

/* The state document of the runtime specification (runtime.md, "State"), for hooks; compact. */
void state_encode_oci(const struct state *s, struct buf *ret);

#define auto_state __attribute__((cleanup(state_done)))

#endif
