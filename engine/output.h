/* output.h - an archive to a file that is there when all is in it, or to standard output. */
#ifndef HULL_ENGINE_OUTPUT_H
#define HULL_ENGINE_OUTPUT_H

#include "base/err.h"

/*
 * Calls `fn` with a descriptor to write to. `path` is that of a file, which is replaced when `fn`
 * has succeeded, and else as it was; or of a FIFO or device, which is written to; NULL or "-":
 * standard output, unless that is a terminal.
 */
int output_write(const char *path, int (*fn)(void *ctx, int fd, struct err *e), void *ctx,
		 struct err *e) MUST_CHECK;

/* Whether it can be: before anything that takes long. */
int output_check(const char *path, struct err *e) MUST_CHECK;

#endif
