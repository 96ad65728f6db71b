/* save.h - images to an archive, which load.h, skopeo, podman and docker read. */
#ifndef HULL_ENGINE_SAVE_H
#define HULL_ENGINE_SAVE_H

#include "engine/engine.h"

enum save_format {
	SAVE_OCI,    /* an OCI image layout */
	SAVE_DOCKER, /* the same, with a manifest.json beside it: as Docker 25 and later write it */
};

/*
 * Writes the images, with their names, to `path` (NULL or "-": standard output). All blobs are
 * as they are in the store, so digests stay what they were; each is verified once more. A file
 * is replaced when all is in it, and as it was on failure.
 */
int save_archive(const struct engine *g, const struct strings *images, enum save_format format,
		 const char *path, struct err *e) MUST_CHECK;

#endif
