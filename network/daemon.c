#include "network/daemon.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/spawn.h"

enum {
	STOP_TIMEOUT = 5000, /* milliseconds */
	HIGH_FD = 64,        /* above all that it is to have */
};

struct pipe_ends {
	int in, out;
};

static void close_ends(struct pipe_ends *p)
{
	close_fd(&p->in);
	close_fd(&p->out);
}

#define auto_pipe __attribute__((cleanup(close_ends)))

static int open_pipe(struct pipe_ends *ret, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	*ret = (struct pipe_ends){ ends[0], ends[1] };
	return 0;
}

/* What cannot be done is told as an errno; that nothing is told is success. */
static _Noreturn void give_up(int outcome)
{
	int code = errno;

	_exit(write(outcome, &code, sizeof(code)) == sizeof(code) ? 126 : 125);
}

static _Noreturn void become(const char *path, const char *const *argv, const int *fds, size_t n,
			     int go, int outcome)
{
	int high[DAEMON_FDS_MAX], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char byte;

	setsid();
	spawn_reset_signals();
	if (read(go, &byte, 1) != 1)
		_exit(0); /* whoever prepared us is gone, and nobody knows us */
	/* First out of the way of where they are to be. */
	outcome = fcntl(outcome, F_DUPFD_CLOEXEC, HIGH_FD);
	for (size_t i = 0; i < n; i++)
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, HIGH_FD);
	for (int i = 0; i < DAEMON_FIRST_FD; i++)
		if (null < 0 || dup2(null, i) < 0)
			give_up(outcome);
	for (size_t i = 0; i < n; i++)
		if (high[i] < 0 || dup2(high[i], DAEMON_FIRST_FD + (int)i) < 0)
			give_up(outcome);
	/* All others are closed by execve(), also those that were handed on to us. */
	syscall(SYS_close_range, DAEMON_FIRST_FD + (unsigned)n, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
	execve(path, (char *const *)argv, (char *const[]){ NULL });
	give_up(outcome);
}

int daemon_prepare(const char *path, const char *const *argv, const int *fds, size_t n,
		   struct daemon *ret, struct err *e)
{
	auto_pipe struct pipe_ends go = { -1, -1 }, outcome = { -1, -1 }, pids = { -1, -1 };
	struct daemon d = { .path = path };
	pid_t child, pid = 0;
	int r;

	assert(n <= DAEMON_FDS_MAX);
	TRY(open_pipe(&go, e));
	TRY(open_pipe(&outcome, e));
	TRY(open_pipe(&pids, e));
	child = fork();
	if (child < 0)
		return err_sys(e, "start %s", path);
	if (child == 0) {
		close_fd(&go.out); /* only ours keeps it waiting */
		pid = fork();
		if (pid == 0)
			become(path, argv, fds, n, go.in, outcome.out);
		_exit(pid > 0 && write(pids.out, &pid, sizeof(pid)) == sizeof(pid) ? 0 : 1);
	}
	close_fd(&pids.out);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (io_read_all(pids.in, &pid, sizeof(pid)) != sizeof(pid))
		return err_set(e, EAGAIN, "start %s: no process could be made", path);
	r = process_mark(pid, &d.mark, e);
	if (r == -ESRCH)
		return err_set(e, ESRCH, "start %s: it was killed", path);
	TRY(r);
	d.go = take_fd(&go.out);
	d.outcome = take_fd(&outcome.in);
	*ret = d;
	return 0;
}

int daemon_go(struct daemon *d, struct err *e)
{
	int code = 0;

	if (io_write_all(d->go, "g", 1) < 0)
		return err_set(e, ESRCH, "start %s: it was killed", d->path);
	if (io_read_all(d->outcome, &code, sizeof(code)) == sizeof(code))
		return err_neg(e, -code, "execute %s", d->path);
	return 0;
}

void daemon_done(struct daemon *d)
{
	close_fd(&d->go);
	close_fd(&d->outcome);
}

int daemon_end(const struct process_mark *mark, const char *name, struct err *e)
{
	struct pollfd ended = { .events = POLLIN };
	auto_fd int pidfd = -1;

	if (!mark->pid)
		return 0;
	pidfd = (int)syscall(SYS_pidfd_open, mark->pid, 0);
	if (pidfd < 0)
		return errno == ESRCH ? 0 : err_sys(e, "end %s", name);
	/* Looked at with the descriptor in hand: the number cannot become another's any more. */
	if (!process_is_alive(mark))
		return 0;
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(e, "end %s", name);
	ended.fd = pidfd;
	if (poll(&ended, 1, STOP_TIMEOUT) == 1)
		return 0;
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(e, "kill %s", name);
	if (poll(&ended, 1, STOP_TIMEOUT) != 1)
		return err_set(e, ETIMEDOUT, "kill %s: it has not ended", name);
	return 0;
}
