/* export.h - a container's file system as a tar, as tar(1) and any import read it. */
#ifndef HULL_ENGINE_EXPORT_H
#define HULL_ENGINE_EXPORT_H

#include "engine/engine.h"

/*
 * Writes what the container has in its own file system, running or not: without volumes and whatever
 * else is mounted there, and with owners as the container sees them. To `path` as output.h has it.
 */
int export_container(const struct engine *g, const char *who, const char *path, struct err *e)
	MUST_CHECK;

#endif
