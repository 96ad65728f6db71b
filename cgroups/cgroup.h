/*
 * cgroup.h - a container's cgroup: made by plan, used, given back.
 *
 *	auto_cgroup struct cgroup cg = CGROUP_CLOSED;
 *
 *	TRY(cgroup_make(&host, &plan, &cg, e));
 *	clone3({ .flags = CLONE_INTO_CGROUP, .cgroup = cg.fd, ... });
 *	...
 *	TRY(cgroup_open(&host, "/hull/ID", &cg, e));
 *	TRY(cgroup_destroy(&cg, e));
 *
 * Siblings may be made and destroyed in parallel by any number of processes.
 * What happens to the processes in it is in procs.h.
 */
#ifndef HULL_CGROUPS_CGROUP_H
#define HULL_CGROUPS_CGROUP_H

#include <stdbool.h>

#include "base/err.h"
#include "cgroups/host.h"
#include "cgroups/plan.h"

struct cgroup {
	int fd;        /* its directory; -1: there is none */
	int mount;     /* the host's fd, borrowed: the host must stay open */
	char *path;    /* below the v2 mount, "/a/b"; NULL: there is none */
	unsigned made; /* so many of the path's last components are our work */
	enum cgroup_driver_kind driver;
	char *unit;   /* of systemd, which it is in; NULL: none */
	bool user;    /* ... of the user's own systemd */
	bool foreign; /* it is in a unit of another systemd than ours, which is not asked */
	pid_t holder; /* ... and a child that keeps it until there is another process; 0: none */
};

#define CGROUP_CLOSED                 \
	{                             \
		.fd = -1, .mount = -1 \
	}

/*
 * Makes it with its limits, or nothing (cgroup_guard() is to follow). One that exists is
 * taken if it is empty; parents that are missing are made, with the
 * controllers that statistics need. A rootless caller who may not make it gets
 * none (fd -1) and success; what a rootless caller asked for and can't have is
 * logged.
 */
int cgroup_make(const struct cgroup_host *host, const struct cgroup_plan *plan, struct cgroup *ret,
		struct err *e) MUST_CHECK;

/*
 * Gives one that cgroup_make() made the plan's device policy; nothing if there is no cgroup. May
 * come when the first process is in it already, but before that runs anything of the container's.
 */
int cgroup_guard(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e) MUST_CHECK;

/*
 * How many of the last components of `path` are not there: so much cgroup_make() would make now,
 * and leave if it was killed. At least 1, which is for the cgroup itself.
 */
int cgroup_missing(const struct cgroup_host *host, const char *path, struct err *e) MUST_CHECK;

/* Opens one that exists; -ENOENT when it is gone. */
int cgroup_open(const struct cgroup_host *host, const char *path, struct cgroup *ret, struct err *e)
	MUST_CHECK;
/*
 * Opens the one at `path` (with a / in front or not) below `cg`, which has to be there; "" is `cg`
 * itself. -EXDEV: it leads out of that.
 */
int cgroup_open_below(const struct cgroup *cg, const char *path, struct cgroup *ret, struct err *e)
	MUST_CHECK;
void cgroup_close(struct cgroup *cg);

/* To be said once its first process is in it, or will not come. */
void cgroup_settle(struct cgroup *cg);

/*
 * Says that a cgroup, opened or gone, is of this unit of systemd, so that
 * cgroup_apply() and cgroup_destroy() have it in mind: of the instance of `owner`, if `user`, else
 * of the system's. A unit of another instance than the caller's is never asked for by its name,
 * which one of ours may have too: its limits cannot be changed, and it ends by itself when its
 * last cgroup is removed.
 */
void cgroup_set_unit(struct cgroup *cg, const struct cgroup_host *host, const char *unit, bool user,
		     uid_t owner);

/* The name by which a driver is remembered; -ENOENT for one that is not known. */
const char *cgroup_driver_name(enum cgroup_driver_kind kind);
int cgroup_driver_find(const char *name, enum cgroup_driver_kind *ret) MUST_CHECK;

/*
 * Sets the limits of `plan` on a cgroup that is in use: all of them, or a
 * failure puts back what was set. A rootless plan sets what it can.
 */
int cgroup_apply(const struct cgroup *cg, const struct cgroup_plan *plan, struct err *e) MUST_CHECK;

/*
 * For an update: some limits are one value of the kernel together (quota and
 * period, memory and swap), so where one of the two is given, the other is
 * what is set now.
 */
int cgroup_complete(const struct cgroup *cg, struct spec_resources *resources, struct err *e)
	MUST_CHECK;

/*
 * Kills what is in it and removes it, with all that its processes made below
 * it, and the unit of systemd that it is in. Parents go with it if this `cg` made them, and the common parent of all
 * containers if it is empty. Success if it is gone already. Waits at most ten
 * seconds for processes to die and then names them (-EBUSY).
 */
int cgroup_destroy(struct cgroup *cg, struct err *e) MUST_CHECK;

/*
 * One of which only the name is known, and that `made` of its components may be the work of a
 * cgroup_make() that was killed. It is not opened.
 */
void cgroup_set_name(struct cgroup *cg, const struct cgroup_host *host, const char *path,
		     unsigned made);

/*
 * Removes what such a one left, which had no process of ours: what is in use is another's.
 * -EBUSY: it is, and stays as it is.
 */
int cgroup_destroy_unused(struct cgroup *cg, struct err *e) MUST_CHECK;

#define auto_cgroup __attribute__((cleanup(cgroup_close)))

#endif
