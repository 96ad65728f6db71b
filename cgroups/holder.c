#include "cgroups/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/util.h"
#include "cgroups/last.h"
#include "cgroups/procs.h"

enum { CGROUP, DIRECTORY, GIVEN };

/* Only root may; but it is so small that it is not the first whom the kernel kills. */
static void be_spared(void)
{
	int r UNUSED = io_write_value(AT_FDCWD, "/proc/self/oom_score_adj", "-1000");
}

/* A cgroup that is gone was removed by hull, which has read all there was. */
_Noreturn static void attend(const int given[GIVEN])
{
	char path[] = "the container's cgroup";
	const struct cgroup cg = { .fd = given[CGROUP], .mount = -1, .path = path };
	struct err unused = { 0 };

	be_spared();
	_exit(setsid() < 0 || chdir("/") < 0 || cgroup_wait_empty(&cg, -1, &unused) < 0 ||
	      cgroup_last_save(given[CGROUP], given[DIRECTORY]) < 0);
}

/* Signals are blocked since before the fork. */
_Noreturn static void hold(pid_t parent, int sock)
{
	int given[GIVEN];
	char byte;

	if ((sock > 0 && close_range(0, (unsigned)sock - 1, 0) < 0) ||
	    close_range((unsigned)sock + 1, ~0U, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    prctl(PR_SET_NAME, "hull-holder") < 0 || getppid() != parent)
		_exit(1);
	if (io_recv_fds(sock, &byte, 1, given, GIVEN) != 1 || given[CGROUP] < 0 ||
	    given[DIRECTORY] < 0)
		_exit(1);
	close(sock);
	/* The child's parent is whoever takes in orphans: ours has its own to do, and may end. */
	switch (fork()) {
	case -1:
		_exit(1);
	case 0:
		attend(given);
	default:
		_exit(0);
	}
}

/* The child's pid, with the parent's signals as they were. */
static pid_t fork_deaf(struct holder *holder, int sock, struct err *e)
{
	sigset_t all, before;
	pid_t parent = getpid();

	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, &before) < 0)
		return err_sys(e, "block signals");
	holder->pid = fork();
	if (holder->pid == 0)
		hold(parent, sock);
	if (holder->pid < 0)
		err_sys(e, "make the process that holds the scope");
	if (sigprocmask(SIG_SETMASK, &before, NULL) < 0 && holder->pid > 0)
		return err_sys(e, "unblock signals");
	return holder->pid < 0 ? -e->code : 0;
}

int holder_start(struct holder *ret, struct err *e)
{
	struct holder holder = { 0 };
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a socket to the process that holds the scope");
	holder.sock = pair[0];
	r = fork_deaf(&holder, pair[1], e);
	close(pair[1]);
	if (r < 0) {
		holder_end(&holder);
		close_fd(&pair[0]);
		return r;
	}
	*ret = holder;
	return 0;
}

/* Its exit status; it has come to its end, or will without us. */
static int reap(struct holder *holder)
{
	int status = 0;

	close(holder->sock);
	while (waitpid(holder->pid, &status, 0) < 0 && errno == EINTR)
		;
	*holder = (struct holder){ 0 };
	return status;
}

int holder_stay(struct holder *holder, int cgroup, int dir, struct err *e)
{
	/* Opened anew: a lock that we have on `dir` is not to be the holder's too. */
	auto_fd int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int given[GIVEN] = { [CGROUP] = cgroup, [DIRECTORY] = own };
	int r = own < 0 ? -errno : io_send_fds(holder->sock, "", 1, given, GIVEN);

	if (r < 0) {
		holder_end(holder);
		return err_neg(e, r, "ask the process that holds the scope to stay");
	}
	if (reap(holder) != 0)
		return err_set(e, ECHILD, "the process that holds the scope cannot stay");
	return 0;
}

void holder_end(struct holder *holder)
{
	if (holder->pid <= 0)
		return;
	kill(holder->pid, SIGKILL); /* not reaped yet, so the pid is its own */
	reap(holder);
}
