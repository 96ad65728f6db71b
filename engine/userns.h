/*
 * userns.h - the user namespace in which somebody who is not root has a
 * container's files: their own id is its root, and the ranges of
 * /etc/subuid and /etc/subgid come behind it.
 */
#ifndef HULL_ENGINE_USERNS_H
#define HULL_ENGINE_USERNS_H

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

/*
 * The maps, in *a. Without a range of their own in both files, or without
 * newuidmap(1), a person has but the one id.
 */
int userns_maps(struct arena *a, struct spec_idmaps *uids, struct spec_idmaps *gids, struct err *e)
	MUST_CHECK;

/* Pure: the first range of `file` for this user; false without one. "name:first:count" lines. */
bool userns_find_range(const char *file, size_t len, const char *name, uint32_t id,
		       uint32_t *ret_first, uint32_t *ret_count);

/*
 * Calls `fn` in a child that is root in such a namespace, with a mount
 * namespace of its own, and hands on how it ended. For root it is a plain call.
 */
int userns_run(int (*fn)(void *ctx, struct err *e), void *ctx, struct err *e) MUST_CHECK;

#endif
