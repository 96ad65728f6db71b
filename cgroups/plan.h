/*
 * plan.h - what a container's cgroup shall be: decided here, done by cgroup.h.
 *
 *	spec + host  ->  path, writes, device policy, warnings
 *
 * Planning makes no system calls. A limit whose controller v2 doesn't have on
 * this host is an error that names both; for a rootless caller, who often has
 * no say in it, a warning.
 */
#ifndef HULL_CGROUPS_PLAN_H
#define HULL_CGROUPS_PLAN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "base/opt.h"
#include "cgroups/devices.h"
#include "cgroups/host.h"
#include "cgroups/knobs.h"
#include "cgroups/unit.h"
#include "spec/spec.h"

/* The cgroup that holds those of containers without a cgroupsPath, and relative ones. */
#define CGROUP_PARENT "hull"

/* Who makes it. */
enum cgroup_driver_kind { CGROUP_DRIVER_CGROUPFS, CGROUP_DRIVER_SYSTEMD };

struct cgroup_plan {
	enum cgroup_driver_kind driver;
	struct unit unit;           /* for systemd */
	const char *path;           /* below the v2 mount, "/hull/ID"; NULL: there will be none */
	struct knob_values values;  /* to be written in this order */
	struct strings controllers; /* that the values need */
	struct devices_program devices; /* nothing in it: no policy */
	struct strings warnings;
	struct opt_u32 owner; /* uid who is given it, see owner.h */
	bool rootless;        /* and new: what can't be had is done without */
};

/* The facts that cgroup_plan() will want to know: a set of enum cgroup_want. */
unsigned cgroup_wants(const struct spec *spec);

/* Everything in *ret lives in `a` or in `spec`. */
int cgroup_plan(struct arena *a, const struct cgroup_host *host, const struct spec *spec,
		const char *id, struct cgroup_plan *ret, struct err *e) MUST_CHECK;

/*
 * New limits for a cgroup that exists; its path stays. Whoever asks for them, even rootless, gets
 * all or an error. Rules for devices are the new policy as a whole; a single one that denies all,
 * which engines send and do not mean, and those of a rootless caller change nothing. Wants
 * CGROUP_WANT_CONTROLLERS.
 */
int cgroup_plan_update(struct arena *a, const struct cgroup_host *host,
		       const struct spec_resources *resources, struct cgroup_plan *ret,
		       struct err *e) MUST_CHECK;

#endif
