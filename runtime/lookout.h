/*
 * lookout.h - what a container's cgroup counts, read while it can be.
 *
 * systemd removes the cgroup of a unit as soon as its last process has ended, and with it what
 * the kernel had counted there (oom.h, held.h). Whoever stays with a container as the parent of
 * its first process looks when the kernel says that memory.events or pids.events has changed or that
 * limited processes have to wait (cpu.pressure and io.pressure, of which it says so once in two
 * seconds), and a last time when that process has ended, before anything else: what was told before
 * is known even if systemd is faster then. lookout_save() puts it into the state, which is where others find it.
 * A cgroup of our own stands until it is deleted, and needs no lookout.
 *
 *	lookout_open(&l, &cg);
 *	poll() for l.events with POLLIN     lookout_look(&l);
 *	the end of its process              lookout_last(&l);
 *	lookout_save(&l, rt, id);
 */
#ifndef HULL_RUNTIME_LOOKOUT_H
#define HULL_RUNTIME_LOOKOUT_H

#include "cgroups/cgroup.h"
#include "runtime/container.h"

enum { LOOKOUT_FILES = 4 };

struct lookout {
	struct arena arena, held_arena; /* of path; of what is in `held` */
	const char *path;
	int fd;     /* the cgroup's directory, -1: there is nothing to look at */
	int events; /* an epoll(7) instance of `files`, -1: there is nothing to wait for */
	int files[LOOKOUT_FILES]; /* -1: not, or no more */
	struct cgroup_oom oom;
	struct cgroup_held held;
};

/* clang-format off */
#define LOOKOUT_NONE { .fd = -1, .events = -1, .files = { -1, -1, -1, -1 } }
/* clang-format on */

/* Nothing if the cgroup is not systemd's. */
void lookout_open(struct lookout *l, const struct cgroup *cg);
void lookout_look(struct lookout *l);
void lookout_last(struct lookout *l);

/* Best effort: what fails is logged. */
void lookout_save(const struct lookout *l, const struct runtime *rt, const char *id);
void lookout_close(struct lookout *l);

#define auto_lookout __attribute__((cleanup(lookout_close)))

#endif
