#include "runtime/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/sys.h"
#include "runtime/handshake.h"
#include "security/privileges.h"

static pid_t clone_into(uint64_t flags, int exit_signal, int cgroup, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = { .flags = flags, .exit_signal = (uint64_t)exit_signal };
	pid_t pid;

	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup;
	}
	if (ret_pidfd) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	}
	pid = sys_clone3(&args);
	if (pid > 0 && ret_pidfd)
		*ret_pidfd = pidfd;
	return pid;
}

/*
 * Namespaces are joined before others are made when one of them is a user
 * namespace: those made have to belong to a joined one, and from inside a new
 * one the joined others could not be entered any more.
 *
 * And exec enters a PID namespace in which somebody may have CAP_SYS_PTRACE,
 * whom PR_SET_DUMPABLE does not keep out (CVE-2016-9962): what is seen there
 * must have left the host, and its descriptors, before.
 */
static bool needs_stage(const struct launch *l)
{
	bool joins_any = false;

	for (int i = 0; i < SPEC_NS_KINDS; i++)
		joins_any = joins_any || l->joins->at[i] >= 0;
	return l->joins->at[SPEC_NS_USER] >= 0 ||
	       (l->init->why == FOR_EXEC && l->joins->at[SPEC_NS_PID] >= 0) ||
	       (joins_any && (l->plan->namespaces.clone & CLONE_NEWUSER));
}

/* The child must not hold the parent's end, or it would never see the parent die. */
_Noreturn static void run_child(const struct launch *l)
{
	if (!l->init->joined) /* the stage has closed it */
		close(l->sock);
	init_main(l->init);
}

/* The stage: joins all, makes the process as its sister, says who that is, and ends. */
_Noreturn static void run_stage(struct launch *l)
{
	struct err e = { 0 };
	int said[2]; /* one byte when our message is sent: the sister's must not come before it */
	ssize_t n;
	char c;
	pid_t pid;
	int r;

	close(l->sock);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
		err_sys(&e, "set the parent's death signal");
		handshake_fail(l->init->sock, &e);
		_exit(1);
	}
	if (ns_join(l->joins, 0, &e) < 0 ||
	    (l->init->why == FOR_EXEC && init_leave_host(l->init, &e) < 0)) {
		handshake_fail(l->init->sock, &e);
		_exit(1);
	}
	if (pipe2(said, O_CLOEXEC) < 0) {
		err_sys(&e, "make a pipe");
		handshake_fail(l->init->sock, &e);
		_exit(1);
	}
	pid = clone_into(l->plan->namespaces.clone | CLONE_PARENT, 0, -1, NULL);
	if (pid == 0) {
		close(said[1]);
		n = io_read_all(said[0], &c, 1);
		if (n < 0) {
			err_neg(&e, (int)n, "wait for the process that joined namespaces");
			handshake_fail(l->init->sock, &e);
		}
		if (n != 1)
			_exit(1);
		close(said[0]);
		l->init->joined = true;
		run_child(l);
	}
	if (pid < 0) {
		err_sys(&e, "make the container's process");
		handshake_fail(l->init->sock, &e);
		_exit(1);
	}
	if (handshake_send(l->init->sock, SAY_CHILD, pid, -1, &e) < 0) {
		handshake_fail(l->init->sock, &e);
		_exit(1);
	}
	r = io_write_all(said[1], "", 1);
	if (r < 0) {
		err_neg(&e, r, "let the process go that is to be the container's");
		handshake_fail(l->init->sock, &e);
	}
	_exit(r < 0 ? 1 : 0);
}

static pid_t launch_staged(struct launch *l, int *ret_pidfd, struct err *e)
{
	int32_t pid = 0;
	pid_t stage = clone_into(0, SIGCHLD, l->cgroup, NULL);
	int r, fd;

	if (stage < 0)
		return err_sys(e, "make the process that joins namespaces");
	if (stage == 0)
		run_stage(l);
	close_fd(&l->init->sock); /* or we would never see the stage die */
	r = handshake_expect(l->sock, SAY_CHILD, &pid, NULL, e);
	while (waitpid(stage, NULL, 0) < 0 && errno == EINTR)
		;
	TRY(r);
	fd = pidfd_open(pid, 0); /* a child of ours that nobody else reaps: the pid is its own */
	if (fd < 0)
		return err_sys(e, "open the container's process %d", pid);
	*ret_pidfd = fd;
	return pid;
}

static pid_t launch_direct(struct launch *l, int *ret_pidfd, struct err *e)
{
	bool joins_pid = l->joins->at[SPEC_NS_PID] >= 0;
	pid_t pid;
	int r;

	if (joins_pid)
		TRY(ns_children_pid(l->joins->at[SPEC_NS_PID], e));
	pid = clone_into(l->plan->namespaces.clone, SIGCHLD, l->cgroup, ret_pidfd);
	if (pid == 0)
		run_child(l);
	if (pid < 0)
		return err_sys(e, "make the container's process");
	r = joins_pid ? ns_children_pid(-1, e) : 0;
	if (r < 0)
		pidfd_send_signal(*ret_pidfd, SIGKILL, NULL, 0);
	return r < 0 ? r : pid;
}

pid_t launch_process(struct launch *l, int *ret_pidfd, struct err *e)
{
	/*
	 * In a PID namespace that has others in it, the process must be hidden from its first moment
	 * (CVE-2016-9962); it inherits that from us. Without privilege, its files in /proc would be
	 * closed to us as well, and joining a user namespace hides it anyway (credentials(7)).
	 */
	if (l->joins->at[SPEC_NS_PID] >= 0 && geteuid() == 0)
		TRY(privileges_hide(e));
	return needs_stage(l) ? launch_staged(l, ret_pidfd, e) : launch_direct(l, ret_pidfd, e);
}
