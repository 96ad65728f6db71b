/*
 * environment.h - the program's environment: the configuration's, never ours.
 */
#ifndef HULL_PROCESS_ENVIRONMENT_H
#define HULL_PROCESS_ENVIRONMENT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"

/*
 * The entries of both lists in order, each name once and the last one winning,
 * with NULL behind the last: ready for execve(2). Pure.
 */
struct strings environment_make(const struct strings *first, const struct strings *more,
				struct arena *a);

/* The value of a variable, NULL without one. */
const char *environment_get(const struct strings *env, const char *name);

/*
 * HOME of `uid` by the container's /etc/passwd, "/" where that has none; as
 * runc does for a configuration without HOME. Call it inside the root.
 */
const char *environment_home(uint32_t uid, struct arena *a);

#endif
