/*
 * rootfs.h - from an image in the store to what overlayfs takes.
 */
#ifndef HULL_ENGINE_ROOTFS_H
#define HULL_ENGINE_ROOTFS_H

#include "engine/engine.h"
#include "engine/record.h"

/* Unpacks the layers that are not there yet. Hold image_store_use(). */
int rootfs_unpack(const struct engine *g, const struct image *image, struct err *e) MUST_CHECK;

/* The directories of the image's layers, the uppermost first, in *a. */
void rootfs_layers(const struct engine *g, const struct image *image, struct arena *a,
		   struct strings *ret);

/* The container's own directories in `dir`: rootfs, and for layers upper and work. */
int rootfs_make(const struct engine *g, int dir, const struct record *r, struct err *e) MUST_CHECK;

/* What the runtime is to mount, in *a; NULL: the directory of --rootfs. */
struct mount_overlay *rootfs_overlay(const struct engine *g, const struct record *r,
				     struct arena *a);

/*
 * The same to be looked into, with nothing to write to: to mount one that can be written, and take it away, is to
 * write out all that its file system has to write. `changed`: with what the container changed.
 */
struct mount_overlay *rootfs_look(const struct engine *g, const struct record *r, bool changed,
				  struct arena *a);

/*
 * /etc/passwd and /etc/group as the container that is being made will see them, empty where there
 * is none.
 */
int rootfs_read_users(const struct engine *g, const struct record *r, struct buf *passwd,
		      struct buf *group, struct err *e) MUST_CHECK;

#endif
