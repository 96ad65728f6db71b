/*
 * denials.h - what the kernel says that it denied to a process.
 *
 * It says so in its log (kmsg), as lines of audit: for a seccomp filter that ends a process or
 * has SECCOMP_FILTER_FLAG_LOG, for AppArmor and for SELinux. There is no other place that names
 * the system call. Nothing is there if somebody takes the audit lines himself (auditd), if the
 * log may not be read (kernel.dmesg_restrict), if the kernel was built without audit, or if so
 * much was logged since that the lines are gone.
 */
#ifndef HULL_SECURITY_DENIALS_H
#define HULL_SECURITY_DENIALS_H

#include <sys/types.h>
#include <time.h>

#include "base/buf.h"

enum { DENIALS_MAX = 3 }; /* different ones that are told */

/*
 * A record of /dev/kmsg. If it says that `pid`, a number of the initial PID namespace, was denied
 * something at `since` or later, appends that in words, "a seccomp filter ended it for the system
 * call reboot", behind "; " if there is something; once, however often it happened.
 */
void denials_take(const char *record, pid_t pid, time_t since, struct buf *ret);

/* The same of all that is in the log. That it cannot be read is noted for debugging, no more. */
void denials_read(pid_t pid, time_t since, struct buf *ret);

#endif
