/*
 * jail.h - what the VMM can still do once a guest runs: nothing that it does not need.
 *
 * It lives in the container's namespaces and cgroup, with the container's root
 * as its root. On top of that it gives up all capabilities but those by which
 * the file server acts for the guest's users, can gain none, is closed to
 * others' ptrace(2), and is left with a list of system calls.
 */
#ifndef HULL_MICROVM_JAIL_H
#define HULL_MICROVM_JAIL_H

#include "base/err.h"

/* Before there are threads: each has capabilities of its own. */
int jail_drop_privileges(struct err *e) MUST_CHECK;

/* What a thread is for: so it has its own list of system calls. */
enum jail_thread {
	JAIL_VCPU,  /* runs the guest, and the devices' registers */
	JAIL_FILES, /* serves files */
	JAIL_DISK,  /* reads a disk */
	JAIL_VSOCK, /* connects the guest with sockets of the host */
	JAIL_MAIN,  /* all else */
};

/*
 * Leaves the calling thread its list, for ever: any other system call ends the
 * process. No thread may be made after it, and no file executed. Each thread
 * does so before it has seen anything of the guest's; the main one is the last.
 */
int jail_close(enum jail_thread who, struct err *e) MUST_CHECK;

/* The same for threads that have nobody to fail to: they end the process. */
enum { JAIL_FAILED = 125 };
void jail_close_or_end(enum jail_thread who);

#endif
