/* volumes.h - directories with a name, that outlive containers. */
#ifndef HULL_ENGINE_VOLUMES_H
#define HULL_ENGINE_VOLUMES_H

#include <stdbool.h>

#include "engine/engine.h"
#include "engine/record.h"

/*
 * Finds or makes a volume. *name NULL: one without a name of its own, which
 * gets one. *ret_path, in *a, is its directory.
 */
int volume_use(const struct engine *g, const char **name, struct arena *a, const char **ret_path,
	       struct err *e) MUST_CHECK;
int volume_create(const struct engine *g, const char *name, struct err *e) MUST_CHECK;
/* -ENOENT; -EBUSY: a container uses it. */
int volume_remove(const struct engine *g, const char *name, struct err *e) MUST_CHECK;
/* Whether its name is one that was made up for it, as of -v PATH and of `volume create` without a name. */
bool volume_is_anonymous(const char *name);
/* All names, sorted, in *a. */
int volume_list(const struct engine *g, struct arena *a, struct strings *ret, struct err *e)
	MUST_CHECK;
/* The names, in *a, of those that containers mount; one may be there more than once. */
int volumes_used(const struct engine *g, struct arena *a, struct strings *ret, struct err *e)
	MUST_CHECK;
/* Its directory, in *a; -ENOENT. */
int volume_path(const struct engine *g, const char *name, struct arena *a, const char **ret,
		struct err *e) MUST_CHECK;
/*
 * The name, in *a, of the volume whose directory a mount's source is, or is in: "DATA/volumes/NAME/_data".
 * NULL: it is something else. Pure.
 */
const char *volume_of_source(const struct engine *g, const char *source, struct arena *a);
/* Whether it is in the directory of all volumes, and so has to be one's. Pure. */
bool volumes_hold(const struct engine *g, const char *source);
/* When it was made, in *a; NULL: it is gone. */
const char *volume_created(const struct engine *g, const char *name, struct arena *a);

/* An empty volume takes what the image has at its place, owners and modes with it. */
int volume_fill(const struct engine *g, const struct record *r, const char *volume,
		const char *target, struct err *e) MUST_CHECK;

/* Removes those that were made for this container alone. */
void volumes_drop(const struct engine *g, const struct record *r);

#endif
