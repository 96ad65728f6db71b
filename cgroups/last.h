/*
 * last.h - what the files of a cgroup said when its last process had ended.
 *
 * systemd removes the cgroup of a scope at that moment. So what is told of an
 * end (cgroup_oom_read(), cgroup_held_read()) is copied before: files of the same
 * names, in a directory that is read as the cgroup itself would be.
 */
#ifndef HULL_CGROUPS_LAST_H
#define HULL_CGROUPS_LAST_H

#include "base/err.h"

/* Into `dir`, all or nothing. A file that the cgroup does not have is left out. */
int cgroup_last_save(int cgroup, int dir) MUST_CHECK;

/* A descriptor of what was saved in `dir`; -ENOENT: nothing was. */
int cgroup_last_open(int dir) MUST_CHECK;

#endif
