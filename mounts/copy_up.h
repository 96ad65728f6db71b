/*
 * copy_up.h - what the image has in a directory, copied into the tmpfs that will hide it.
 *
 * The source is hostile and is only ever reached beneath its descriptor: no
 * link is followed, no other mount entered (a mount point is copied as the
 * empty thing that it lies on), no FIFO or device opened. The copy is a fresh
 * file system that nobody else has yet.
 */
#ifndef HULL_MOUNTS_COPY_UP_H
#define HULL_MOUNTS_COPY_UP_H

#include "base/err.h"

/* What of the directory itself is kept; what is below it is always as it was. */
enum copy_up_keep {
	COPY_UP_MODE = 1 << 0,
	COPY_UP_UID = 1 << 1,
	COPY_UP_GID = 1 << 2,
};

/*
 * Copies the content of the directory `from` into the empty directory `to`, as
 * cp -ax would: modes, owners, times, extended attributes, holes, hard links,
 * sockets, FIFOs and devices. An owner that our user namespace has no number
 * for becomes ours, without the set-id bits; an extended attribute that the
 * new file system has no place for is left out. `what` and `path` name the
 * mount and the directory in messages. `from` and `to` may be O_PATH.
 */
int copy_up(int from, int to, unsigned keep, const char *what, const char *path, struct err *e)
	MUST_CHECK;

#endif
