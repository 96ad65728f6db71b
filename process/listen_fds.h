/*
 * listen_fds.h - sockets that systemd opened for the program, sd_listen_fds(3).
 *
 * They are our descriptors from 3 on, and the program's too:
 *
 *	unsigned n = listen_fds_count(getpid());
 *	const char *env[LISTEN_FDS_ENV_MAX];
 *	size_t entries = listen_fds_env(n, NULL, 1, arena, env);
 *
 * --preserve-fds counts from the first descriptor behind them.
 */
#ifndef HULL_PROCESS_LISTEN_FDS_H
#define HULL_PROCESS_LISTEN_FDS_H

#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

enum {
	LISTEN_FDS_START = 3,
	LISTEN_FDS_MAX = 4096,
	LISTEN_FDS_ENV_MAX = 3,
	LISTEN_FDS_PLACED_MAX = 32
};

/*
 * How many of our descriptors are for the program: LISTEN_FDS, if LISTEN_PID
 * says that process `self` is meant and they are open. 0 for anything else.
 */
unsigned listen_fds_count(pid_t self);

/*
 * What the program needs in its environment for `n` of them, when it has the
 * pid `inside` in its namespace: "LISTEN_FDS=n", "LISTEN_PID=1", and
 * LISTEN_FDNAMES: `names`, or for NULL ours if we have it. Returns the number of entries, 0 for 0.
 */
size_t listen_fds_env(unsigned n, const char *names, pid_t inside, struct arena *a,
		      const char *ret[LISTEN_FDS_ENV_MAX]);

/*
 * Makes `fds` the descriptors from 3 on, still close-on-exec; the caller has nothing it needs
 * below 3 + n (see listen_fds_above()).
 */
int listen_fds_place(const int *fds, unsigned n, struct err *e) MUST_CHECK;
/* Moves a descriptor of ours that is in their way; -1 is nothing. */
int listen_fds_above(unsigned n, int *fd, struct err *e) MUST_CHECK;

#endif
