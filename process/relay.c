#include "process/relay.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "base/io.h"
#include "base/keys.h"
#include "base/log.h"
#include "process/signals.h"
#include "process/terminal.h"

enum {
	FLOW_SIZE = 16 * 1024,
	HANGUP_RETRY_MS = 100,
	LEFTOVER_MAX = 1024 * 1024, /* more than the kernel keeps for a terminal */
	PTY_SLAVE_FIRST = 136,      /* Documentation/admin-guide/devices.txt */
	PTY_SLAVE_LAST = 143,
};

/* Bytes on their way in one direction; refilled when all of them are written. */
struct flow {
	char bytes[FLOW_SIZE];
	size_t at, len;
};

struct session {
	const struct relay *relay;
	int pidfd;
	int in;       /* -1: at its end */
	int out;      /* -1: nobody reads it */
	int own_out;  /* what to close at the end: `out`, or -1 */
	bool hung_up; /* nobody has the program's terminal open at the moment */
	bool ended, interrupted;
	int status; /* of waitpid(2), once it has ended */
	size_t leftover;
	size_t typed; /* so many of the keys that leave the program */
	bool left;
	struct terminal person;
	struct flow input, output;
};

int relay_prepare(struct relay *r, struct err *e)
{
	const struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t taken;

	assert(r->signals < 0);
	if (r->subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return err_sys(e, "become the reaper of orphans");
	signals_taken(&taken);
	r->signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals < 0)
		return err_sys(e, "make a descriptor for signals");
	pthread_sigmask(SIG_BLOCK, &taken, &r->mask_before);
	/* Ignored by whoever started us, it would take the exit status away. */
	sigaction(SIGCHLD, &dfl, &r->child_before);
	return 0;
}

void relay_done(struct relay *r)
{
	struct signalfd_siginfo info;

	if (r->signals < 0)
		return;
	while (read(r->signals, &info, sizeof(info)) == sizeof(info))
		;
	close_fd(&r->signals);
	sigaction(SIGCHLD, &r->child_before, NULL);
	pthread_sigmask(SIG_SETMASK, &r->mask_before, NULL);
	if (r->subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

static void copy_size(int master)
{
	int from = terminal_of_person();

	if (from >= 0)
		terminal_copy_size(from, master);
}

void relay_set_up_terminal(int master)
{
	copy_size(master);
	/* A file gets the program's lines as they are, as with other runtimes. */
	if (!isatty(STDOUT_FILENO))
		terminal_plain_newlines(master);
}

static bool has_terminal(const struct session *s)
{
	return s->relay->master >= 0;
}

/* At the start, when the person's terminal changes, and when we come back to the foreground. */
static int adapt_terminals(struct session *s, struct err *e)
{
	int r = 0;

	if (!has_terminal(s))
		return 0;
	copy_size(s->relay->master);
	if (s->in >= 0 && isatty(s->in))
		r = terminal_raw(s->in, &s->person, e);
	/* In the background with nobody to continue us, or it is gone: keys don't matter then. */
	return r == -EIO ? 0 : r;
}

static void reap_orphans(const struct session *s)
{
	for (;;) {
		siginfo_t info = { 0 };

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 ||
		    info.si_pid == s->relay->pid)
			return;
		waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static void forward(struct session *s, int sig)
{
	/* Whoever sends it doesn't want us to wait for a slow reader any longer. */
	if (s->ended)
		s->interrupted = true;
	else if (pidfd_send_signal(s->pidfd, sig, NULL, 0) < 0 && errno != ESRCH)
		log_debug("forward signal %d to process %d: %s", sig, s->relay->pid,
			  err_text(errno));
}

static int handle_signals(struct session *s, struct err *e)
{
	struct signalfd_siginfo info;

	while (read(s->relay->signals, &info, sizeof(info)) == sizeof(info)) {
		int sig = (int)info.ssi_signo;

		if (sig == SIGCHLD && s->relay->subreaper)
			reap_orphans(s);
		if (sig == SIGWINCH || sig == SIGCONT)
			TRY(adapt_terminals(s, e));
		if (signal_is_forwarded(sig))
			forward(s, sig);
	}
	return 0;
}

static int handle_end(struct session *s, struct err *e)
{
	pid_t pid;

	do
		pid = waitpid(s->relay->pid, &s->status, 0);
	while (pid < 0 && errno == EINTR);
	if (pid < 0)
		return err_sys(e, "wait for process %d", s->relay->pid);
	s->ended = true;
	s->hung_up = false; /* it may have opened its terminal again just before */
	return 0;
}

static void handle_notification(struct session *s)
{
	struct err e;

	/* In the foreground we are the service, and the program is what we do. */
	if (notify_take(s->relay->notify, getpid(), &e) >= 0)
		return;
	log_info("%s", e.msg);
	notify_close(s->relay->notify);
}

static void flow_fill(struct flow *f, ssize_t len)
{
	f->at = 0;
	f->len = len > 0 ? (size_t)len : 0;
}

/* Some of it: so little that it fits once poll(2) says so, even where writing could wait. */
static bool flow_write(struct flow *f, int fd)
{
	const size_t some = f->len < PIPE_BUF ? f->len : PIPE_BUF;
	ssize_t n = send(fd, f->bytes + f->at, some, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(fd, f->bytes + f->at, some);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	f->at += (size_t)n;
	f->len -= (size_t)n;
	return true;
}

static bool leaves(struct session *s, char key)
{
	return keys_typed(s->relay->leave, s->relay->n_leave, &s->typed, key);
}

/* Its end is not the end of the program's terminal, which may have more to say. */
static void read_input(struct session *s)
{
	ssize_t n = read(s->in, s->input.bytes, sizeof(s->input.bytes));

	flow_fill(&s->input, n);
	for (ssize_t i = 0; !s->left && i < n; i++)
		s->left = leaves(s, s->input.bytes[i]);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		s->in = -1;
}

/* EIO: all have closed the program's terminal, and what they wrote has been read. */
static void read_output(struct session *s)
{
	ssize_t n = read(s->relay->master, s->output.bytes, sizeof(s->output.bytes));

	flow_fill(&s->output, n);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		s->hung_up = true;
	if (s->out < 0)
		s->output.len = 0;
}

static void write_output(struct session *s)
{
	if (flow_write(&s->output, s->out))
		return;
	s->out = -1;
	s->output.len = 0;
}

enum { SIGNALS, END, NOTIFICATION, EVENTS, IN, MASTER, OUT, PLACES };

static void choose_events(const struct session *s, struct pollfd *ret)
{
	const bool has_input = s->input.len > 0, has_output = s->output.len > 0;

	for (int i = 0; i < PLACES; i++)
		ret[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	ret[SIGNALS].fd = s->relay->signals;
	if (has_output)
		ret[OUT] = (struct pollfd){ .fd = s->out, .events = POLLOUT };
	if (s->ended)
		return;
	ret[END].fd = s->pidfd;
	if (s->relay->events)
		ret[EVENTS] = (struct pollfd){ .fd = *s->relay->events, .events = POLLIN };
	if (s->relay->notify)
		ret[NOTIFICATION].fd = s->relay->notify->sock;
	if (!has_terminal(s) || s->hung_up)
		return;
	if (!has_input)
		ret[IN].fd = s->in;
	/* With no event asked for, a hang-up would still wake us, again and again. */
	if (!has_output || has_input)
		ret[MASTER] = (struct pollfd){ .fd = s->relay->master,
					       .events = (short)((has_output ? 0 : POLLIN) |
								 (has_input ? POLLOUT : 0)) };
}

static int handle_events(struct session *s, const struct pollfd *ready, struct err *e)
{
	/* First, since systemd may be about to take away what is to be looked at. */
	if (ready[END].revents && s->relay->events)
		s->relay->on_end(s->relay->ctx);
	else if (ready[EVENTS].revents)
		s->relay->on_event(s->relay->ctx);
	if (ready[OUT].revents)
		write_output(s);
	/* After a hang-up there is nobody to read it, and nothing would end the waiting. */
	if (ready[MASTER].revents & POLLHUP ||
	    (ready[MASTER].revents & POLLOUT && !flow_write(&s->input, s->relay->master)))
		s->input.len = 0;
	if (ready[MASTER].revents & (POLLIN | POLLHUP | POLLERR) && s->output.len == 0)
		read_output(s);
	if (ready[IN].revents)
		read_input(s);
	if (ready[NOTIFICATION].revents)
		handle_notification(s);
	if (ready[SIGNALS].revents)
		TRY(handle_signals(s, e));
	return ready[END].revents ? handle_end(s, e) : 0;
}

/*
 * Whether there is output to write after the end. read(2) sees all that the
 * program wrote (n_tty_read() flushes what is on its way); what its
 * descendants write later is not waited for, and is not endless.
 */
static bool has_rest(struct session *s)
{
	if (s->interrupted)
		return false;
	if (s->output.len == 0 && has_terminal(s) && !s->hung_up && s->leftover < LEFTOVER_MAX) {
		read_output(s);
		s->leftover += s->output.len;
	}
	return s->output.len > 0;
}

static int attend(struct session *s, struct err *e)
{
	struct pollfd ready[PLACES];

	while (!s->left && (!s->ended || has_rest(s))) {
		int n;

		choose_events(s, ready);
		n = poll(ready, PLACES, s->hung_up && !s->ended ? HANGUP_RETRY_MS : -1);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "wait for process %d and its terminal", s->relay->pid);
		if (n == 0)
			s->hung_up = false; /* somebody may have opened it again */
		if (n > 0)
			TRY(handle_events(s, ready, e));
	}
	return 0;
}

/*
 * Standard output in a way that never waits: those who share it with us must
 * not see O_NONBLOCK, so it is opened anew where that gives the same thing.
 */
static int open_output(void)
{
	struct fd_path path = io_fd_path(STDOUT_FILENO);
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) < 0)
		return -1;
	if (!S_ISFIFO(st.st_mode) &&
	    !(S_ISCHR(st.st_mode) && major(st.st_rdev) >= PTY_SLAVE_FIRST &&
	      major(st.st_rdev) <= PTY_SLAVE_LAST))
		return -1;
	return open(path.text, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int open_terminals(struct session *s, struct err *e)
{
	if (!has_terminal(s))
		return 0;
	if (fcntl(s->relay->master, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "prepare the terminal of process %d", s->relay->pid);
	s->own_out = open_output();
	if (s->own_out >= 0)
		s->out = s->own_out;
	relay_set_up_terminal(s->relay->master);
	return adapt_terminals(s, e);
}

static void session_done(struct session *s)
{
	terminal_restore(&s->person);
	close_fd(&s->own_out);
	if (s->pidfd != s->relay->pidfd)
		close_fd(&s->pidfd);
}

int relay_run(struct relay *r, int *ret_status, struct err *e)
{
	__attribute__((cleanup(session_done))) struct session s = {
		.relay = r,
		.pidfd = r->pidfd,
		.in = STDIN_FILENO,
		.out = STDOUT_FILENO,
		.own_out = -1,
		.person = TERMINAL_NONE,
	};

	assert(r->signals >= 0);
	if (s.pidfd < 0)
		s.pidfd = pidfd_open(r->pid, 0);
	if (s.pidfd < 0)
		return err_sys(e, "open process %d", r->pid);
	TRY(open_terminals(&s, e));
	TRY(attend(&s, e));
	r->left = s.left && !s.ended;
	if (r->left) {
		*ret_status = 0;
		return 0;
	}
	*ret_status = WIFSIGNALED(s.status) ? 128 + WTERMSIG(s.status) : WEXITSTATUS(s.status);
	return 0;
}
