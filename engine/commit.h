/* commit.h - an image of what a container has become. */
#ifndef HULL_ENGINE_COMMIT_H
#define HULL_ENGINE_COMMIT_H

#include "engine/engine.h"

struct commit_request {
	const char *who;
	const char *name;             /* of the new image; NULL: none */
	struct strings changes;       /* instructions (image/config_change.h) */
	const char *author, *message; /* NULL: none */
	bool pause;                   /* stop all its processes meanwhile */
};

/*
 * Makes an image of the container's own, with what it changed as one layer on top; *ret_id is its id.
 * It runs what the container runs, with its environment, user, directory and labels, but for
 * what the instructions say. Volumes and whatever else is mounted are no part of it. The layer of an unchanged
 * container is the same each time. -ENOTSUP: it is one of a directory.
 */
int commit_container(const struct engine *g, const struct commit_request *q, struct digest *ret_id,
		     struct err *e) MUST_CHECK;

#endif
