/*
 * borrowed.h - namespaces of other containers (--pid container:NAME and the like).
 *
 * Whose they are is remembered by id, since the other one may have been renamed, or started again, when
 * this one is started. config.json names a link in the container's own directory, which borrowed_find()
 * lets point to the process that the other container has by then.
 */
#ifndef HULL_ENGINE_BORROWED_H
#define HULL_ENGINE_BORROWED_H

#include "engine/record.h"

/* Notes in the record that the namespace `file`, as in /proc/PID/ns, is that of container `id`. Returns the path for config.json. */
const char *borrowed_note(const struct engine *g, struct record *r, const char *file,
			  const char *id);

/* Before each start. -ESRCH if one of them does not run, -ENOENT if it is no more. */
int borrowed_find(const struct engine *g, int dir, const struct record *r, struct err *e)
	MUST_CHECK;

#endif
