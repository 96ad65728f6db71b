/*
 * driver.h - who makes cgroups: hull in the hierarchy, or systemd as units.
 *
 * cgroup.h is how they are used; it goes by the table here. Everything else
 * about a cgroup (its processes, freezing, its device policy) is the same for
 * both. Private to cgroups/.
 */
#ifndef HULL_CGROUPS_DRIVER_H
#define HULL_CGROUPS_DRIVER_H

#include "cgroups/cgroup.h"

struct cgroup_driver {
	const char *name; /* in state.json */
	int (*make)(const struct cgroup_host *host, const struct cgroup_plan *plan,
		    struct cgroup *ret, struct err *e);
	int (*apply)(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e);
	void (*settle)(struct cgroup *cg); /* NULL: nothing to do */
	int (*destroy)(struct cgroup *cg, struct err *e);
	int (*destroy_unused)(struct cgroup *cg, struct err *e);
};

/* Files and directories; limits.c, destroy.c and cgroup.c. */
int cgroupfs_make(const struct cgroup_host *host, const struct cgroup_plan *plan,
		  struct cgroup *ret, struct err *e) MUST_CHECK;
int cgroupfs_apply(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e)
	MUST_CHECK;
int cgroupfs_destroy(struct cgroup *cg, struct err *e) MUST_CHECK;
int cgroupfs_destroy_unused(struct cgroup *cg, struct err *e) MUST_CHECK;

/* Gives `cg` its limits and its owner. */
int cgroupfs_fill(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e)
	MUST_CHECK;

/* systemd.c */
int systemd_make(const struct cgroup_host *host, const struct cgroup_plan *plan, struct cgroup *ret,
		 struct err *e) MUST_CHECK;
int systemd_apply(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e)
	MUST_CHECK;
void systemd_settle(struct cgroup *cg);
int systemd_destroy(struct cgroup *cg, struct err *e) MUST_CHECK;
int systemd_destroy_unused(struct cgroup *cg, struct err *e) MUST_CHECK;

#endif
