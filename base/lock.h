/*
 * lock.h - locks of files, waited for until a deadline.
 *
 * Both kinds belong to the open file description: they end when its last
 * descriptor is closed, however the process ends. Neither call has a time limit
 * of its own; here a process waits in our place, and is killed when that is over.
 */
#ifndef HULL_BASE_LOCK_H
#define HULL_BASE_LOCK_H

#include <stdint.h>

#include "base/util.h"

/*
 * The lock of flock(2), exclusive. 0 seconds: does not wait. -ETIMEDOUT: somebody else still has
 * it then.
 */
int lock_file(int fd, unsigned seconds) MUST_CHECK;

/* The same for one byte of it, which need not be there: one file is many locks (F_OFD_SETLK). */
int lock_byte(int fd, int64_t at, unsigned seconds) MUST_CHECK;

#endif
