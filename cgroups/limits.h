/* limits.h - controllers and limits for a cgroup, in its files. Private to cgroups/. */
#ifndef HULL_CGROUPS_LIMITS_H
#define HULL_CGROUPS_LIMITS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "cgroups/cgroup.h"

/*
 * Has all cgroups above this one hand out the needed controllers, and those
 * for statistics. Why a needed one is not handed out goes to *why.
 */
void cgroup_hand_out(const struct cgroup *cg, const struct strings *needed, struct err *why);

/* A write that was done, and what takes it back: `before`, or if the kernel has no room for that, `otherwise`. */
struct cgroup_write {
	const char *file, *before, *otherwise;
};
struct cgroup_writes {
	struct cgroup_write *at;
	size_t n;
};
struct cgroup_applied {
	struct arena arena;
	struct cgroup_writes writes;
};

/* Writes the limits of `plan`: all of them, or none. *applied says how it was before. */
int limits_apply(const struct cgroup *cg, const struct cgroup_plan *plan,
		 struct cgroup_applied *applied, struct err *e) MUST_CHECK;
void limits_take_back(const struct cgroup *cg, const struct cgroup_applied *applied);
void limits_applied_done(struct cgroup_applied *applied);

#define auto_applied __attribute__((cleanup(limits_applied_done)))

#endif
