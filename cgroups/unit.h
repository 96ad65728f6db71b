/*
 * unit.h - a container's cgroup as a unit of systemd: names, places and
 * properties, decided here; bus.h asks systemd for them.
 *
 *	linux.cgroupsPath "a-b.slice:docker:ID"
 *	  the slice   a-b.slice
 *	  the scope   docker-ID.scope
 *	  its cgroup  /a.slice/a-b.slice/docker-ID.scope
 *	  ours        /a.slice/a-b.slice/docker-ID.scope/container
 *
 * The scope and its files belong to systemd, which may write them again at any
 * time; what is below it is delegated to hull. So the limits stand in both
 * places: as properties of the scope, and exactly in the cgroup below it, where
 * the processes, the device policy and all that systemd knows nothing of are.
 */
#ifndef HULL_CGROUPS_UNIT_H
#define HULL_CGROUPS_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "cgroups/knobs.h"
#include "spec/spec.h"

/* The cgroup in the scope that is the container's (crun has the same name for it). */
#define UNIT_SUBGROUP "container"

struct unit_device {
	const char *path; /* "/dev/block/8:0" */
	uint64_t value;
};

/* One property, for a message: type is a D-Bus signature, and says which member counts. */
struct unit_property {
	const char *name;
	const char *type;
	const char *text;               /* s */
	uint64_t number;                /* b y q u t; n i x as two's complement */
	double real;                    /* d */
	struct strings texts;           /* as */
	LIST(uint64_t) numbers;         /* a and one of y n q i u x t */
	LIST(struct unit_device) pairs; /* a(st) */
};
struct unit_properties {
	struct unit_property *at;
	size_t n;
};

struct unit {
	const char *name;  /* "docker-ID.scope"; NULL: the driver is not systemd */
	const char *slice; /* "a-b.slice" */
	bool user;         /* of a user's own systemd, not the system's */
	const char *path;  /* of the container's cgroup, below the systemd instance's own */
	struct unit_properties properties;
};

/*
 * The unit of a container: its name, its place, and its properties but for the
 * process that is in it, by runc's rules; `user`: of the user's own systemd. Everything in *ret lives in `a` or in
 * the spec.
 */
int unit_plan(struct arena *a, const struct spec *spec, const char *id, bool user,
	      const struct knob_values *limits, struct unit *ret, struct err *e) MUST_CHECK;

/* "a-b.slice" as "/a.slice/a-b.slice", "-.slice" as "". */
int unit_slice_path(struct arena *a, const char *slice, const char **ret, struct err *e) MUST_CHECK;

/* "/user.slice/x.scope" of "/user.slice/x.scope/container": the unit's own cgroup. */
const char *unit_cgroup(struct arena *a, const char *path);

enum unit_limits_flags {
	/* A unit must not throttle a container that has cpu.max.burst: its quota is in its own cgroup alone. */
	UNIT_BURSTS = 1 << 0,
	/* The unit's weight is to be that of disks with BFQ, which systemd writes to io.bfq.weight. */
	UNIT_BFQ = 1 << 1,
};

/*
 * Sets the properties that stand for these writes; what systemd has no property
 * for, or what the kernel will refuse, adds nothing. `flags` are of enum unit_limits_flags.
 */
void unit_limits(struct arena *a, const struct knob_values *values, unsigned flags,
		 struct unit_properties *ret);
/* UNIT_BFQ if there are weights among the values and the kernel has BFQ; 0 otherwise. */
unsigned unit_bfq(const struct knob_values *values);

/* Adds a property, or takes the place of one of this name; the new one is otherwise zeroed. */
struct unit_property *unit_set(struct arena *a, struct unit_properties *list, const char *name,
			       const char *type);

/*
 * A property from an annotation "org.systemd.property.NAME": NAME, and the
 * value as GVariant text of simple types: true, -5, uint64 7, 1.5, 'text',
 * ['a', 'b'], @au [1, 2]. Seconds (NAMESec) become the NAMEUSec that D-Bus has.
 */
int unit_value_parse(struct arena *a, const char *name, const char *text, struct unit_property *ret,
		     struct err *e) MUST_CHECK;

#define UNIT_ANNOTATION "org.systemd.property."

#endif
