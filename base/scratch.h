/*
 * scratch.h - a directory that one process works in and then takes away.
 *
 * Only its user may enter it (mode 0700), and its maker holds flock(2) on it for as long as it
 * lives. So one that nobody holds was left by a process that was killed: scratch_sweep() is for
 * whoever makes the next one, or tidies up.
 */
#ifndef HULL_BASE_SCRATCH_H
#define HULL_BASE_SCRATCH_H

#include "base/err.h"
#include "base/util.h"

enum { SCRATCH_NAME_MAX = 64 };

struct scratch {
	int parent; /* the descriptor of the directory that it is in, borrowed */
	int dir;
	char name[SCRATCH_NAME_MAX]; /* "": there is none */
};

/* clang-format off */
#define SCRATCH_NONE { .parent = -1, .dir = -1 }
/* clang-format on */
#define auto_scratch __attribute__((cleanup(scratch_done)))

/* Makes one in `parent`, its name `prefix` and 16 hexadecimal digits. */
int scratch_make(int parent, const char *prefix, struct scratch *ret, struct err *e) MUST_CHECK;
/* Gives it the name `name` in place of an older one: it is no scratch directory any more, and stays. */
int scratch_keep(struct scratch *s, const char *name) MUST_CHECK;
/* Removes it and all that is in it. */
void scratch_done(struct scratch *s);

/* Removes those of that prefix that nobody holds. What cannot be removed is told to the log. */
void scratch_sweep(int parent, const char *prefix);

#endif
