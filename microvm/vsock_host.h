/*
 * vsock_host.h - the unix socket by which the host reaches a microVM's programs (vsock.h): where
 * it is, and that it goes with the container.
 */
#ifndef HULL_MICROVM_VSOCK_HOST_H
#define HULL_MICROVM_VSOCK_HOST_H

#include "base/err.h"
#include "runtime/executor.h"

/* Its path. In its directory are those to which the guest connects, too: PATH_PORT. */
#define VSOCK_ANNOTATION EXECUTOR_VSOCK_ANNOTATION

enum { VSOCK_NAME_MAX = 90 /* so that the name, behind /proc/self/fd/N/, is an address */ };

/* The path is absolute, and the name in it one that a socket can have. */
int vsock_check_path(const char *path, struct err *e) MUST_CHECK;

/* The name in a path that is checked. */
const char *vsock_name(const char *path);

/*
 * Makes the socket, mode 0600, and listens at it; which it is stays in the container's directory
 * `dir`. A path that is there already is refused.
 */
int vsock_listen(int dir, const char *path, struct err *e) MUST_CHECK;

/*
 * The directory of that path as a mount of its own, which is nowhere: who is in it can't leave it
 * by "..". Needs CAP_SYS_ADMIN over the mount namespace that it is called in.
 */
int vsock_open_directory(const char *path, struct err *e) MUST_CHECK;

/* Takes away the socket that vsock_listen() made, if it is still there. */
int vsock_remove(int dir, const char *path, struct err *e) MUST_CHECK;

#endif
