/*
 * tree.h - detached mounts: opened here, attached there.
 *
 * A bind's source is a path of the host, and only the host's side may resolve
 * it: we open it before the container has any say, as a tree that hangs
 * nowhere (open_tree(2)), give it its attributes there, and let the child
 * attach it by descriptor (move_mount(2)). With privilege the parent opens,
 * so that a user namespace need not reach what it shows; without, the child
 * does, which owns its mount namespace.
 */
#ifndef HULL_MOUNTS_TREE_H
#define HULL_MOUNTS_TREE_H

#include "mounts/plan.h"

/* The opened trees of a plan. */
struct mount_trees {
	int root;     /* the root file system */
	int null;     /* the host's /dev/null, for masked files; -1 when nothing is masked */
	int *mounts;  /* of each bind, -1 for the others; plan->mounts.n of them */
	int *idmaps;  /* the user namespace for each new file system's map, -1 for the others */
	int *devices; /* of each device to bind; plan->devices.n of them */
	size_t n_mounts, n_devices;
};

#define MOUNT_TREES_NONE               \
	{                              \
		.root = -1, .null = -1 \
	}
#define auto_mount_trees __attribute__((cleanup(mount_trees_close)))

/* Opens all that the plan binds; relative sources are relative to `bundle`, a descriptor. */
int mount_trees_open(const struct mount_plan *plan, int bundle, struct arena *a,
		     struct mount_trees *ret, struct err *e) MUST_CHECK;
void mount_trees_close(struct mount_trees *t);

/* A bind's tree. It does not stay a peer of the host's mount, whatever else is asked for. */
int mount_bind_open(const struct mount_op *op, unsigned long propagation, int bundle, struct err *e)
	MUST_CHECK;

/*
 * A new, detached instance of the op's file system, with its options and
 * attributes; without the latter (mount_options_apply() later) if MOUNT_COPY_UP
 * is still to fill it. `userns` has its id map, if it is to have one.
 */
int mount_filesystem_open(const struct mount_op *op, int userns, struct err *e) MUST_CHECK;

/* Applies the options that are the file system's, if any, to that of the mount `fd`. */
int mount_filesystem_change(const struct mount_op *op, int fd, struct err *e) MUST_CHECK;

/* Applies the options that are attributes to the mount `fd`. */
int mount_options_apply(const struct mount_op *op, int fd, struct err *e) MUST_CHECK;

/* Attaches the detached mount `tree` to the place that `target` is. */
int mount_attach(int tree, int target, const char *what, struct err *e) MUST_CHECK;

#endif
