/*
 * unix_socket.h - a listening AF_UNIX stream socket of somebody else's, by its path.
 *
 * The path is the host's and of any length. `what` is what messages call it:
 * "console socket".
 */
#ifndef HULL_PROCESS_UNIX_SOCKET_H
#define HULL_PROCESS_UNIX_SOCKET_H

#include "base/err.h"

/* Whether `path` is a socket, to be asked before there is anything to undo. */
int unix_socket_check(const char *path, const char *what, struct err *e) MUST_CHECK;

/* A connection to its listener. */
int unix_socket_connect(const char *path, const char *what, struct err *e) MUST_CHECK;

#endif
