/*
 * pidfd_socket.h - gives a pidfd to who asked for it.
 *
 * --pidfd-socket names a listening AF_UNIX stream socket. It gets one connection with one message,
 * of runc's form: "standard" for a container's first process, "setns" for one of exec, and exactly
 * one descriptor.
 */
#ifndef HULL_PROCESS_PIDFD_SOCKET_H
#define HULL_PROCESS_PIDFD_SOCKET_H

#include "base/err.h"

#define PIDFD_OF_INIT "standard"
#define PIDFD_OF_EXEC "setns"

/* Whether `path` is a socket, to be asked before there is anything to undo. */
int pidfd_socket_check(const char *path, struct err *e) MUST_CHECK;

/* The path is the host's and of any length; `pidfd` stays open here. */
int pidfd_socket_send(const char *path, int pidfd, const char *of, struct err *e) MUST_CHECK;

#endif
