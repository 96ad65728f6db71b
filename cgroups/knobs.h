/*
 * knobs.h - every limit of linux.resources and the file it becomes.
 *
 * The table of knobs is the one place that knows which member of the
 * configuration is which file of which controller, and how the value is
 * written. Planning walks it and yields plain data; it knows nothing of the
 * host. linux.resources.devices is no knob: see devices.h.
 */
#ifndef HULL_CGROUPS_KNOBS_H
#define HULL_CGROUPS_KNOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "spec/spec.h"

enum knob_flag {
	KNOB_DEFAULT = 1 << 0,  /* what a new cgroup has anyway: no controller is needed for it */
	KNOB_OPTIONAL = 1 << 1, /* fine if the kernel has no such file */
	KNOB_AGAIN =
		1 << 2, /* EINVAL may come from a neighbour's old value: try again at the end */
	KNOB_NOT_BELOW_USAGE = 1 << 3, /* refused if the cgroup uses more than this already */
};

/* One write. */
struct knob_value {
	const char *member;     /* "linux.resources.cpu.shares", for messages */
	const char *controller; /* NULL: a file of every cgroup */
	const char *file, *value;
	const char *other_file, *other_value; /* instead, if there is no `file`; NULL: nothing */
	unsigned flags;                       /* of enum knob_flag */
};
struct knob_values {
	struct knob_value *at;
	size_t n;
};

struct knob_plan {
	struct knob_values values; /* in the order in which they are to be written */
};

/* Everything in *ret lives in `a`. */
int knobs_plan(struct arena *a, const struct spec_resources *resources, struct knob_plan *ret,
	       struct err *e) MUST_CHECK;

/* Does this ask for anything that a controller must do? */
bool knobs_any(const struct spec_resources *resources);

/* cpu.shares of cgroup v1 (2 .. 262144) as cpu.weight (1 .. 10000). */
unsigned knob_cpu_weight(uint64_t shares);

#endif
