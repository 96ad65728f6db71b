/*
 * holder.h - a process that keeps a scope of systemd until all about it is known.
 *
 * A scope begins with a process and ends with its last one: systemd then removes
 * its cgroups at once. But the container's first process can only be made in it
 * once it is there, and what its limits did can only be read when its last one
 * has ended. So one of ours is there from the beginning until after the end.
 * Private to cgroups/.
 *
 *	start   a child that does nothing, and dies with us
 *	stay    the container is in its cgroup: from now on it is nobody's child, waits
 *	        until that cgroup is empty, saves what is to be known (last.h), and ends
 *
 * It obeys no signal but SIGKILL, and has no descriptors but those it needs.
 */
#ifndef HULL_CGROUPS_HOLDER_H
#define HULL_CGROUPS_HOLDER_H

#include <sys/types.h>

#include "base/err.h"

struct holder {
	pid_t pid; /* 0: there is none, or it is no child of ours any more */
	int sock;  /* to it, if there is one */
};

int holder_start(struct holder *ret, struct err *e) MUST_CHECK;

/* Until the cgroup is empty; what is saved of it goes to the directory `dir`. */
int holder_stay(struct holder *holder, int cgroup, int dir, struct err *e) MUST_CHECK;

/* Kills one that is a child of ours, and waits for its end. */
void holder_end(struct holder *holder);

#endif
