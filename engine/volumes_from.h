/*
 * volumes_from.h - --volumes-from: what is mounted in another container, but for what hull made for it.
 */
#ifndef HULL_ENGINE_VOLUMES_FROM_H
#define HULL_ENGINE_VOLUMES_FROM_H

#include "engine/config.h"
#include "engine/engine.h"

struct volumes_from {
	LIST(struct config_mount) mounts; /* binds, in its order */
	struct strings names; /* of its volumes that were made without a name (struct record) */
};

/* "CONTAINER[:ro|rw]"; the container need not run. */
int volumes_from_read(const struct engine *g, const char *text, struct arena *a,
		      struct volumes_from *ret, struct err *e) MUST_CHECK;

#endif
