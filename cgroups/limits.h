/* limits.h - controllers for a cgroup; its limits are cgroup_apply(). Private to cgroups/. */
#ifndef HULL_CGROUPS_LIMITS_H
#define HULL_CGROUPS_LIMITS_H

#include "base/err.h"
#include "base/list.h"
#include "cgroups/cgroup.h"

/*
 * Has all cgroups above this one hand out the needed controllers, and those
 * for statistics. Why a needed one is not handed out goes to *why.
 */
void cgroup_hand_out(const struct cgroup *cg, const struct strings *needed, struct err *why);

#endif
