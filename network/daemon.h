/*
 * daemon.h - a program that stays beside containers: nobody's child, without our
 * descriptors, on disk before it begins.
 *
 *	daemon_prepare(path, argv, fds, n, &d)   it waits
 *	... write d.mark where a later command finds it ...
 *	daemon_go(&d)                            it runs; or if we are killed before, it ends
 *	daemon_done(&d)
 */
#ifndef HULL_NETWORK_DAEMON_H
#define HULL_NETWORK_DAEMON_H

#include <stddef.h>

#include "base/err.h"
#include "network/record.h"

enum { DAEMON_FDS_MAX = 8, DAEMON_FIRST_FD = 3 };

struct daemon {
	const char *path;
	struct process_mark mark;
	int go, outcome; /* our ends of two pipes */
};

#define DAEMON_NONE                     \
	{                               \
		.go = -1, .outcome = -1 \
	}
#define auto_daemon __attribute__((cleanup(daemon_done)))

/* fds[i] becomes its descriptor 3 + i, beside /dev/null as 0 to 2. argv ends with NULL. */
int daemon_prepare(const char *path, const char *const *argv, const int *fds, size_t n,
		   struct daemon *ret, struct err *e) MUST_CHECK;
/* Fails if the program could not be executed. */
int daemon_go(struct daemon *d, struct err *e) MUST_CHECK;
void daemon_done(struct daemon *d);

/* Ends the process, and waits until it has. It is gone already: success. */
int daemon_end(const struct process_mark *mark, const char *name, struct err *e) MUST_CHECK;

#endif
