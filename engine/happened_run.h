/*
 * happened_run.h - what a run of a container begins and ends with: its networks are joined and left, its
 * volumes mounted and unmounted, noted in one write with the `start` and the `die` (happened.h).
 */
#ifndef HULL_ENGINE_HAPPENED_RUN_H
#define HULL_ENGINE_HAPPENED_RUN_H

#include "engine/happened.h"

/* `joined` is "NAME\0DRIVER\0" of each of its networks. */
void happened_began(const struct engine *g, const struct record *r, const struct buf *joined);
/*
 * `left` is "NAME\0" of each network that it was on; NULL: it never ran. Its record is read anew: it may
 * have another name by now; is it gone, nothing is noted.
 */
void happened_ended(const struct engine *g, const char *id, int exit_code, const struct buf *joined,
		    const struct buf *left);

/* "connect" or "disconnect" of one that goes on; the driver is NULL where it is not known. */
void happened_join(const struct engine *g, const char *action, const char *container,
		   const char *network, const char *driver);

#endif
