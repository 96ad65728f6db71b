/*
 * sandbox.h - shuts this process in before it reads what a stranger has written.
 *
 * Afterwards it has: standard input, output and error, one directory, the capabilities that
 * making files in it takes (and those only if it had them), the system calls of one table, and
 * nothing else: no environment, no other path, no network, no other program, no new privilege.
 *
 * Landlock is left out where the kernel has none, or one that forbids hard links between
 * directories (before 5.19). All else is there or the program does not run.
 */
#ifndef HULL_IMAGE_UNPACK_SANDBOX_H
#define HULL_IMAGE_UNPACK_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* What making files is going to be allowed. */
struct sandbox_facts {
	bool devices;      /* mknod(2): CAP_MKNOD, and not only in a user namespace */
	bool capabilities; /* security.capability: CAP_SETFCAP */
	bool any_mode;     /* CAP_DAC_OVERRIDE */
	int landlock;      /* its version, 0: not in use */
};

/*
 * `*dir_fd` becomes the descriptor's new number. trusted: attributes of overlayfs are needed,
 * which takes CAP_SYS_ADMIN.
 */
int sandbox_enter(int *dir_fd, bool trusted, struct sandbox_facts *ret, struct err *e) MUST_CHECK;

/*
 * The same for a process that takes bytes from standard input and gives others to standard output:
 * without the directory (which is where it is shut in), without any capability, and with a table of
 * its own. It dies with `parent`, who has made it.
 */
int sandbox_enter_stream(int dir_fd, pid_t parent, struct sandbox_facts *ret, struct err *e)
	MUST_CHECK;

/*
 * Tries what must not be possible any more. Writes a line of JSON, what: how it ended; true if
 * everything was refused.
 */
bool sandbox_test(const struct sandbox_facts *facts, struct buf *ret);

#endif
