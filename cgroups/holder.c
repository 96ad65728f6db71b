#include "cgroups/holder.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Signals are blocked since before the fork. */
_Noreturn static void hold(pid_t parent)
{
	if (close_range(0, ~0U, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    prctl(PR_SET_NAME, "hull-holder") < 0 || getppid() != parent)
		_exit(1);
	for (;;)
		pause();
}

pid_t holder_start(struct err *e)
{
	sigset_t all, before;
	pid_t parent = getpid(), pid;

	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, &before) < 0)
		return err_sys(e, "block signals");
	pid = fork();
	if (pid == 0)
		hold(parent);
	if (pid < 0)
		err_sys(e, "make the process that holds the scope");
	if (sigprocmask(SIG_SETMASK, &before, NULL) < 0 && pid > 0) {
		err_sys(e, "unblock signals");
		holder_end(&pid);
		return -e->code;
	}
	return pid < 0 ? -e->code : pid;
}

void holder_end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL); /* not reaped yet, so the pid is its own */
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	*pid = 0;
}
