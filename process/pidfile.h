/*
 * pidfile.h - tells the pid of a process to who made us.
 */
#ifndef HULL_PROCESS_PIDFILE_H
#define HULL_PROCESS_PIDFILE_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Makes or replaces `path` with the digits of `pid` and nothing else (containerd
 * parses the whole file). Who sees the file sees all of it. Mode 0644.
 */
int pidfile_write(const char *path, pid_t pid, struct err *e) MUST_CHECK;

#endif
