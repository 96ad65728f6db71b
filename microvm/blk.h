/*
 * blk.h - virtio-blk: a file of the host as a disk that can be read (virtio 1.2, 5.2).
 *
 * There is no way to write to it, whatever the guest asks for. One thread of
 * its own reads, so that a slow disk holds nobody else up.
 */
#ifndef HULL_MICROVM_BLK_H
#define HULL_MICROVM_BLK_H

#include "base/err.h"
#include "microvm/virtio.h"

struct blk {
	struct virtio v;
	int file;
	uint64_t sectors; /* of 512 bytes; a rest of the file is not shown */
};

extern const struct virtio_kind blk_kind;

/* Shows `file`, a regular file or a block device, of which it keeps the descriptor. */
int blk_open(struct blk *b, int file, struct err *e) MUST_CHECK;

/* Starts the thread; it ends with the process. */
int blk_start(struct blk *b, struct err *e) MUST_CHECK;

/* Does what is in the queue. */
void blk_attend(struct blk *b);

#endif
