/*
 * privileges.h - what the new process gives up or hides by itself.
 */
#ifndef HULL_SECURITY_PRIVILEGES_H
#define HULL_SECURITY_PRIVILEGES_H

#include "base/err.h"

/*
 * Nobody without CAP_SYS_PTRACE over us may look into /proc/PID or attach: to
 * be called before joining a namespace in which such people live
 * (CVE-2016-9962). execve(2) ends it; setuid(2) and the like may.
 */
int privileges_hide(struct err *e) MUST_CHECK;

/* Takes that back: who is of our user, or owns our user namespace, may. */
int privileges_show(struct err *e) MUST_CHECK;

/* From here on no execve(2) gives more than there is. */
int privileges_no_new(struct err *e) MUST_CHECK;

#endif
