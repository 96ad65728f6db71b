/*
 * keep.h - the process that keeps a container while it runs: it is init's
 * parent, holds the container's lock, and writes down how it ended.
 */
#ifndef HULL_ENGINE_KEEP_H
#define HULL_ENGINE_KEEP_H

#include "engine/containers.h"

/* In this process, with our standard streams or terminal, until it has ended. */
int keep_foreground(const struct engine *g, struct making *m, int *ret_status, struct err *e)
	MUST_CHECK;

/*
 * In a process of its own, which takes the lock with it; returns when the
 * program runs. What it writes goes to the log; restart policies are obeyed.
 * With m->restore it goes on from its checkpoint instead of being started.
 */
int keep_detached(const struct engine *g, struct making *m, struct err *e) MUST_CHECK;

/* The same, with a guest (attach.h) that misses nothing from the first byte on: *ret_fd is its end. */
int keep_attached(const struct engine *g, struct making *m, int *ret_fd, struct err *e) MUST_CHECK;

/*
 * What `docker run` exits with when it fails: 127, there is no such program;
 * 126, it can't be executed; 125, anything else.
 */
int keep_failure_status(const struct err *e);

#endif
