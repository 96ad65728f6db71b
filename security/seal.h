/*
 * seal.h - the program runs from a copy of itself that nothing can write to.
 *
 * A process of a container can reach the executable of the runtime that
 * enters it, by /proc/PID/exe, and a writable one is the host's
 * (CVE-2019-5736). A sealed copy in memory also shares no page cache with the
 * file, which read-only mounts of it would (CVE-2022-0847 and its kin).
 *
 *	int main(int argc, char **argv)
 *		if (seal_self(argv, environ, &e) < 0) ...
 *
 * must come before anything that a second run of main() would repeat. It costs
 * an execve(2) and the copy: 0.8 ms for a binary of 180 KB, 2.9 ms for 1.7 MB.
 */
#ifndef HULL_SECURITY_SEAL_H
#define HULL_SECURITY_SEAL_H

#include "base/err.h"

/*
 * Returns 0 if the calling process runs from a sealed copy; otherwise makes
 * one and starts over in it, with these arguments and this environment, and
 * returns only if that fails.
 */
int seal_self(char *const argv[], char *const envp[], struct err *e) MUST_CHECK;

#endif
