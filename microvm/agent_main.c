/* agent_main.c - hull-agent's loop: frames in, frames out, and the ends of processes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/io.h"
#include "microvm/agent.h"

enum { READ_SIZE = 32 * 1024, POLLS = 2 + MUX_POLL_MAX, END_LOOK_MS = 5 };

static void tell_failure(struct agent *g, uint16_t session, const struct err *e)
{
	char bytes[4 + sizeof(e->msg)];
	uint32_t code = (uint32_t)e->code;
	size_t n = strlen(e->msg);

	memcpy(bytes, &code, 4);
	memcpy(bytes + 4, e->msg, n);
	frame_write(&g->mux.out, FRAME_FAILED, session, 0, bytes, 4 + n);
}

static int make(struct agent *g, const struct frame *f, bool first, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct document d;

	if (document_read(f->bytes, f->size, &a, &d) < 0)
		return err_set(e, EPROTO, "what the host sent is no document");
	return agent_make(g, f->session, &d, first, e);
}

static void create(struct agent *g, const struct frame *f)
{
	struct err e = { 0 };

	if (make(g, f, true, &e) < 0)
		tell_failure(g, f->session, &e);
	else
		frame_write(&g->mux.out, FRAME_CREATED, f->session, 0, NULL, 0);
}

static void go(struct agent *g, uint16_t session)
{
	struct guest_process *p = agent_find(g, session);
	struct err e = { 0 };

	if (!p || p->sock < 0)
		return;
	if (agent_go(g, p, &e) < 0)
		tell_failure(g, session, &e);
	else
		frame_write(&g->mux.out, FRAME_STARTED, session, 0, NULL, 0);
}

static void exec(struct agent *g, const struct frame *f)
{
	uint16_t session = f->session;
	struct err e = { 0 };

	if (make(g, f, false, &e) < 0)
		tell_failure(g, session, &e);
	else
		go(g, session);
}

static void make_network(struct agent *g, const struct frame *f)
{
	struct err e = { 0 };

	if (agent_make_network(f, &e) < 0)
		tell_failure(g, 0, &e);
	else
		frame_write(&g->mux.out, FRAME_NETWORK, 0, 0, NULL, 0);
}

/* A session without a process: it has ended, and `out` is what it said. */
static int answer(struct agent *g, uint16_t session, int out, struct err *e)
{
	const int fds[MUX_STREAMS] = { -1, out, -1 };
	struct guest_process *p = agent_find(g, 0);

	if (!p || !mux_open(&g->mux, session, fds, true)) {
		close_fd(&out);
		return err_set(e, EAGAIN, "the guest has %d processes from outside already",
			       MUX_SESSIONS);
	}
	*p = (struct guest_process){
		.session = session, .pidfd = -1, .sock = -1, .master = -1, .ended = true
	};
	return 0;
}

static void list(struct agent *g, const struct frame *f)
{
	struct err e = { 0 };
	uint32_t what;
	int out;

	if (!frame_u32(f, &what))
		return;
	out = agent_list(what, &e);
	if (out < 0 || answer(g, f->session, out, &e) < 0)
		tell_failure(g, f->session, &e);
}

static void limit(struct agent *g, const struct frame *f)
{
	struct err e = { 0 };
	uint32_t processes;

	if (!frame_u32(f, &processes))
		return;
	if (agent_limit(processes, &e) < 0 || answer(g, f->session, -1, &e) < 0)
		tell_failure(g, f->session, &e);
}

static void set_size(struct agent *g, const struct frame *f)
{
	struct guest_process *p = agent_find(g, f->session);
	struct winsize size = { 0 };
	uint32_t value;

	if (!p || p->master < 0 || !frame_u32(f, &value))
		return;
	size.ws_row = (unsigned short)(value >> 16);
	size.ws_col = (unsigned short)value;
	ioctl(p->master, TIOCSWINSZ, &size);
}

static void pass_signal(struct agent *g, const struct frame *f)
{
	uint32_t sig;

	if (frame_u32(f, &sig))
		agent_signal(g, agent_find(g, f->session), (int)sig, f->stream == 1);
}

static int hear(struct agent *g, const struct frame *f, struct err *e)
{
	switch (f->type) {
	case FRAME_CREATE:
		create(g, f);
		return 0;
	case FRAME_NETWORK:
		make_network(g, f);
		return 0;
	case FRAME_GO:
		go(g, f->session);
		return 0;
	case FRAME_EXEC:
		exec(g, f);
		return 0;
	case FRAME_SIGNAL:
		pass_signal(g, f);
		return 0;
	case FRAME_SIZE:
		set_size(g, f);
		return 0;
	case FRAME_LIST:
		list(g, f);
		return 0;
	case FRAME_LIMIT:
		limit(g, f);
		return 0;
	default:
		if (mux_frame(&g->mux, f) < 0)
			return err_set(e, EPROTO, "a message of type %d out of turn", (int)f->type);
		return 0;
	}
}

static int hear_all(struct agent *g, struct err *e)
{
	static char bytes[READ_SIZE];
	struct frame f;
	ssize_t n;
	int r;

	while ((n = read(g->port, bytes, sizeof(bytes))) > 0) {
		frame_reader_add(&g->reader, bytes, (size_t)n);
		while ((r = frame_reader_next(&g->reader, &f)) > 0)
			TRY(hear(g, &f, e));
		if (r < 0)
			return err_set(e, EPROTO, "the host sent what is no message");
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return err_sys(e, "read from the host");
	return 0;
}

static int tell(struct agent *g, struct err *e)
{
	while (mux_waiting(&g->mux)) {
		ssize_t n = write(g->port, g->mux.out.text + g->mux.sent, mux_waiting(&g->mux));

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0)
			return err_sys(e, "write to the host");
		mux_sent(&g->mux, (size_t)n);
	}
	return 0;
}

static void reap(struct agent *g)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(g->signals, &info, sizeof(info)) == sizeof(info))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < MUX_SESSIONS; i++) {
			struct guest_process *p = &g->processes[i];

			if (!p->session || p->pid != pid || p->ended)
				continue;
			p->ended = true;
			p->status = status;
		}
		if (pid == g->init)
			g->init = 0;
	}
}

/* The end is told when all that was written before it is. */
static void tell_ends(struct agent *g)
{
	for (size_t i = 0; i < MUX_SESSIONS; i++) {
		struct guest_process *p = &g->processes[i];
		struct session *s = p->session ? mux_find(&g->mux, p->session) : NULL;

		if (!p->ended || (s && !mux_drained(s)))
			continue;
		if (p->session == SESSION_INIT)
			sync();
		frame_write_u32(&g->mux.out, FRAME_EXITED, p->session, 0, (uint32_t)p->status);
		if (s)
			mux_close(s);
		close_fd(&p->pidfd);
		close_fd(&p->sock);
		close_fd(&p->master);
		*p = (struct guest_process){ .pidfd = -1, .sock = -1, .master = -1 };
	}
}

static int run(struct agent *g, struct err *e)
{
	static struct pollfd polls[POLLS];

	frame_write_u32(&g->mux.out, FRAME_HELLO, 0, 0, FRAME_VERSION);
	for (;;) {
		bool ending = false;
		size_t n;

		TRY(tell(g, e));
		for (size_t i = 0; i < MUX_SESSIONS; i++)
			ending = ending || g->processes[i].ended;
		polls[0] = (struct pollfd){ .fd = g->port, .events = POLLIN };
		if (mux_waiting(&g->mux))
			polls[0].events |= POLLOUT;
		polls[1] = (struct pollfd){ .fd = g->signals, .events = POLLIN };
		n = 2 + mux_poll(&g->mux, polls + 2);
		/* Of a process that has ended, what can't be read soon will not come. */
		if (poll(polls, n, ending ? END_LOOK_MS : -1) < 0 && errno != EINTR)
			return err_sys(e, "wait");
		mux_move(&g->mux, polls + 2);
		if (polls[1].revents)
			reap(g);
		else if (ending)
			tell_ends(g);
		TRY(hear_all(g, e));
	}
}

static int set_up(struct agent *g, struct err *e)
{
	sigset_t child;

	TRY(agent_set_up(&g->port, e));
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	signal(SIGPIPE, SIG_IGN);
	g->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (g->signals < 0)
		return err_sys(e, "make a descriptor for signals");
	g->host.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (g->host.proc < 0)
		return err_sys(e, "open /proc");
	g->host.privileged = true;
	g->host.cgroups = (struct cgroup_host)CGROUP_HOST_NONE;
	frame_reader_init(&g->reader, FRAME_FROM_HOST);
	for (size_t i = 0; i < MUX_SESSIONS; i++)
		g->processes[i] = (struct guest_process){ .pidfd = -1, .sock = -1, .master = -1 };
	return 0;
}

int main(void)
{
	static struct agent g;
	struct err e = { 0 };

	if (set_up(&g, &e) == 0)
		run(&g, &e);
	/* Onto the console, which is the VMM's log; the kernel's panic follows. */
	dprintf(STDERR_FILENO, "hull-agent: %s\n", e.msg);
	return 1;
}
