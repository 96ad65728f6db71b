/*
 * owner.h - a container's cgroup given to the user who is to manage it.
 *
 * The runtime specification (config-linux.md, "Cgroup ownership") names the
 * directory and the files that are given: those by which processes are moved
 * and controllers handed out, never one that limits the container itself.
 */
#ifndef HULL_CGROUPS_OWNER_H
#define HULL_CGROUPS_OWNER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "cgroups/cgroup.h"
#include "spec/spec.h"

/*
 * Whom the cgroup is for: the host's uid of the container's first process, if
 * the container has a cgroup namespace and a writable cgroup mount; not set if
 * it has not, or if that uid is nobody on the host. Pure.
 */
struct opt_u32 owner_plan(const struct spec *spec);

/* The files that are given, a name a line: those that `path` lists, without it the specification's. */
int owner_files(const char *path, struct buf *ret, struct err *e) MUST_CHECK;

/* Gives it to `uid`, with the files of /sys/kernel/cgroup/delegate that it has. */
int owner_apply(const struct cgroup *cg, uint32_t uid, struct err *e) MUST_CHECK;

#endif
