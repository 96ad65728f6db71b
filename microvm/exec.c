/*
 * exec.c - a further process in a microVM: its document and streams go to the VMM, which the
 * agent's answers come from; this command waits, or leaves a process that does.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/io.h"
#include "base/json.h"
#include "microvm/control.h"
#include "microvm/document.h"
#include "microvm/executor.h"
#include "microvm/process_write.h"
#include "process/console_socket.h"
#include "process/pidfile.h"
#include "process/signals.h"
#include "process/terminal.h"
#include "runtime/exec_request.h"
#include "runtime/store.h"
#include "security/seccomp_cache.h"

enum { STATUS_GONE = 128 + SIGKILL };

struct execution {
	const struct exec_request *req;
	struct handle *handle;
	struct arena arena;
	struct spec spec;
	struct spec_process process;
	struct buf text;
	int conn, signals;
	int master, slave; /* of the terminal that goes to the console socket */
};

static void execution_done(struct execution *x)
{
	close_fd(&x->conn);
	close_fd(&x->signals);
	close_fd(&x->master);
	close_fd(&x->slave);
	buf_done(&x->text);
	spec_done(&x->spec);
	arena_done(&x->arena);
}

static int check_status(const struct execution *x, struct err *e)
{
	switch (x->handle->state.status) {
	case STATE_STOPPED:
		return err_set(e, ESRCH, "cannot exec in a stopped container");
	case STATE_CREATING:
		return err_set(e, EBUSY,
			       "cannot exec in a container that is being created or deleted");
	case STATE_PAUSED:
		return err_set(e, EBUSY, "cannot exec in a paused container%s",
			       x->req->ignore_paused ? ": a microVM stands still as a whole" : "");
	default:
		return 0;
	}
}

static int check_request(const struct exec_request *req, struct err *e)
{
	if (req->preserve_fds)
		return err_set(e, ENOTSUP, "--preserve-fds: a microVM can't be handed descriptors");
	if (req->pidfd_socket)
		return err_set(e, ENOTSUP,
			       "--pidfd-socket: a process in a microVM is none of the host's");
	if (req->cgroups.n)
		return err_set(e, ENOTSUP,
			       "--cgroup: processes in a microVM are in no cgroup of the host's");
	if (req->n_leave)
		return err_set(e, ENOTSUP, "--detach-keys: not for programs in a microVM");
	if (req->apparmor)
		return err_set(e, ENOTSUP, "--apparmor: the guest has no profiles of the host's");
	if (req->selinux_label)
		return err_set(e, ENOTSUP,
			       "--process-label: the guest has no policy of the host's");
	return 0;
}

static int read_process(struct execution *x, struct err *e)
{
	const struct exec_request *req = x->req;

	TRY(exec_request_process(req, &x->spec, &x->arena, &x->text, &x->process, e));
	if (req->process_file && (x->process.apparmor_profile || x->process.selinux_label))
		return err_set(e, ENOTSUP, "%s: the guest has no labels of the host's",
			       req->process_file);
	TRY(process_add_caps(&x->process, &req->caps, &x->arena, e));
	if (!req->process_file || req->caps.n) {
		buf_clear(&x->text);
		process_write(&x->process, &x->text);
	}
	return exec_request_check(req, &x->process, e);
}

static int open_terminal(struct execution *x, struct err *e)
{
	struct winsize size = { .ws_row = x->process.console_size.height,
				.ws_col = x->process.console_size.width };
	int zero = 0;
	unsigned number;
	char name[32];

	if (!x->req->console_socket)
		return 0;
	x->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (x->master < 0 || ioctl(x->master, TIOCSPTLCK, &zero) < 0 ||
	    ioctl(x->master, TIOCGPTN, &number) < 0)
		return err_sys(e, "make a terminal");
	x->slave = ioctl(x->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (x->slave < 0)
		return err_sys(e, "open the terminal");
	if (size.ws_row)
		ioctl(x->master, TIOCSWINSZ, &size);
	snprintf(name, sizeof(name), "/dev/pts/%u", number);
	TRY(console_socket_send(x->req->console_socket, x->master, name, e));
	close_fd(&x->master);
	return 0;
}

/* Whose size and modes matter: the slave, or the person's own terminal. */
static int terminal_fd(const struct execution *x)
{
	if (!x->process.terminal)
		return -1;
	return x->slave >= 0 ? x->slave : terminal_of_person();
}

static int send_message(const struct execution *x, enum control_say say, uint32_t value,
			const int *fds, size_t n)
{
	struct control_message m = { .say = say, .value = value };
	struct winsize size = { 0 };
	int terminal = terminal_fd(x);

	if (terminal >= 0 && ioctl(terminal, TIOCGWINSZ, &size) == 0) {
		m.rows = size.ws_row;
		m.columns = size.ws_col;
	}
	return io_send_fds(x->conn, &m, sizeof(m), fds, n);
}

static int send_request(struct execution *x, struct err *e)
{
	struct document d = { .text = x->text.text, .size = x->text.len };
	bool tty = x->process.terminal, other = x->slave >= 0;
	auto_fd int document = -1;
	int fds[CONTROL_FDS], r;

	if (x->spec.linux.seccomp)
		TRY(seccomp_cache_get(x->handle->root, x->spec.linux.seccomp, false, &x->arena,
				      &d.filter, e));
	document = vm_document_make(&d, e);
	TRY(document);
	fds[0] = document;
	fds[1] = other ? x->slave : STDIN_FILENO;
	fds[2] = other ? x->slave : STDOUT_FILENO;
	fds[3] = STDERR_FILENO;
	x->conn = control_open(x->handle->dir, e);
	TRY(x->conn);
	r = send_message(x, CONTROL_EXEC, tty, fds, tty ? 3 : 4);
	return r < 0 ? err_neg(e, r, "ask the microVM for a process") : 0;
}

/* 0 or 1 if it has ended; -EPIPE: the machine has. */
static int hear(struct execution *x, int *ret_status, struct err *e)
{
	struct control_message m;
	int none = -1;
	ssize_t n = io_recv_fds(x->conn, &m, sizeof(m), &none, 1);

	if (n != sizeof(m))
		return -EPIPE;
	if (m.say == CONTROL_FAILED) {
		m.err.msg[sizeof(m.err.msg) - 1] = '\0';
		*e = m.err;
		return m.err.code > 0 ? -m.err.code : -EIO;
	}
	if (m.say != CONTROL_EXITED)
		return 0;
	*ret_status = WIFSIGNALED((int)m.value) ? 128 + WTERMSIG((int)m.value)
						: WEXITSTATUS((int)m.value);
	return 1;
}

static int expect_started(struct execution *x, struct err *e)
{
	int status, r = hear(x, &status, e);

	return r == -EPIPE ? err_set(e, ESRCH, "cannot exec in a stopped container") : r;
}

static void pass_signals(struct execution *x)
{
	struct signalfd_siginfo info;

	while (read(x->signals, &info, sizeof(info)) == sizeof(info)) {
		int sig = (int)info.ssi_signo;

		/* If the VMM is gone, so is the process: its answer is the end of file. */
		if (sig == SIGWINCH && terminal_fd(x) >= 0)
			(void)!send_message(x, CONTROL_SIZE, 0, NULL, 0);
		else if (signal_is_forwarded(sig))
			(void)!send_message(x, CONTROL_SIGNAL, (uint32_t)sig, NULL, 0);
	}
}

static int wait_for_end(struct execution *x, int *ret_status, struct err *e)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = x->conn, .events = POLLIN },
					{ .fd = x->signals, .events = POLLIN } };
		int r;

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			return err_sys(e, "wait for the process");
		if (fds[1].revents)
			pass_signals(x);
		if (!fds[0].revents)
			continue;
		r = hear(x, ret_status, e);
		if (r == -EPIPE) { /* the container was killed, and with it the process */
			*ret_status = STATUS_GONE;
			return 0;
		}
		if (r != 0)
			return r < 0 ? r : 0;
	}
}

static int take_signals(struct execution *x, struct err *e)
{
	sigset_t taken;

	signals_taken(&taken);
	sigprocmask(SIG_BLOCK, &taken, NULL);
	x->signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	return x->signals < 0 ? err_sys(e, "make a descriptor for signals") : 0;
}

static int foreground(struct execution *x, int *ret_status, struct err *e)
{
	auto_terminal struct terminal person = TERMINAL_NONE;

	if (x->process.terminal && x->slave < 0 && isatty(STDIN_FILENO))
		TRY(terminal_raw(STDIN_FILENO, &person, e));
	return wait_for_end(x, ret_status, e);
}

/* What engines take for the process: it ends as that does. */
_Noreturn static void stand_in(struct execution *x)
{
	struct err e = { 0 };
	int status = STATUS_GONE;

	setsid();
	if (x->slave >= 0)
		ioctl(x->slave, TIOCSCTTY, 0);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	if (wait_for_end(x, &status, &e) < 0)
		status = STATUS_GONE;
	_exit(status);
}

static int background(struct execution *x, struct err *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "make a process that waits");
	if (pid == 0)
		stand_in(x);
	return x->req->pid_file ? pidfile_write(x->req->pid_file, pid, e) : 0;
}

int vm_exec(struct handle *h, const struct exec_request *req, int *ret_status, struct err *e)
{
	__attribute__((cleanup(execution_done))) struct execution x = {
		.req = req, .handle = h, .conn = -1, .signals = -1, .master = -1, .slave = -1
	};

	TRY(check_status(&x, e));
	TRY(check_request(req, e));
	TRY(store_load_config(h->dir, &x.spec, e));
	TRY(read_process(&x, e));
	TRY(open_terminal(&x, e));
	TRY(take_signals(&x, e));
	TRY(send_request(&x, e));
	TRY(expect_started(&x, e));
	*ret_status = 0;
	if (req->detach)
		return background(&x, e);
	if (req->pid_file)
		TRY(pidfile_write(req->pid_file, getpid(), e));
	return foreground(&x, ret_status, e);
}
