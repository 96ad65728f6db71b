#include "security/attempt.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

bool attempts_refused(const struct attempt *list, size_t n, struct json_writer *w)
{
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		long r = list[i].make();

		json_write_string(w, list[i].name, r < 0 ? err_text(errno) : "possible");
		all = all && r < 0;
	}
	return all;
}

long attempt_exec(void)
{
	char *const none[] = { NULL };

	return execve("/bin/true", none, none);
}

long attempt_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid;
}

long attempt_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

long attempt_userns(void)
{
	return syscall(SYS_unshare, CLONE_NEWUSER);
}
