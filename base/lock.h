/*
 * lock.h - locks of files, waited for until a deadline.
 *
 * Both kinds belong to the open file description: they end when its last
 * descriptor is closed, however the process ends. Neither call has a time limit
 * of its own; here a process waits in our place, and is killed when that is over.
 */
#ifndef HULL_BASE_LOCK_H
#define HULL_BASE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/util.h"

enum {
	LOCK_USUAL_S = 45 /* what a command that is at work may take, however slow the machine is */
};

/*
 * The lock of flock(2), exclusive. 0 seconds: does not wait. -ETIMEDOUT: somebody else still has
 * it then.
 */
int lock_file(int fd, unsigned seconds) MUST_CHECK;

/* The same with LOCK_USUAL_S, exclusive or shared, in words: "WHAT: another command has held its lock for 45 seconds". */
int lock_wait(int fd, bool shared, const char *what, struct err *e) MUST_CHECK;

/* The same for one byte of it, which need not be there: one file is many locks (F_OFD_SETLK). */
int lock_byte(int fd, int64_t at, unsigned seconds) MUST_CHECK;

#endif
