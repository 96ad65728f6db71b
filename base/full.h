/*
 * full.h - the hull that can open libraries.
 *
 * Where musl is there hull is a static program, which starts in a quarter of the time but has no
 * dlopen(3). What needs a library at run time, of systemd or of CRIU, is done by the same sources
 * as a dynamic program, libexec/hull/hull-full: hull becomes that one before it has changed anything.
 *
 *	full_remember(argv);        in main()
 *	TRY(full_become(&e));       a dynamic hull goes on; a static one starts anew as hull-full
 */
#ifndef HULL_BASE_FULL_H
#define HULL_BASE_FULL_H

#include "base/err.h"

/* The arguments of main(), which stay where they are. */
void full_remember(char *const argv[]);

/*
 * Returns 0 if this program can open libraries. Else it does not return, but for a failure:
 * -ENOENT and others of helper_find(), or execve(2)'s.
 */
int full_become(struct err *e) MUST_CHECK;

#endif
