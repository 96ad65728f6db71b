/*
 * seal.h - the program cannot be written to through the processes that run it.
 *
 * A process of a container can reach the executable of the runtime that
 * enters it, by /proc/PID/exe, and a writable one is the host's
 * (CVE-2019-5736). Nor may it share page cache with the host's file, which
 * read-only mounts of it would (CVE-2022-0847 and its kin). So that link leads
 *
 *	with privilege     to an empty sealed file in memory (security/seal_place.h)
 *	without            to a sealed copy of the program in memory, executed anew
 *
 *	int main(int argc, char **argv)
 *		if (seal_self(argv, environ, &e) < 0) ...
 *
 * must come before anything that a second run of main() would repeat, and before
 * threads. What both cost is in docs/performance.md.
 */
#ifndef HULL_SECURITY_SEAL_H
#define HULL_SECURITY_SEAL_H

#include "base/err.h"

/*
 * Returns 0 if the calling process is sealed, as it may have been before. Where that cannot be
 * done in place it starts over in a copy, with these arguments and this environment, and returns
 * only if that fails.
 */
int seal_self(char *const argv[], char *const envp[], struct err *e) MUST_CHECK;

/* The second way alone: returns only if it fails. */
int seal_by_copy(char *const argv[], char *const envp[], struct err *e) MUST_CHECK;

#endif
