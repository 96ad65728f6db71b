/*
 * gone.h - what is left of a container that was removed, for as long as `run --keep-why` said.
 *
 *	DATA/gone/ID/container.json, status.json, health.json, log.jsonl   its own, as they were
 *	DATA/gone/ID/until                                                 seconds since 1970
 *	DATA/gone/.new-*                                                   one that is being filled
 *
 * It is no container any more: its name is free, nothing can be done to it. Whoever looks here
 * next, or removes a container with such a time, takes away what is over.
 */
#ifndef HULL_ENGINE_GONE_H
#define HULL_ENGINE_GONE_H

#include "engine/containers.h"

/* To be called before the container of the open directory `dir` is removed; 0 seconds: nothing. */
int gone_keep(const struct engine *g, int dir, const struct record *r, struct err *e) MUST_CHECK;

/*
 * The latest one of that name, or the one whose id begins so. Returns a descriptor of its
 * directory; -ENOENT "no such container: X" if there is none.
 */
int gone_view(const struct engine *g, const char *who, struct container_view *ret, struct err *e)
	MUST_CHECK;

#endif
