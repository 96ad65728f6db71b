/*
 * overlay.h - a root file system in layers (overlayfs).
 *
 * Images are unpacked once, a directory for each layer, and every container
 * has only what it changes for itself. The file system is made as a detached
 * mount, so nothing of it appears among the host's mounts, and it is gone with
 * the container's mount namespace. Whatever the kernel's defaults are, nothing in an upper directory refers
 * to what is below it (redirect_dir, metacopy): it can be read on its own.
 */
#ifndef HULL_MOUNTS_OVERLAY_H
#define HULL_MOUNTS_OVERLAY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/list.h"
#include "mounts/idmap.h"

struct mount_overlay {
	/* Absolute paths, the uppermost first, not empty: of directories, or of files with an EROFS in them. */
	struct strings lowers;
	const char *upper,
		*work;    /* absolute, on one file system; both NULL: nothing can be written */
	bool in_place;    /* of one owner: its extended attributes are user.overlay.* */
	bool is_volatile; /* nothing of it has to survive a crash of the machine */
	/*
	 * With a map: `above`, a directory that all of them are below, is id-mapped, so that a user
	 * namespace with the same map sees the owners that the files have, and so do its changes.
	 */
	struct mount_idmap idmap;
	const char *above;
};

/* Makes it. Returns the descriptor of a detached mount, or of the one lower that there is without an upper. */
int mount_overlay_open(const struct mount_overlay *o, struct err *e) MUST_CHECK;

#endif
