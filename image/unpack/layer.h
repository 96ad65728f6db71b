/*
 * layer.h - reads a layer's entries and hands each to extract.h: the only file that knows libarchive.
 *
 * libarchive reads tar and nothing else here: no other format, no filter, no writing to disk.
 */
#ifndef HULL_IMAGE_UNPACK_LAYER_H
#define HULL_IMAGE_UNPACK_LAYER_H

#include "base/err.h"
#include "image/unpack/extract.h"
#include "image/unpack/stream.h"

struct layer_result {
	struct stream_digest diff_id;
	uint64_t size, entries, skipped, dropped_xattrs;
};

/*
 * Reads the layer from `fd` to its end, beneath the directory `root`. With `diff_id` that must be its
 * digest; without one, a layer that lacks the end-of-archive mark is taken for cut off.
 */
int layer_unpack(int fd, const struct decompressor *d, int root, const struct extract_settings *s,
		 const char *diff_id, struct layer_result *ret, struct err *e) MUST_CHECK;

#endif
