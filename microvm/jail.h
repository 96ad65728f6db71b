/*
 * jail.h - what the VMM can still do once a guest runs: nothing that it does not need.
 *
 * It lives in the container's namespaces and cgroup, with the container's root
 * as its root. On top of that it gives up all capabilities but those by which
 * the file server acts for the guest's users, can gain none, is closed to
 * others' ptrace(2), and is left with a list of system calls.
 */
#ifndef HULL_MICROVM_JAIL_H
#define HULL_MICROVM_JAIL_H

#include "base/err.h"

/* Before there are threads: each has capabilities of its own. */
int jail_drop_privileges(struct err *e) MUST_CHECK;

/* When all threads are there: the filter is for all of them. No file can be executed after it. */
int jail_close(struct err *e) MUST_CHECK;

/* For tests: the system calls that are allowed. */
extern const int jail_calls[];
extern const unsigned jail_n_calls;

#endif
