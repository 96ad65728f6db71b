/*
 * previous.h - what to write so that a file of a cgroup is again as it was.
 * Private to cgroups/.
 */
#ifndef HULL_CGROUPS_PREVIOUS_H
#define HULL_CGROUPS_PREVIOUS_H

#include "base/arena.h"

/*
 * `content` is what `file` holds before `value` is written to it. A file with
 * a line for each device takes back that of the value's device alone.
 */
const char *cgroup_previous(struct arena *a, const char *file, const char *content,
			    const char *value);

#endif
