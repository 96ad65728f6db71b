#include "base/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/sys.h"

enum { OUTPUT_MAX = 16 * 1024, TAIL_MAX = 512, DRAIN_TURNS = 64, POLL_MAX_MS = 60 * 1000 };

/* A program that runs: our ends of its pipes, -1 when done with, and what it said last. */
struct child {
	int pidfd, input, output, answer, failure;
	char tail[TAIL_MAX];
	size_t tail_len;
};

/* What the new process tells when it does not come to be the program. */
struct failure {
	int code; /* errno */
	bool directory;
};

static void child_close(struct child *c)
{
	close_fd(&c->pidfd);
	close_fd(&c->input);
	close_fd(&c->output);
	close_fd(&c->answer);
	close_fd(&c->failure);
}

/*
 * By the system call: glibc keeps the first two real-time signals to itself, and its posix_spawn
 * (make's, say) hands the first of them on ignored.
 */
void spawn_reset_signals(void)
{
	static const unsigned long dfl[4]; /* the kernel's struct sigaction, all zero: SIG_DFL */
	sigset_t none;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		syscall(SYS_rt_sigaction, sig, dfl, NULL, (SIGRTMAX + 7) / 8);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Numbers below this may be asked for; copies that are on the way to them stand above it. */
enum { FDS_ABOVE = 64 };

/* First all out of each other's way, then each to its number. */
static int hand_on(const struct spawn_request *req)
{
	int copies[SPAWN_FDS_MAX];

	for (size_t i = 0; i < req->fds_n; i++) {
		copies[i] = fcntl(req->fds[i].ours, F_DUPFD_CLOEXEC, FDS_ABOVE);
		if (copies[i] < 0)
			return -1;
	}
	for (size_t i = 0; i < req->fds_n; i++)
		if (dup2(copies[i], req->fds[i].theirs) < 0)
			return -1;
	return 0;
}

/* The program's ends of the pipes. */
struct ends {
	int in, out, answer, failure;
};

static void ends_close(struct ends *ends)
{
	close_fd(&ends->in);
	close_fd(&ends->out);
	close_fd(&ends->answer);
	close_fd(&ends->failure);
}

/*
 * The signal is for a death that is to come; one that was before it is seen by who our parent is.
 * Not raise(3): after a bare clone3(2) a libc may still hold our parent's thread id for ours.
 */
static void die_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		_exit(127);
}

/* In the new process. `failure` moves out of the way of the numbers that were asked for. */
_Noreturn static void run_program(const struct spawn_request *req, pid_t parent,
				  const struct ends *ends)
{
	static const char *const no_env[] = { NULL };
	struct failure told = { .directory = false };
	int failure = ends->failure;

	spawn_reset_signals();
	if (req->dies_with_us)
		die_with(parent);
	if (req->fds_n > 0)
		failure = fcntl(failure, F_DUPFD_CLOEXEC, FDS_ABOVE);
	if (req->cwd && chdir(req->cwd) < 0)
		told.directory = true;
	else if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0 &&
		 dup2(ends->in, STDIN_FILENO) >= 0 &&
		 dup2(req->answer ? ends->answer : ends->out, STDOUT_FILENO) >= 0 &&
		 dup2(ends->out, STDERR_FILENO) >= 0 && hand_on(req) == 0)
		execve(req->path, (char *const *)req->argv,
		       (char *const *)(req->envp ? req->envp : no_env));
	told.code = errno;
	_exit(write(failure, &told, sizeof(told)) == sizeof(told) ? 127 : 126);
}

static int open_pipe(const char *path, int *ret_read, int *ret_write, struct err *e)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe for %s", path);
	*ret_read = ends[0];
	*ret_write = ends[1];
	return 0;
}

/* Pipes and no sockets: scripts open /dev/stdin. */
static int open_pipes(const struct spawn_request *req, struct child *ours, struct ends *theirs,
		      struct err *e)
{
	TRY(open_pipe(req->path, &theirs->in, &ours->input, e));
	if (fcntl(ours->input, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "make a pipe for %s", req->path);
	TRY(open_pipe(req->path, &ours->output, &theirs->out, e));
	if (req->answer)
		TRY(open_pipe(req->path, &ours->answer, &theirs->answer, e));
	return open_pipe(req->path, &ours->failure, &theirs->failure, e);
}

static int start(const struct spawn_request *req, pid_t *ret_pid, struct child *ret, struct err *e)
{
	__attribute__((cleanup(ends_close))) struct ends theirs = { -1, -1, -1, -1 };
	struct clone_args args = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };
	pid_t parent = getpid(), pid;
	int pidfd = -1;

	assert(req->fds_n <= SPAWN_FDS_MAX);
	for (size_t i = 0; i < req->fds_n; i++)
		assert(req->fds[i].theirs < FDS_ABOVE && req->fds[i].theirs != STDOUT_FILENO &&
		       req->fds[i].theirs != STDERR_FILENO);
	TRY(open_pipes(req, ret, &theirs, e));
	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	pid = sys_clone3(&args);
	if (pid < 0)
		return err_sys(e, "start %s", req->path);
	if (pid == 0)
		run_program(req, parent, &theirs);
	ret->pidfd = pidfd;
	*ret_pid = pid;
	return 0;
}

/* Sends what the pipe takes; closes it at the end, or when the program is not interested. */
static int feed(const struct spawn_request *req, struct child *c, size_t *sent)
{
	ssize_t n = 0;

	if (*sent < req->input_len)
		n = write(c->input, (const char *)req->input + *sent, req->input_len - *sent);
	if (n > 0)
		*sent += (size_t)n;
	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != EPIPE)
		return -errno;
	if (*sent >= req->input_len || (n < 0 && errno == EPIPE))
		close_fd(&c->input);
	return 0;
}

/* The last that it said goes into the message, however much came before. */
static void keep_tail(struct child *c, const char *bytes, size_t n)
{
	size_t old;

	if (n > TAIL_MAX) {
		bytes += n - TAIL_MAX;
		n = TAIL_MAX;
	}
	old = c->tail_len < TAIL_MAX - n ? c->tail_len : TAIL_MAX - n;
	memmove(c->tail, c->tail + c->tail_len - old, old);
	memcpy(c->tail + old, bytes, n);
	c->tail_len = old + n;
}

/* Takes what there is, keeping the first OUTPUT_MAX bytes; closes at end of file. */
static int drain(struct child *c, struct buf *output)
{
	size_t room = OUTPUT_MAX - output->len;
	char bytes[4096];
	ssize_t n = read(c->output, bytes, sizeof(bytes));

	if (n > 0) {
		buf_add(output, bytes, (size_t)n < room ? (size_t)n : room);
		keep_tail(c, bytes, (size_t)n);
	} else if (n == 0) {
		close_fd(&c->output);
	} else if (errno != EINTR && errno != EAGAIN) {
		return -errno;
	}
	return 0;
}

/* The same for the answer, of which all is taken: -EFBIG when that is too much. */
static int take_answer(const struct spawn_request *req, struct child *c)
{
	char bytes[4096];
	ssize_t n = read(c->answer, bytes, sizeof(bytes));

	if (n > 0 && (size_t)n > req->answer_max - req->answer->len)
		return -EFBIG;
	if (n > 0)
		buf_add(req->answer, bytes, (size_t)n);
	else if (n == 0)
		close_fd(&c->answer);
	else if (errno != EINTR && errno != EAGAIN)
		return -errno;
	return 0;
}

/* Until the program has ended: 0, -ETIME, -EFBIG, or why we could not listen to it. */
static int attend(const struct spawn_request *req, struct child *c, struct buf *output)
{
	int64_t end = io_now_us() + (int64_t)req->timeout * 1000000;
	size_t sent = 0;

	for (;;) {
		struct pollfd fds[] = { { .fd = c->pidfd, .events = POLLIN },
					{ .fd = c->output, .events = POLLIN },
					{ .fd = c->input, .events = POLLOUT },
					{ .fd = c->answer, .events = POLLIN } };
		int64_t left = req->timeout ? (end - io_now_us()) / 1000 + 1 : POLL_MAX_MS;

		if (left <= 0)
			return -ETIME;
		if (poll(fds, ARRAY_LEN(fds), left < POLL_MAX_MS ? (int)left : POLL_MAX_MS) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (fds[1].revents)
			TRY(drain(c, output));
		if (fds[2].revents)
			TRY(feed(req, c, &sent));
		if (fds[3].revents)
			TRY(take_answer(req, c));
		if (fds[0].revents)
			return 0;
	}
}

/*
 * What is in the pipes when the program is gone; a grandchild may keep them open, so no waiting. Of
 * the answer nothing may be missing: how much that is has a limit already.
 */
static int drain_rest(const struct spawn_request *req, struct child *c, struct buf *output)
{
	struct pollfd fd = { .fd = c->output, .events = POLLIN },
		      answer = { .fd = c->answer, .events = POLLIN };

	for (int turn = 0; turn < DRAIN_TURNS && c->output >= 0 && poll(&fd, 1, 0) > 0; turn++)
		TRY(drain(c, output));
	while (c->answer >= 0 && poll(&answer, 1, 0) > 0)
		TRY(take_answer(req, c));
	return 0;
}

static int judge(const struct spawn_request *req, int status, struct child *c, struct err *e)
{
	struct failure told;
	int len;

	if (read(c->failure, &told, sizeof(told)) == sizeof(told))
		return told.directory ? err_neg(e, -told.code, "execute %s: enter directory %s",
						req->path, req->cwd)
				      : err_neg(e, -told.code, "execute %s", req->path);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	while (c->tail_len > 0 && c->tail[c->tail_len - 1] == '\n')
		c->tail_len--;
	len = (int)c->tail_len;
	if (WIFSIGNALED(status))
		return err_set(e, ECHILD, "%s was killed by signal %d%s%.*s", req->path,
			       WTERMSIG(status), len ? ", it said: " : "", len, c->tail);
	return err_set(e, ECHILD, "%s ended with exit status %d%s%.*s", req->path,
		       WEXITSTATUS(status), len ? ", it said: " : "", len, c->tail);
}

static int run(const struct spawn_request *req, struct buf *output, struct err *e)
{
	__attribute__((cleanup(child_close))) struct child c = { -1, -1, -1, -1, -1, "", 0 };
	int status = 0, r;
	pid_t pid = -1;

	TRY(start(req, &pid, &c, e));
	r = attend(req, &c, output);
	if (r < 0)
		pidfd_send_signal(c.pidfd, SIGKILL, NULL, 0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (req->wait_status)
		*req->wait_status = status;
	if (r == 0)
		r = drain_rest(req, &c, output);
	if (r == -ETIME)
		return err_set(e, ETIME, "%s did not end within %u s and was killed", req->path,
			       req->timeout);
	if (r == -EFBIG)
		return err_set(e, EFBIG, "%s answered with more than %zu bytes", req->path,
			       req->answer_max);
	if (r < 0)
		return err_neg(e, r, "wait for %s", req->path);
	return judge(req, status, &c, e);
}

int spawn_run(const struct spawn_request *req, struct buf *output, struct err *e)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN }, dfl = { .sa_handler = SIG_DFL };
	struct sigaction old_pipe, old_child;
	auto_buf struct buf said = { 0 };
	int r;

	/* No death by a program that does not read its input, and its exit status is for us. */
	sigaction(SIGPIPE, &ignore, &old_pipe);
	sigaction(SIGCHLD, &dfl, &old_child);
	r = run(req, &said, e);
	sigaction(SIGPIPE, &old_pipe, NULL);
	sigaction(SIGCHLD, &old_child, NULL);
	while (said.len > 0 && said.len < OUTPUT_MAX && said.text[said.len - 1] == '\n')
		said.len--;
	if (output && said.len)
		buf_add(output, said.text, said.len);
	return r;
}
