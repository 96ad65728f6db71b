/*
 * external.h - what of a checkpointed container comes from outside of it.
 *
 * Its binds, the masks and, in a user namespace, the devices are the host's:
 * CRIU writes down only that they were there, by a name, which is here the
 * path in the container. What comes in their place at a restore is decided
 * by the configuration alone, not by the files of the checkpoint.
 */
#ifndef HULL_RUNTIME_EXTERNAL_H
#define HULL_RUNTIME_EXTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "mounts/mountinfo.h"
#include "mounts/plan.h"

struct external {
	const char *path;   /* in the container, absolute */
	const char *source; /* on the host, absolute */
	bool tree;          /* what is mounted below the source comes along */
	const struct mount_op *op; /* NULL: it is no bind of the plan */
};

typedef LIST(struct external) externals;

/*
 * All that the plan could bind. Relative sources are below `bundle`. In a user
 * namespace CRIU cannot mount cgroups; a bind of the directory `cgroup` is then
 * in their place (NULL: it can). Pure.
 */
void externals_plan(const struct mount_plan *plan, const char *bundle, const char *cgroup,
		    struct arena *a, externals *ret);

/*
 * The places in the root itself that the plan mounts on, with the source of a
 * bind (NULL: a file system). Pure.
 */
void externals_places(const struct mount_plan *plan, const char *bundle, struct arena *a,
		      externals *ret);

/* `list` with all mounts of the host's below its trees: each is named on its own. */
void externals_with_mounts(const externals *list, const mountinfo *host, struct arena *a,
			   externals *ret);

/* -ENOTSUP: the container's root is none that the host has, so a bundle could not bring it. */
int externals_check_root(const mountinfo *container, const mountinfo *host, struct err *e)
	MUST_CHECK;

/*
 * Which of the container's mounts are external; the paths are in *ret. One that
 * is the host's and not of the configuration is -ENOTSUP: nothing could be put
 * in its place.
 */
int externals_find(const externals *list, const mountinfo *container, const mountinfo *host,
		   struct arena *a, struct strings *ret, struct err *e) MUST_CHECK;

/*
 * The standard streams of the checkpointed process, by the names that CRIU has
 * for them: "pipe:[123]", or "file[1f:2a]" for a file of the host, by its mount
 * and inode. Those of the restoring process take their place; CRIU takes a file
 * only if it is as long as it was, as the same one that is appended to. An empty
 * name: the stream is the container's own, or there is none.
 */
struct external_streams {
	struct strings names;
};

/* Those of process `pid`, whose mounts are `container`. */
int external_streams_find(pid_t pid, const mountinfo *container, struct arena *a,
			  struct external_streams *ret, struct err *e) MUST_CHECK;

/* Whether CRIU has to be told that it is external. */
bool external_stream_is_file(const char *name);

/* To and from a file of ours beside CRIU's. A name of another form is -EINVAL. */
int external_streams_save(int images, const struct external_streams *streams, struct err *e)
	MUST_CHECK;
int external_streams_load(int images, struct arena *a, struct external_streams *ret, struct err *e)
	MUST_CHECK;

#endif
