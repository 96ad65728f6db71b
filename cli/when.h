/* when.h - points in time as options have them. Pure. */
#ifndef HULL_CLI_WHEN_H
#define HULL_CLI_WHEN_H

#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * "10m" is that long before `now`; "2026-01-31T12:00:00.5Z", also with "+02:00" and without any, which is
 * UTC; "1769860800.5" are seconds since 1970. All in nanoseconds.
 */
int when_parse(const char *option, const char *text, int64_t now, int64_t *ret, struct err *e)
	MUST_CHECK;

/* A date of these alone, its fraction left out. -EINVAL: it is none, or NULL. */
int when_date(const char *text, time_t *ret) MUST_CHECK;

/* Now, in nanoseconds. */
int64_t when_now(void);

/* "2026-01-31T12:00:00.500000000Z" */
const char *when_text(int64_t when, struct arena *a);

#endif
