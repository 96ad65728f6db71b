/*
 * console.h - the pseudo terminal of a container's process.
 *
 * The pair comes from the container's own devpts, so its name means something
 * inside. Nothing is opened by a name that the container could have replaced
 * (CVE-2025-52565): dev/pts is opened beneath the root and must be a devpts,
 * ptmx is opened on that very mount, and the other end comes from the kernel.
 *
 *	auto_console struct console c = CONSOLE_NONE;
 *
 *	TRY(console_open(root, p, &c, e));
 *	... c.slave is bound on /dev/console by descriptor, c.master sent away ...
 *	TRY(console_attach(&c, e));
 */
#ifndef HULL_PROCESS_CONSOLE_H
#define HULL_PROCESS_CONSOLE_H

#include "base/err.h"
#include "spec/spec.h"

struct console {
	int master, slave; /* -1: not open */
	char name[32];     /* "/dev/pts/0", as the container sees it */
};

/* clang-format off */
#define CONSOLE_NONE { .master = -1, .slave = -1 }
/* clang-format on */

/*
 * Opens a pair beneath `root`, a descriptor of the container's root directory;
 * gives it p's size and the slave to p's user. Needs the container's user
 * namespace, and no /proc.
 */
int console_open(int root, const struct spec_process *p, struct console *ret, struct err *e)
	MUST_CHECK;

/*
 * Makes the slave the controlling terminal of this process, which leads a
 * session without one already, and its standard streams.
 */
int console_attach(const struct console *c, struct err *e) MUST_CHECK;

void console_close(struct console *c);

#define auto_console __attribute__((cleanup(console_close)))

#endif
