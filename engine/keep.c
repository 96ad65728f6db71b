#include "engine/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/spawn.h"
#include "engine/attach.h"
#include "engine/borrowed.h"
#include "engine/checkpoint.h"
#include "engine/happened.h"
#include "engine/happened_run.h"
#include "engine/health.h"
#include "engine/journal.h"
#include "engine/logs.h"
#include "engine/netjoin.h"
#include "engine/netsockets.h"
#include "engine/rootfs.h"
#include "security/denials.h"

enum {
	CHUNK = 32 * 1024,
	DRAIN_MS = 200,         /* for what others than init still hold open */
	BACKOFF_FIRST_MS = 100, /* between restarts, doubled each time */
	BACKOFF_LAST_MS = 60 * 1000,
	STEADY_S = 10, /* having run so long, the next one is a first one */
};

/* One run of the container. */
struct run {
	const struct engine *g;
	struct making *m;
	struct arena arena;
	char *bundle;
	struct create_request request;
	struct net_context net;
	struct netsockets
		sockets; /* open from the first start on, so that a restart misses nobody */
	pid_t health;    /* the process that checks it */
	int health_fd;
};

static void run_prepare(struct run *r, const struct engine *g, struct making *m)
{
	struct mount_overlay *overlay;

	*r = (struct run){ .g = g, .m = m, .health_fd = -1 };
	overlay = rootfs_overlay(g, &m->record, &r->arena);
	if (overlay) {
		overlay->is_volatile = m->record.is_volatile; /* such a one is mounted only once */
		overlay->above = g->path.text;
		idrange_maps(&m->record.userns, &r->arena, &overlay->idmap.uids,
			     &overlay->idmap.gids);
	}
	r->bundle = arena_printf(&r->arena, "%s/containers/%s", g->path.text, m->id);
	r->request = (struct create_request){ .id = m->id,
					      .bundle = r->bundle,
					      .overlay = overlay,
					      .before_start = netjoin_before_start,
					      .before_start_ctx = &r->net };
	r->net = (struct net_context){ .g = g, .record = &m->record, .dir = m->dir };
}

static int open_sockets(struct run *r, struct err *e)
{
	TRY(netsockets_open(r->g, &r->m->record, &r->sockets, e));
	r->request.sockets = r->sockets.fds;
	r->request.n_sockets = r->sockets.n;
	r->request.socket_names = r->sockets.names.text;
	return 0;
}

static void run_done(struct run *r)
{
	netjoin_done(&r->net);
	netsockets_close(&r->sockets);
	arena_done(&r->arena);
}

static void say_started(const struct making *m, struct status *s)
{
	char now[48];
	struct err e = { 0 };
	auto_fd int lock = status_lock(m->dir, &e);
	auto_status struct status written = { 0 };

	if (lock < 0)
		log_warn("%s", e.msg);
	/* A `stop` between the last end and this start is one of this container still. */
	s->stopped = s->restarts > 0 && status_read(m->dir, &written, &e) == 0 && written.stopped;
	record_now(now);
	s->started = arena_strdup(&s->arena, now);
	s->finished = s->error = NULL;
	s->oom_killed = false;
	s->checkpointed = NULL;
	s->restored = m->restore ? s->started : NULL;
	s->lack = s->held = s->denied = NULL;
	if (status_write(m->dir, s, &e) < 0)
		log_warn("%s", e.msg);
}

/* It has begun anew, or gone on from there. */
static void give_up_checkpoint(const struct making *m)
{
	if (m->restore ? !m->restore->keep : m->again)
		checkpoint_drop(m->dir);
}

/* NULL where there is nothing to say. */
static const char *words(struct arena *a, const struct buf *text)
{
	return text->len ? arena_strdup(a, text->text) : NULL;
}

/*
 * Who wants to know how it ended is told by the attach socket. To replace the status of a moment ago
 * would have ext4 write it out, and its removal would wait for that.
 */
static bool is_gone_soon(const struct record *r)
{
	return r->remove && !r->keep_why;
}

/* `net` is how it left its networks; NULL: it never ran. */
static void say_ended(const struct engine *g, const struct making *m, struct status *s, int code,
		      const char *error, const struct container_fate *fate,
		      const struct net_context *net)
{
	char now[48];
	struct err e = { 0 };
	auto_fd int lock = status_lock(m->dir, &e);
	auto_status struct status written = { 0 };

	if (lock < 0)
		log_warn("%s", e.msg);
	/* `stop` and `checkpoint` note in it that they were there. */
	if (status_read(m->dir, &written, &e) == 0) {
		s->stopped = written.stopped;
		s->checkpointed = arena_strdup(&s->arena, written.checkpointed);
	}
	record_now(now);
	s->finished = arena_strdup(&s->arena, now);
	s->exit_code = code;
	s->error = error ? arena_strdup(&s->arena, error) : NULL;
	s->lack = words(&s->arena, &fate->lack);
	s->held = words(&s->arena, &fate->held);
	s->denied = words(&s->arena, &fate->denied);
	s->oom_killed = s->lack != NULL;
	if (!is_gone_soon(&m->record) && status_write(m->dir, s, &e) < 0)
		log_warn("%s", e.msg);
	if (s->oom_killed)
		happened_to(g, m->id, "oom", NULL, NULL);
	happened_ended(g, m->id, code, net ? &net->joined : NULL, net ? &net->left : NULL);
}

int keep_failure_status(const struct err *e)
{
	static const char exec[] = "exec: ";

	if (strncmp(e->msg, exec, sizeof(exec) - 1) != 0)
		return 125;
	return e->code == ENOENT ? 127 : 126;
}

static void drop(const struct engine *g, struct making *m, const struct status *s)
{
	struct err e = { 0 };

	if (!m->record.remove || engine_remove_locked(g, m, true, &e) >= 0)
		return;
	log_warn("%s", e.msg);
	/* So it is there still; if it is not, this fails and does no harm. */
	if (is_gone_soon(&m->record) && status_write(m->dir, s, &e) < 0)
		log_debug("%s", e.msg);
}

struct foreground {
	const struct engine *g;
	const struct making *m;
	struct net_context *net;
	bool began;
};

/* For create_request.before_start: its program is about to begin, on its networks. */
static int begin_foreground(void *ctx, pid_t pid, struct err *e)
{
	struct foreground *f = ctx;

	TRY(netjoin_before_start(f->net, pid, e));
	happened_began(f->g, &f->m->record, &f->net->joined);
	f->began = true;
	return 0;
}

int keep_foreground(const struct engine *g, struct making *m, int *ret_status, struct err *e)
{
	auto_status struct status status = { 0 };
	auto_container_fate struct container_fate fate = { 0 };
	struct run_request req;
	struct run run;
	struct foreground f = { .g = g, .m = m, .net = &run.net };
	int r;

	run_prepare(&run, g, m);
	run.request.before_start = begin_foreground;
	run.request.before_start_ctx = &f;
	r = borrowed_find(g, m->dir, &m->record, e);
	if (r >= 0)
		r = netjoin_prepare(&run.net, e);
	if (r >= 0)
		r = open_sockets(&run, e);
	req = (struct run_request){ .create = run.request, .fate = &fate };
	if (r >= 0)
		r = health_start(g, m, &run.health, &run.health_fd, e);
	if (r >= 0) {
		say_started(m, &status);
		give_up_checkpoint(m);
		r = container_run(g->rt, &req, ret_status, e);
		health_stop(run.health, &run.health_fd);
	}
	netjoin_leave(&run.net);
	say_ended(g, m, &status, r < 0 ? keep_failure_status(e) : *ret_status,
		  r < 0 ? e->msg : NULL, &fate, f.began ? &run.net : NULL);
	run_done(&run);
	drop(g, m, &status);
	return r;
}

/* The detached keeper. */

struct keeper {
	const struct engine *g;
	struct making *m;
	struct run run;
	struct container_process process;
	struct log_writer log;
	struct journal journal;
	struct log_stream out, err;
	int pipes[2]; /* read ends of standard output and error, -1 when at its end */
	int in;       /* write end of its standard input, -1 without */
	int signals;
	bool ending; /* it was told to end, as when the machine stops: it starts nothing again */
	struct attach_server attach;
	int ready; /* tells the command that waits for the start; -1 when told */
};

static void tell_ready(struct keeper *k, const struct err *e)
{
	static const struct err none;

	if (k->ready >= 0 && io_write_all(k->ready, e ? e : &none, sizeof(*e)) < 0)
		log_debug("nobody waits for the container's start");
	close_fd(&k->ready);
}

struct stdio {
	int in[2], out[2], err[2];
};

static int make_stdio(const struct record *r, struct stdio *s, struct err *e)
{
	*s = (struct stdio){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (r->terminal)
		return 0;
	if (pipe2(s->out, O_CLOEXEC) < 0 || pipe2(s->err, O_CLOEXEC) < 0 ||
	    (r->stdin_open && pipe2(s->in, O_CLOEXEC) < 0))
		return err_sys(e, "make the container's pipes");
	return 0;
}

static void close_pair(int pair[2])
{
	close_fd(&pair[0]);
	close_fd(&pair[1]);
}

/* The program gets our standard streams; so they are its pipes while it is made. */
static void wear(const struct stdio *s)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(s->in[0] >= 0 ? s->in[0] : null, STDIN_FILENO);
	dup2(s->out[1] >= 0 ? s->out[1] : null, STDOUT_FILENO);
	dup2(s->err[1] >= 0 ? s->err[1] : null, STDERR_FILENO);
	close_fd(&null);
}

static void take_off(void)
{
	static const struct stdio none = { { -1, -1 }, { -1, -1 }, { -1, -1 } };

	wear(&none);
}

static int dont_block(int fd)
{
	int flags = fd < 0 ? 0 : fcntl(fd, F_GETFL);

	return fd < 0 || (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0) ? 0 : -1;
}

static int restore(struct keeper *k, struct err *e)
{
	const struct restore_wish *w = k->m->restore;
	struct restore_request req;

	checkpoint_request(w, k->run.bundle, &k->run.arena, &req);
	req.create = k->run.request;
	TRY(checkpoint_joins(k->m->dir, w, &k->run.arena, &k->run.net.again, e));
	return container_restore_supervised(k->g->rt, &req, &k->process, e);
}

static int launch(struct keeper *k, struct err *e)
{
	struct stdio s;
	int r = make_stdio(&k->m->record, &s, e);

	if (r >= 0) {
		wear(&s);
		r = k->m->restore
			    ? restore(k, e)
			    : container_run_supervised(k->g->rt, &k->run.request, &k->process, e);
		take_off();
	}
	if (r >= 0) {
		k->pipes[0] = take_fd(&s.out[0]);
		k->pipes[1] = take_fd(&s.err[0]);
		k->in = take_fd(&s.in[1]);
		/* A program that does not read its input must not keep us from its output. */
		if (dont_block(k->in) < 0 || dont_block(k->process.master) < 0)
			log_warn("the container's input may hold its output up: %s",
				 err_text(errno));
	}
	close_pair(s.in);
	close_pair(s.out);
	close_pair(s.err);
	return r;
}

/* One read of what the program wrote, to the log and to who is attached. */
static void take_output(struct keeper *k, int *fd, struct log_stream *s, char stream)
{
	char bytes[CHUNK];
	ssize_t n;

	if (attach_patience(&k->attach)) /* since what was read a moment ago */
		return;
	n = read(*fd, bytes, sizeof(bytes));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) { /* a terminal whose other end is closed says EIO */
		close_fd(fd);
		return;
	}
	log_write(&k->log, s, bytes, (size_t)n);
	attach_send(&k->attach, stream, bytes, (size_t)n);
}

static void take_signal(struct keeper *k)
{
	struct signalfd_siginfo info;

	if (read(k->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo != SIGTERM)
		return;
	k->ending = true;
	if (k->process.pidfd >= 0)
		kill(k->process.pid, k->m->record.stop_signal ? k->m->record.stop_signal : SIGTERM);
}

enum { AT_OUT, AT_ERR, AT_MASTER, AT_PID, AT_EVENTS, AT_SIGNALS, AT_ATTACH, AT_INPUT, AT_FIXED };

static int fill_poll(struct keeper *k, bool ended, struct pollfd *fds)
{
	const bool full = attach_patience(&k->attach) > 0;

	fds[AT_OUT] = (struct pollfd){ full ? -1 : k->pipes[0], POLLIN, 0 };
	fds[AT_ERR] = (struct pollfd){ full ? -1 : k->pipes[1], POLLIN, 0 };
	fds[AT_MASTER] = (struct pollfd){ full ? -1 : k->process.master, POLLIN, 0 };
	fds[AT_PID] = (struct pollfd){ ended ? -1 : k->process.pidfd, POLLIN, 0 };
	fds[AT_EVENTS] = (struct pollfd){ container_process_events(&k->process), POLLIN, 0 };
	fds[AT_SIGNALS] = (struct pollfd){ k->signals, POLLIN, 0 };
	fds[AT_ATTACH] = (struct pollfd){ attach_listener(&k->attach), POLLIN, 0 };
	fds[AT_INPUT] = attach_input(&k->attach, k->in, k->process.master);
	return AT_FIXED + attach_fill(&k->attach, fds + AT_FIXED);
}

static bool has_output(const struct keeper *k)
{
	return k->pipes[0] >= 0 || k->pipes[1] >= 0 || k->process.master >= 0 ||
	       attach_patience(&k->attach);
}

/* What to wait for: all of a program that runs, a little of one that has ended at `ended`, which is 0 before. */
static int wait_ms(const struct keeper *k, int64_t ended)
{
	int64_t left = attach_patience(&k->attach);

	if (!ended)
		return -1;
	if (!left)
		return DRAIN_MS;
	left -= (io_now_us() - ended) / 1000;
	return left > 0 ? (int)left : 0;
}

/* Until init has ended and what it wrote is written down. */
static void attend(struct keeper *k)
{
	struct pollfd fds[AT_FIXED + ATTACH_MAX];
	int64_t ended = 0;

	while (!ended || has_output(k)) {
		int n = fill_poll(k, ended != 0, fds), wait = wait_ms(k, ended);
		int ready = poll(fds, (nfds_t)n, wait);

		if (ready < 0 && errno != EINTR)
			break;
		if (ended && (ready == 0 || wait == 0))
			break;
		if (ready <= 0)
			continue;
		/* Before anything else: systemd may take it away. */
		if (fds[AT_PID].revents)
			container_process_ended(&k->process);
		else if (fds[AT_EVENTS].revents)
			container_process_look(&k->process);
		if (fds[AT_OUT].revents)
			take_output(k, &k->pipes[0], &k->out, ATTACH_STDOUT);
		if (fds[AT_ERR].revents)
			take_output(k, &k->pipes[1], &k->err, ATTACH_STDERR);
		if (fds[AT_MASTER].revents)
			take_output(k, &k->process.master, &k->out, ATTACH_STDOUT);
		if (fds[AT_SIGNALS].revents)
			take_signal(k);
		if (fds[AT_INPUT].revents)
			attach_push(&k->attach, &k->in, k->process.master);
		attach_attend(&k->attach, fds[AT_ATTACH].revents, fds + AT_FIXED, n - AT_FIXED,
			      &k->in, k->process.master);
		if (fds[AT_PID].revents)
			ended = io_now_us();
	}
	log_flush(&k->log, &k->out);
	log_flush(&k->log, &k->err);
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 255;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void close_streams(struct keeper *k)
{
	close_fd(&k->pipes[0]);
	close_fd(&k->pipes[1]);
	close_fd(&k->in);
	container_process_done(&k->process);
}

/* All that a run needs, and its first process. */
static int begin(struct keeper *k, struct err *e)
{
	const struct making *m = k->m;

	TRY(borrowed_find(k->g, m->dir, &m->record, e));
	TRY(netjoin_prepare(&k->run.net, e));
	TRY(open_sockets(&k->run, e));
	/* Before the pipes are made, whose ends it would hold. */
	TRY(health_start(k->g, m, &k->run.health, &k->run.health_fd, e));
	return launch(k, e);
}

/* It runs: whether it was started or restored, it would be started the next time. */
static void say_begun(struct keeper *k, struct status *status)
{
	say_started(k->m, status);
	happened_began(k->g, &k->m->record, &k->run.net.joined);
	/* It came while this start went on, and found nothing to signal. */
	if (status->stopped && pidfd_send_signal(k->process.pidfd, SIGKILL, NULL, 0) < 0)
		log_debug("stop the container: %s", err_text(errno));
	give_up_checkpoint(k->m);
	k->m->restore = NULL;
	k->m->again = true;
	k->run.net.again = (struct joins){ 0 };
	tell_ready(k, NULL);
}

/* Starts it and stays until it has ended. Returns its exit status, or a negative errno. */
static int run_once(struct keeper *k, struct status *status, struct err *e)
{
	auto_container_fate struct container_fate fate = { 0 };
	time_t began = time(NULL);
	int code;

	if (begin(k, e) < 0) {
		health_stop(k->run.health, &k->run.health_fd);
		netjoin_leave(&k->run.net);
		/* What cannot be restored is as it was. */
		if (!k->m->restore)
			say_ended(k->g, k->m, status, keep_failure_status(e), e->msg, &fate, NULL);
		return -e->code;
	}
	say_begun(k, status);
	mem_trim();
	attend(k);
	health_stop(k->run.health, &k->run.health_fd);
	code = reap(k->process.pid);
	if (code == 128 + SIGKILL)
		checkpoint_wait(k->m->dir);
	if (code != 0)
		denials_read(k->process.pid, began, &fate.denied);
	container_process_save(&k->process, k->g->rt, k->m->id);
	if (container_end(k->g->rt, k->m->id, &fate, e) < 0)
		log_warn("%s", e->msg);
	close_streams(k);
	netjoin_leave(&k->run.net);
	say_ended(k->g, k->m, status, code, NULL, &fate, &k->run.net);
	attach_ended(&k->attach, code);
	return code;
}

static bool wants_restart(const struct record *r, const struct status *s)
{
	if (s->stopped || s->checkpointed)
		return false;
	switch (r->restart) {
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	case RESTART_ON_FAILURE:
		return s->exit_code != 0 && (!r->restart_max || s->restarts < r->restart_max);
	default:
		return false;
	}
}

/* Waits before the next start; a `stop` meanwhile ends it. */
static bool rest(struct keeper *k, unsigned ms)
{
	for (unsigned waited = 0; waited < ms; waited += BACKOFF_FIRST_MS) {
		struct pollfd fd = { k->signals, POLLIN, 0 };
		auto_status struct status now = { 0 };
		struct err e;

		if (poll(&fd, 1, BACKOFF_FIRST_MS) > 0)
			return false;
		if (status_read(k->m->dir, &now, &e) == 0 && now.stopped)
			return false;
	}
	return true;
}

/* *s is how it ended at last. */
static void keep(struct keeper *k, struct status *s)
{
	unsigned backoff = BACKOFF_FIRST_MS;
	struct err e = { 0 };

	for (;;) {
		int64_t began = io_now_us();
		int code = run_once(k, s, &e);

		if (code < 0 && k->ready >= 0) {
			tell_ready(k, &e);
			break;
		}
		if (k->ending || !wants_restart(&k->m->record, s))
			break;
		if (io_now_us() - began > (int64_t)STEADY_S * 1000000)
			backoff = BACKOFF_FIRST_MS;
		if (!rest(k, backoff))
			break;
		backoff = backoff * 2 > BACKOFF_LAST_MS ? BACKOFF_LAST_MS : backoff * 2;
		s->restarts++;
	}
}

static int open_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGILL);
	sigdelset(&set, SIGABRT);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int open_log(struct keeper *k, struct err *e)
{
	const struct record *r = &k->m->record;

	if (strcmp(r->log_driver, "none") == 0)
		return 0;
	if (strcmp(r->log_driver, "journald") != 0)
		return log_writer_open(k->m->dir, r->log_max_size, r->log_max_files, &k->log, e);
	TRY(journal_open(r, &k->journal, e));
	log_writer_to_journal(&k->journal, &k->log);
	return 0;
}

_Noreturn static void keeper_main(const struct engine *g, struct making *m, int ready, int guest)
{
	struct keeper k = { .g = g,
			    .m = m,
			    .process = CONTAINER_PROCESS_NONE,
			    .log = { .fd = -1 },
			    .journal = JOURNAL_CLOSED,
			    .out = { .name = "stdout" },
			    .err = { .name = "stderr" },
			    .pipes = { -1, -1 },
			    .in = -1,
			    .attach = ATTACH_SERVER_NONE,
			    .ready = ready };
	auto_status struct status status = { 0 };
	struct err e = { 0 };

	setsid();
	/* Orphans of a shared PID namespace are ours to reap; init is our child anyway. */
	prctl(PR_SET_NAME, "hull-keep");
	take_off();
	if (chdir("/") < 0)
		_exit(1);
	k.signals = open_signals();
	run_prepare(&k.run, g, m);
	k.run.request.stays = true;
	if (open_log(&k, &e) < 0 || attach_listen(m->dir, m->record.terminal, &k.attach, &e) < 0) {
		tell_ready(&k, &e);
		_exit(1);
	}
	if (guest >= 0)
		attach_welcome(&k.attach, guest);
	keep(&k, &status);
	netsockets_close(&k.run.sockets);
	attach_close(&k.attach, m->dir);
	log_writer_close(&k.log);
	journal_close(&k.journal);
	drop(g, m, &status);
	_exit(0);
}

/*
 * `ends` is a socket pair, of which the first stays ours; NULL: there is no guest yet. The keeper's end is
 * closed here, and ours there, or it would not see us go.
 */
static int start_keeper(const struct engine *g, struct making *m, int *ends, struct err *e)
{
	int pair[2];
	struct err got = { 0 };
	pid_t pid;
	ssize_t n;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, "make the keeper's pipe");
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		if (ends)
			close(ends[0]);
		/* Twice, so that nobody has to reap it. */
		pid = fork();
		if (pid == 0)
			keeper_main(g, m, pair[1], ends ? ends[1] : -1);
		_exit(pid < 0);
	}
	close(pair[1]);
	if (ends)
		close_fd(&ends[1]);
	if (pid < 0) {
		close(pair[0]);
		return err_sys(e, "make the container's keeper");
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	n = io_read_all(pair[0], &got, sizeof(got));
	close(pair[0]);
	if (n != (ssize_t)sizeof(got))
		return err_set(e, ECHILD, "the container's keeper died; see the log");
	got.msg[sizeof(got.msg) - 1] = '\0';
	if (got.code)
		return err_set(e, got.code, "%s", got.msg);
	return 0;
}

int keep_detached(const struct engine *g, struct making *m, struct err *e)
{
	return start_keeper(g, m, NULL, e);
}

int keep_attached(const struct engine *g, struct making *m, int *ret_fd, struct err *e)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return err_sys(e, "make the socket for attach");
	if (start_keeper(g, m, ends, e) < 0) {
		close(ends[0]);
		return -e->code;
	}
	*ret_fd = ends[0];
	return 0;
}
