/*
 * idmap.h - mounts that show other owners than their files have.
 *
 * The map is that of a user namespace (mount_setattr(2), MOUNT_ATTR_IDMAP),
 * which is made for it and lives as long as the mount. In a mapping,
 * containerID is what the file system has and hostID what the host sees; with
 * the container's own mappings, the container so sees what the file system has.
 */
#ifndef HULL_MOUNTS_IDMAP_H
#define HULL_MOUNTS_IDMAP_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

struct mount_idmap {
	struct spec_idmaps uids, gids; /* none: the mount has no map */
	bool recursive;
};

/*
 * Pure: crun's form of the mappings, "uids=FILE-HOST-SIZE#...;gids=...", where in "@FILE-ID-SIZE"
 * the second number is an id in the `container`, whose mappings say what the host has for it. The
 * lists of *ret live in `a`; the message has no place in it.
 */
int mount_idmap_parse(const char *text, const struct mount_idmap *container, struct arena *a,
		      struct mount_idmap *ret, struct err *e) MUST_CHECK;

/* A user namespace with the maps. Needs CAP_SETUID and CAP_SETGID, and the host's /proc. */
int mount_idmap_open(const struct mount_idmap *map, struct err *e) MUST_CHECK;

/*
 * Gives the detached mount `tree` the map that `userns` has, and looks whether
 * it does. `what` and `source` are for messages.
 */
int mount_idmap_apply(const struct mount_idmap *map, int userns, int tree, const char *what,
		      const char *source, struct err *e) MUST_CHECK;

#endif
