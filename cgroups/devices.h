/*
 * devices.h - which device nodes a container may use, as eBPF.
 *
 * cgroup v2 has no file for this: a program attached to the cgroup is asked
 * whenever a process in it opens or makes a node (BPF_PROG_TYPE_CGROUP_DEVICE,
 * kernel commit ebc614f68736). It only protects the host from a root that is
 * the host's root; in a user namespace neither is needed nor possible.
 */
#ifndef HULL_CGROUPS_DEVICES_H
#define HULL_CGROUPS_DEVICES_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

enum { DEVICES_MAX = 2000 }; /* rules; jumps of the program have to fit an int16_t */

struct devices_program {
	struct bpf_insn *at;
	size_t n;
	bool allow_all; /* and so the same as no program at all */
};

/*
 * The program for these rules of linux.resources.devices: everything is denied
 * but what the last rule that speaks about it allows, each of r, w and m on
 * its own. The nodes that every container has, and mknod, are always allowed.
 */
int devices_plan(struct arena *a, const struct spec_device_rule *rules, size_t n,
		 struct devices_program *ret, struct err *e) MUST_CHECK;

/*
 * Makes the program the only one of this cgroup. With `fresh`, nothing was
 * attached to it before. At no moment is more allowed than before or after.
 */
int devices_attach(int cgroup_fd, const struct devices_program *program, bool fresh, struct err *e)
	MUST_CHECK;

enum { DEVICES_PROGRAMS_MAX = 64 }; /* that the kernel attaches to one cgroup */

/* What was attached to a cgroup, and what has its place now. */
struct devices_before {
	int program;                   /* descriptors */
	int old[DEVICES_PROGRAMS_MAX]; /* the first n */
	size_t n;
};

#define DEVICES_UNCHANGED     \
	{                     \
		.program = -1 \
	}

/* As devices_attach() of one that is not fresh; *ret_before is for putting that back. */
int devices_replace(int cgroup_fd, const struct devices_program *program,
		    struct devices_before *ret_before, struct err *e) MUST_CHECK;
/* Nothing if nothing was replaced. */
int devices_put_back(int cgroup_fd, const struct devices_before *before, struct err *e) MUST_CHECK;
void devices_before_done(struct devices_before *before);

#define auto_devices_before __attribute__((cleanup(devices_before_done)))

#endif
