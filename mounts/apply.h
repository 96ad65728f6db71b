/*
 * apply.h - carries a mount plan out, in the child's own mount namespace.
 *
 *	mount_enter_root()     host's mounts cut off, root tree attached, its descriptor
 *	mount_apply()          the plan's mounts, in order
 *	mount_devices_apply()  nodes and links in /dev
 *	mount_readonly_apply() what is read-only once it is filled
 *	mount_pivot()          the root becomes "/", the host's is gone
 *	mount_protect()        masked paths, read-only paths, read-only root
 *
 * Everything below the root is reached through rootfd.h.
 */
#ifndef HULL_MOUNTS_APPLY_H
#define HULL_MOUNTS_APPLY_H

#include "mounts/tree.h"

/*
 * Stops propagation to the host and attaches trees->root at the path it has on
 * the host, where hooks look for it. From then on trees->root is the
 * descriptor of the root file system.
 */
int mount_enter_root(const struct mount_plan *plan, const struct mount_trees *trees, struct err *e)
	MUST_CHECK;

int mount_apply(const struct mount_plan *plan, const struct mount_trees *trees, struct err *e)
	MUST_CHECK;
int mount_devices_apply(const struct mount_plan *plan, const struct mount_trees *trees,
			struct err *e) MUST_CHECK;
/* By the descriptors that mount_apply() left in trees->mounts. */
int mount_readonly_apply(const struct mount_plan *plan, const struct mount_trees *trees,
			 struct err *e) MUST_CHECK;

/* pivot_root(2), or chroot(2) where the plan forbids it. The working directory is "/" afterwards. */
int mount_pivot(const struct mount_plan *plan, int root, struct err *e) MUST_CHECK;

/* After the pivot. `null` is trees->null. */
int mount_protect(const struct mount_plan *plan, int root, int null, struct err *e) MUST_CHECK;

/* Binds the terminal `tty` to /dev/console (CVE-2025-52565: by descriptor, on a file that we make). */
int mount_console(int root, int tty, struct err *e) MUST_CHECK;

#endif
