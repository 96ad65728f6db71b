/* size.h - how much a container's files are. */
#ifndef HULL_ENGINE_SIZE_H
#define HULL_ENGINE_SIZE_H

#include <stdint.h>

#include "engine/engine.h"
#include "engine/record.h"

struct container_size {
	uint64_t own; /* bytes of the files that it changed or added */
	uint64_t all; /* with those of its image, as it sees them */
};

/* Reads all of its file system, but for what is mounted there. -ENOTSUP: it has no image (--rootfs DIR). */
int container_size(const struct engine *g, const struct record *r, struct container_size *ret,
		   struct err *e) MUST_CHECK;

#endif
