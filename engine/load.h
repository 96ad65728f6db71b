/* load.h - images from files: archives of images, archives of a root file system; and tidying up. */
#ifndef HULL_ENGINE_LOAD_H
#define HULL_ENGINE_LOAD_H

#include "engine/engine.h"

/*
 * Reads an archive (of `docker save`, or an OCI layout in a tar; plain, gzip or
 * zstd) or a directory that is an OCI layout from `path`, NULL: standard input. *ret_names, in *a: the images in it.
 */
struct load_request {
	const char *path;
	/* Called with what is going to be read, before; NULL. */
	void (*opened)(int fd, void *ctx);
	/* Called for each layer that is in the store then; NULL. */
	void (*layer)(const char *digest, uint64_t size, void *ctx);
	void *ctx;
};
int load_archive(const struct engine *g, const struct load_request *q, struct arena *a,
		 struct strings *ret_names, struct err *e) MUST_CHECK;

/*
 * Makes an image of one layer of a root file system's tar ("-": standard
 * input), and gives it a name unless that is NULL.
 */
int load_rootfs(const struct engine *g, const char *path, const char *name, const char *comment,
		struct digest *ret_id, struct err *e) MUST_CHECK;

/* image_store_gc(), where all files can be removed; `ret` may be NULL. */
int engine_gc(const struct engine *g, unsigned wait_ms, struct image_gc *ret, struct err *e)
	MUST_CHECK;

#endif
