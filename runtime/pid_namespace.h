/*
 * pid_namespace.h - the processes of a container that has no cgroup.
 *
 * In a PID namespace of its own, made by hull, init is process 1, and all that
 * is in that namespace or in one below it is the container's.
 */
#ifndef HULL_RUNTIME_PID_NAMESPACE_H
#define HULL_RUNTIME_PID_NAMESPACE_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Sends `signal` to all processes that are now in the PID namespace of `init`,
 * whose pidfd this is; success if it has ended. Each is held by a pidfd before
 * it is looked at, so that no other process can be hit.
 */
int pid_namespace_signal(pid_t init, int pidfd, int signal, struct err *e) MUST_CHECK;

#endif
