/*
 * classic.h - mount(2), for what fsconfig(2) can't say.
 *
 * fsconfig(2) takes values of at most 255 bytes; the lowerdir of an overlay is
 * often longer. The place is given as a descriptor here as well.
 */
#ifndef HULL_MOUNTS_CLASSIC_H
#define HULL_MOUNTS_CLASSIC_H

#include "mounts/plan.h"

/* Is there an option that only mount(2) can pass on? Pure. */
bool mount_needs_classic(const struct mount_op *op);

/* Mounts a new instance of the op's file system on the place that `target` is. Needs /proc. */
int mount_classic(const struct mount_op *op, int target, struct err *e) MUST_CHECK;

#endif
