/*
 * launch.h - makes the process: one clone3(2), or two where a namespace has
 * to be joined before others can be made.
 */
#ifndef HULL_RUNTIME_LAUNCH_H
#define HULL_RUNTIME_LAUNCH_H

#include "runtime/init.h"

struct launch {
	const struct plan *plan;
	struct ns_fds *joins;
	int cgroup; /* descriptor to clone into, -1: stay where we are */
	struct init *init;
	int sock; /* our end of the handshake */
};

/*
 * Makes the process, which then runs init_main(l->init). Returns its pid; a
 * pidfd goes to *ret_pidfd. It is a child of ours in either case.
 */
pid_t launch_process(struct launch *l, int *ret_pidfd, struct err *e) MUST_CHECK;

#endif
