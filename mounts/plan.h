/*
 * plan.h - what has to be mounted where, decided before anything is done.
 *
 * The plan is pure data made from the configuration and from facts about the
 * host; `hull plan` could print it and a test can compare it. It names paths;
 * the descriptors that carrying it out needs are in struct mount_trees.
 */
#ifndef HULL_MOUNTS_PLAN_H
#define HULL_MOUNTS_PLAN_H

#include <stdbool.h>
#include <sys/types.h>

#include "mounts/copy_up.h"
#include "mounts/idmap.h"
#include "mounts/options.h"
#include "mounts/overlay.h"
#include "spec/spec.h"

/* Facts that decide how things are mounted. */
struct mount_facts {
	bool host_opens;        /* what is bound is opened on the host's side, with privilege */
	bool user_namespace;    /* the container has one, or we are in one: no mknod(2) */
	bool mount_namespace;   /* it is the container's own */
	bool joined_mounts;     /* ... joined by path: its root is not ours to pivot */
	bool cgroup_namespace;  /* the container has one */
	bool no_pivot;          /* --no-pivot */
	const char *notify_dir; /* to be bound to notify_target (sd_notify(3)), NULL without */
	const char *notify_target;
	const char *cgroup_dir; /* the container's cgroup on the host, NULL without one */
};

enum mount_kind {
	MOUNT_KIND_BIND,       /* a tree of the host */
	MOUNT_KIND_FILESYSTEM, /* a new instance, fsopen(2) */
	MOUNT_KIND_REMOUNT,    /* what is there, changed */
};

struct mount_op {
	const char *name; /* its place in config.json: "mounts[3]" */
	enum mount_kind kind;
	const char *type;   /* of the file system, NULL for a bind */
	const char *source; /* a path of the host for a bind (relative: to the bundle) */
	const char *target; /* in the container */
	struct mount_options options;
	struct mount_idmap idmap;
	unsigned copies; /* enum copy_up_keep: of the directory below, with MOUNT_COPY_UP */
	bool readonly_last; /* once all that is to lie in it is made; "ro" is not of the options then */
	bool on_proc;       /* on /proc itself, as the path reads */
	bool below_proc; /* one of the files of /proc that may be hidden by others */
};

struct device_op {
	const char *name; /* "linux.devices[0]", or "default device" */
	const char *path;
	mode_t mode; /* with the type: S_IFCHR | 0666 */
	dev_t number;
	uid_t uid;
	gid_t gid;
	bool must_match; /* what exists there already has to be the same device */
};

struct link_op {
	const char *path, *to;
};

struct mount_plan {
	const char *rootfs;                  /* absolute */
	const struct mount_overlay *overlay; /* what the root is instead; NULL: rootfs itself */
	bool readonly_root;
	unsigned long
		propagation; /* of the whole tree at first: MS_SLAVE | MS_REC or the config's */
	unsigned long root_propagation; /* of "/" at the end, 0: as it is */
	LIST(struct mount_op) mounts;
	LIST(struct device_op) devices;
	LIST(struct link_op) links;
	struct strings masked, readonly;
	struct strings warnings; /* a sentence each: what of the configuration comes to nothing */
	bool bind_devices;       /* from the host, instead of mknod(2) */
	bool pivot, own_namespace;
};

/* Pure. `rootfs` is absolute. *ret points into `a` and into the spec. */
int mount_plan(const struct spec *s, const char *rootfs, const struct mount_facts *facts,
	       struct arena *a, struct mount_plan *ret, struct err *e) MUST_CHECK;

#endif
