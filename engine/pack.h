/* pack.h - an image as one EROFS file system, in a file: what `hull image pack` writes and `run --rootfs FILE` takes. */
#ifndef HULL_ENGINE_PACK_H
#define HULL_ENGINE_PACK_H

#include "engine/engine.h"

/*
 * All layers of the image, one over the other, go to the file `path`, which is there when all is in it. `compressor`
 * is one that mkfs.erofs knows, NULL: none. -ENOENT: there is no mkfs.erofs (erofs-utils).
 */
int pack_image(const struct engine *g, const char *image, const char *compressor, const char *path,
	       struct err *e) MUST_CHECK;

#endif
