/*
 * late.h - what directories get at the very end: their times, and modes that would have shut us out.
 *
 * The list lies in a file without a name in the directory itself: a layer of a million directories
 * takes no memory.
 */
#ifndef HULL_IMAGE_UNPACK_LATE_H
#define HULL_IMAGE_UNPACK_LATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "image/unpack/entry.h"

struct late {
	int root; /* borrowed */
	int spool;
	uint64_t depths[ENTRY_DEPTH_MAX / 64 + 1]; /* a bit for each at which a mode is to be set */
	size_t used;
	char buffer[16 * 1024];
};

int late_open(struct late *l, int root, struct err *e) MUST_CHECK;
void late_close(struct late *l);

/* `with_mode`: it has another mode until then. */
int late_add(struct late *l, const struct entry_path *path, mode_t mode, bool with_mode,
	     struct timespec mtime, struct err *e) MUST_CHECK;

/* Directories that something else has replaced since are passed over. */
int late_apply(struct late *l, struct err *e) MUST_CHECK;

#endif
