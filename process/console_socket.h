/*
 * console_socket.h - gives the master of a console to who asked for it.
 *
 * --console-socket names a listening AF_UNIX stream socket. It gets one
 * connection with one message: the name of the terminal, and exactly one
 * descriptor.
 */
#ifndef HULL_PROCESS_CONSOLE_SOCKET_H
#define HULL_PROCESS_CONSOLE_SOCKET_H

#include "base/err.h"

/* Whether `path` is a socket, to be asked before there is anything to undo. */
int console_socket_check(const char *path, struct err *e) MUST_CHECK;

/* The path is the host's and of any length; `master` stays open here. */
int console_socket_send(const char *path, int master, const char *name, struct err *e) MUST_CHECK;

#endif
