/*
 * host.h - facts about the host and the caller that plans depend on.
 */
#ifndef HULL_RUNTIME_HOST_H
#define HULL_RUNTIME_HOST_H

#include <stdbool.h>

#include "base/err.h"
#include "cgroups/host.h"

struct host {
	bool in_user_namespace; /* we are in one other than the initial one */
	bool privileged;        /* we may mount: CAP_SYS_ADMIN in our user namespace */
	int proc;               /* a descriptor of our /proc, a verified procfs */
	struct cgroup_host cgroups;
};

/* clang-format off */
#define HOST_NONE { .proc = -1, .cgroups = CGROUP_HOST_NONE }
/* clang-format on */
#define auto_host __attribute__((cleanup(host_done)))

/* `cgroup_wants` is a set of enum cgroup_want. */
int host_probe(unsigned cgroup_wants, struct host *ret, struct err *e) MUST_CHECK;
void host_done(struct host *h);

#endif
