/*
 * decompressor.h - a process that decompresses the layer, for this one to make files of it meanwhile.
 *
 * It is shut in before it reads the first byte and more closely than this one (sandbox.h): it has the layer on
 * its standard input and the pipe, and no file. What it says is as untrusted as the layer itself.
 */
#ifndef HULL_IMAGE_UNPACK_DECOMPRESSOR_H
#define HULL_IMAGE_UNPACK_DECOMPRESSOR_H

#include <sys/types.h>

#include "base/err.h"

struct decompressor_report;

struct decompressor {
	pid_t pid; /* 0: none */
	const struct decompressor_report *report;
};

/* Before sandbox_enter(). Standard input, which it takes over, becomes the pipe that it writes to. */
int decompressor_start(int dir_fd, struct decompressor *ret, struct err *e) MUST_CHECK;

/* At the end of the pipe: whether that was all, or why not. */
int decompressor_check(const struct decompressor *d, struct err *e) MUST_CHECK;

/* Waits for its end, which is there or near when the pipe has ended. */
void decompressor_done(struct decompressor *d);

#endif
