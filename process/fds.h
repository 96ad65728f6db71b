/*
 * fds.h - which descriptors the program inherits: the standard ones, those
 * asked for, and no other (CVE-2024-21626).
 */
#ifndef HULL_PROCESS_FDS_H
#define HULL_PROCESS_FDS_H

#include <stddef.h>

#include "base/err.h"

/* That `n` descriptors from 3 on are open, for --preserve-fds and LISTEN_FDS. */
int fds_check(unsigned n, struct err *e) MUST_CHECK;

/*
 * Closes all descriptors from `first` on but those of `keep`, now: a process
 * that waits must not hold what others wait for the end of. Entries of -1 are
 * nothing; `keep` is sorted in place.
 */
int fds_close_others(unsigned first, int *keep, size_t n, struct err *e) MUST_CHECK;

/*
 * A standard stream that is the caller's /dev/null becomes the one of the root
 * that we are in: the host's is a file that a container's root could change,
 * by fchmod(2), and a mount that is not the container's (CRIU refuses it).
 * Fails if a stream needs it and /dev/null is not there or is another file.
 */
int fds_own_null(struct err *e) MUST_CHECK;

/* Lets execve(2) close all but the standard descriptors and the `kept` ones behind them. */
int fds_close_on_exec(unsigned kept, struct err *e) MUST_CHECK;

#endif
