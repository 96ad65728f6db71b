/*
 * seal_place.h - makes the running program safe from being overwritten, where it is.
 *
 * What a container can reach of a process that enters it is /proc/PID/exe. The
 * kernel lets that be another file (prctl(2), PR_SET_MM) once the first one is
 * not mapped any more under that path:
 *
 *	code, constants    the same file, mapped by a read-only mount that only we hold
 *	data               a copy in anonymous memory; most of it was written to anyway
 *	/proc/PID/exe      an empty memory file, sealed: nothing to read, write or execute
 *
 * No byte of the program is copied but its data, and nothing is executed again.
 */
#ifndef HULL_SECURITY_SEAL_PLACE_H
#define HULL_SECURITY_SEAL_PLACE_H

#include "base/err.h"

/*
 * `exe` is what /proc/PID/exe is to be. The process must have one thread. Fails where the
 * kernel does not let us (without CAP_SYS_ADMIN, say); then the program goes on as it was.
 */
int seal_in_place(int exe, struct err *e) MUST_CHECK;

#endif
