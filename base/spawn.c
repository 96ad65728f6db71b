#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/sys.h"

enum { OUTPUT_MAX = 16 * 1024, MESSAGE_TAIL = 512 };

/* The parent's ends; -1 when done with. */
struct pipes {
	int pidfd, input, output, failure;
};

static void pipes_close(struct pipes *p)
{
	close_fd(&p->pidfd);
	close_fd(&p->input);
	close_fd(&p->output);
	close_fd(&p->failure);
}

void spawn_reset_signals(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		sigaction(sig, &dfl, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the new process. What fails before or at execve(2) is told as an errno through `failure`. */
_Noreturn static void run_program(const struct spawn_request *req, int in, int out, int failure)
{
	static const char *const no_env[] = { NULL };
	int code;

	spawn_reset_signals();
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(out, STDERR_FILENO) >= 0 && (!req->cwd || chdir(req->cwd) == 0) &&
	    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		execve(req->path, (char *const *)req->argv,
		       (char *const *)(req->envp ? req->envp : no_env));
	code = errno;
	_exit(write(failure, &code, sizeof(code)) == sizeof(code) ? 127 : 126);
}

static int start(const struct spawn_request *req, pid_t *ret_pid, struct pipes *ret, struct err *e)
{
	auto_fd int in_r = -1, out_w = -1, fail_w = -1;
	struct clone_args args = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };
	int in[2], out[2], fail[2], pidfd = -1;
	pid_t pid;

	/* A socket for input, so that a program that doesn't read costs no SIGPIPE. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0)
		return err_sys(e, "make a socket pair for %s", req->path);
	ret->input = in[1], in_r = in[0];
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe for %s", req->path);
	ret->output = out[0], out_w = out[1];
	if (pipe2(fail, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe for %s", req->path);
	ret->failure = fail[0], fail_w = fail[1];
	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	pid = sys_clone3(&args);
	if (pid < 0)
		return err_sys(e, "start %s", req->path);
	if (pid == 0)
		run_program(req, in_r, out_w, fail_w);
	ret->pidfd = pidfd;
	*ret_pid = pid;
	return 0;
}

/* Sends what the socket takes; closes it at the end, or when the program is not interested. */
static void feed(const struct spawn_request *req, struct pipes *p, size_t *sent)
{
	ssize_t n = 0;

	if (*sent < req->input_len)
		n = send(p->input, (const char *)req->input + *sent, req->input_len - *sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		*sent += (size_t)n;
	if (*sent >= req->input_len || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&p->input);
}

/* Takes what there is, keeping the first OUTPUT_MAX bytes; closes at end of file. */
static void drain(struct pipes *p, struct buf *output)
{
	char bytes[4096];
	ssize_t n = read(p->output, bytes, sizeof(bytes));

	if (n > 0 && output->len < OUTPUT_MAX)
		buf_add(output, bytes,
			(size_t)n < OUTPUT_MAX - output->len ? (size_t)n
							     : OUTPUT_MAX - output->len);
	else if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		close_fd(&p->output);
}

/* Until the program has ended: 0, or -ETIME. */
static int attend(const struct spawn_request *req, struct pipes *p, struct buf *output)
{
	int64_t end = io_now_us() + (int64_t)req->timeout * 1000000;
	size_t sent = 0;

	for (;;) {
		struct pollfd fds[] = { { .fd = p->pidfd, .events = POLLIN },
					{ .fd = p->output, .events = POLLIN },
					{ .fd = p->input, .events = POLLOUT } };
		int64_t left = req->timeout ? end - io_now_us() : 0;

		if (req->timeout && left <= 0)
			return -ETIME;
		if (poll(fds, ARRAY_LEN(fds), req->timeout ? (int)(left / 1000 + 1) : -1) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (fds[1].revents)
			drain(p, output);
		if (fds[2].revents)
			feed(req, p, &sent);
		if (fds[0].revents)
			return 0;
	}
}

/* What is in the pipe when the program is gone; a grandchild may keep it open, so no waiting. */
static void drain_rest(struct pipes *p, struct buf *output)
{
	struct pollfd fd = { .fd = p->output, .events = POLLIN };

	while (p->output >= 0 && output->len < OUTPUT_MAX && poll(&fd, 1, 0) > 0) {
		drain(p, output);
		fd.fd = p->output;
	}
}

static int judge(const struct spawn_request *req, int status, int failure, const struct buf *output,
		 struct err *e)
{
	const char *tail = output->text ? output->text : "";
	int code = 0;

	if (read(failure, &code, sizeof(code)) == sizeof(code))
		return err_neg(e, -code, "execute %s", req->path);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (output->len > MESSAGE_TAIL)
		tail += output->len - MESSAGE_TAIL;
	if (WIFSIGNALED(status))
		return err_set(e, ECHILD, "%s was killed by signal %d%s%s", req->path,
			       WTERMSIG(status), *tail ? ", it said: " : "", tail);
	return err_set(e, ECHILD, "%s ended with exit status %d%s%s", req->path,
		       WEXITSTATUS(status), *tail ? ", it said: " : "", tail);
}

int spawn_run(const struct spawn_request *req, struct buf *output, struct err *e)
{
	__attribute__((cleanup(pipes_close))) struct pipes p = { -1, -1, -1, -1 };
	auto_buf struct buf own = { 0 };
	int status = 0, r;
	pid_t pid;

	if (!output)
		output = &own;
	TRY(start(req, &pid, &p, e));
	r = attend(req, &p, output);
	if (r < 0)
		pidfd_send_signal(p.pidfd, SIGKILL, NULL, 0);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	drain_rest(&p, output);
	if (r == -ETIME)
		return err_set(e, ETIME, "%s did not end within %u s and was killed", req->path,
			       req->timeout);
	if (r < 0)
		return err_neg(e, r, "wait for %s", req->path);
	while (output->len > 0 && output->text[output->len - 1] == '\n')
		output->text[--output->len] = '\0';
	return judge(req, status, p.failure, output, e);
}
