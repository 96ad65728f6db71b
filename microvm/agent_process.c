/*
 * agent_process.c - the parent's side of a process in the guest; runtime/creation.c and
 * runtime/exec.c are its twins on the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#include "base/sys.h"
#include "microvm/agent.h"
#include "microvm/disk.h"
#include "microvm/guest_spec.h"
#include "process/rlimits.h"
#include "runtime/handshake.h"
#include "runtime/launch.h"

/* Descriptors of what the guest binds, from the root as the host has it. */
struct sources {
	int *at;
	size_t n;
};

struct making {
	struct agent *agent;
	struct guest_process *process;
	struct spec_process spec_process; /* of a further one */
	struct arena arena;
	struct plan plan;
	struct init init;
	struct ns_fds joins;
	struct sources sources;
	int sock, cgroup;
	int ours[MUX_STREAMS], theirs[MUX_STREAMS]; /* ends of the streams */
};

static void making_done(struct making *m)
{
	close_fd(&m->sock);
	close_fd(&m->init.sock);
	close_fd(&m->init.bundle);
	close_fd(&m->cgroup);
	for (int i = 0; i < MUX_STREAMS; i++) {
		close_fd(&m->ours[i]);
		close_fd(&m->theirs[i]);
	}
	for (size_t i = 0; i < m->sources.n; i++)
		close_fd(&m->sources.at[i]);
	mount_trees_close(&m->init.trees);
	ns_fds_close(&m->joins);
	plan_done(&m->plan);
	arena_done(&m->arena);
}

struct guest_process *agent_find(struct agent *g, uint16_t session)
{
	for (size_t i = 0; i < MUX_SESSIONS; i++)
		if (g->processes[i].session == session)
			return &g->processes[i];
	return NULL;
}

/* Links that a volume may have in it lead nowhere but into that root, as they did on the host. */
static int find_sources(struct making *m, struct err *e)
{
	struct spec *s = &m->agent->spec;
	auto_fd int root = open(AGENT_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(e, "open " AGENT_ROOT);
	m->sources.at = arena_array(&s->arena, s->mounts.n, sizeof(*m->sources.at));
	for (size_t i = 0; i < s->mounts.n; i++) {
		struct spec_mount *bind = &s->mounts.at[i];
		int fd;

		if (!bind->type || strcmp(bind->type, "bind") != 0)
			continue;
		fd = sys_openat2(root, bind->destination, O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT);
		if (fd < 0)
			return err_neg(e, fd, "mounts[%zu]: find %s in the root", i,
				       bind->destination);
		m->sources.at[m->sources.n++] = fd;
		bind->source = arena_printf(&s->arena, "/proc/self/fd/%d", fd);
	}
	return 0;
}

static int plan_first(struct making *m, const struct document *d, struct err *e)
{
	struct agent *g = m->agent;
	struct plan_request req = {
		.id = "container",
		.bundle = "/",
		.no_pivot = true, /* the initial root can't be left in another way */
		.no_new_keyring = true,
		.cgroups_disabled = true,
	};
	bool on_disk;

	TRY(spec_parse(&g->spec, "config.json", d->text, d->size, e));
	on_disk = spec_annotation(&g->spec, DISK_ANNOTATION) != NULL;
	if (on_disk)
		TRY(agent_mount_disk(e));
	g->rootfs = req.rootfs = on_disk ? DISK_ROOT : AGENT_ROOT;
	guest_spec_for_guest(&g->spec, !on_disk);
	TRY(find_sources(m, e));
	g->state = (struct state){ .id = req.id,
				   .oci_version = g->spec.oci_version,
				   .bundle = req.bundle,
				   .rootfs = req.rootfs,
				   .annotations = g->spec.annotations,
				   .status = STATE_CREATED };
	TRY(plan_create(&g->spec, &req, &g->host, &m->plan, e));
	m->cgroup = agent_cgroup(&g->spec, e);
	TRY(m->cgroup);
	m->init.why = FOR_CREATE;
	m->init.bundle = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return mount_trees_open(&m->plan.mounts, m->init.bundle, &m->plan.arena, &m->init.trees, e);
}

static int plan_further(struct making *m, const struct document *d, struct err *e)
{
	const struct strings no_caps = { 0 };
	const struct plan_request req = {
		.id = "container", .bundle = "/", .rootfs = m->agent->rootfs, .no_new_keyring = true
	};

	if (!m->agent->init)
		return err_set(e, ESRCH, "cannot exec in a stopped container");
	TRY(spec_parse_process(&m->spec_process, &m->arena, "process", d->text, d->size, e));
	TRY(plan_exec(&m->agent->spec, &m->spec_process, &no_caps, &req, &m->plan, e));
	plan_limits(&m->plan);
	m->cgroup = agent_cgroup(NULL, e);
	TRY(m->cgroup);
	m->init.why = FOR_EXEC;
	return ns_open_process(m->agent->host.proc, m->agent->init, &m->joins, e);
}

static int make_streams(struct making *m, struct err *e)
{
	for (int i = 0; i < MUX_STREAMS && !m->plan.terminal; i++) {
		int pair[2];

		if (pipe2(pair, O_CLOEXEC) < 0)
			return err_sys(e, "make a pipe");
		m->theirs[i] = pair[i == 0 ? 0 : 1];
		m->ours[i] = pair[i == 0 ? 1 : 0];
	}
	return 0;
}

/* The child inherits our standard descriptors: they are its own while it is made. */
static int launch(struct making *m, struct err *e)
{
	int pair[2], kept[MUX_STREAMS];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make the handshake's sockets");
	m->sock = pair[0];
	m->init.sock = pair[1];
	m->init.plan = &m->plan;
	m->init.proc = m->agent->host.proc;
	m->init.joins = &m->joins;
	m->init.state = &m->agent->state;
	for (int i = 0; i < MUX_STREAMS; i++) {
		kept[i] = fcntl(i, F_DUPFD_CLOEXEC, 16);
		if (m->theirs[i] >= 0)
			dup2(m->theirs[i], i);
	}
	pid = launch_process(&(struct launch){ .plan = &m->plan,
					       .joins = &m->joins,
					       .cgroup = m->cgroup,
					       .init = &m->init,
					       .sock = m->sock },
			     &m->process->pidfd, e);
	for (int i = 0; i < MUX_STREAMS; i++) {
		if (kept[i] >= 0)
			dup2(kept[i], i);
		close_fd(&kept[i]);
		close_fd(&m->theirs[i]);
	}
	close_fd(&m->init.sock);
	mount_trees_close(&m->init.trees);
	TRY(pid);
	m->process->pid = pid;
	return 0;
}

static int take_console(struct making *m, struct err *e)
{
	int fds[MUX_STREAMS] = { -1, -1, -1 };
	int32_t number;

	if (m->plan.terminal) {
		TRY(handshake_expect(m->sock, SAY_CONSOLE, &number, &m->process->master, e));
		m->ours[0] = fcntl(m->process->master, F_DUPFD_CLOEXEC, 3);
		m->ours[1] = fcntl(m->process->master, F_DUPFD_CLOEXEC, 3);
	}
	for (int i = 0; i < MUX_STREAMS; i++)
		fds[i] = take_fd(&m->ours[i]);
	if (!mux_open(&m->agent->mux, m->process->session, fds, true))
		return err_set(e, EAGAIN, "the guest has %d sessions already", MUX_SESSIONS);
	return 0;
}

static int attend(struct making *m, struct err *e)
{
	TRY(oom_score_apply(m->agent->host.proc, m->process->pid, m->plan.process, e));
	if (m->plan.meets_prepared) {
		TRY(handshake_expect(m->sock, SAY_PREPARED, NULL, NULL, e));
		if (m->plan.raises_limits)
			TRY(rlimits_apply(m->process->pid, m->plan.process, e));
		TRY(handshake_send(m->sock, SAY_GO, 0, -1, e));
	}
	TRY(take_console(m, e));
	return handshake_expect(m->sock, SAY_CREATED, NULL, NULL, e);
}

static void forget(struct agent *g, struct guest_process *p)
{
	struct session *s = mux_find(&g->mux, p->session);

	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (s)
		mux_close(s);
	close_fd(&p->pidfd);
	close_fd(&p->sock);
	close_fd(&p->master);
	*p = (struct guest_process){ .pidfd = -1, .sock = -1, .master = -1 };
}

int agent_make(struct agent *g, uint16_t session, const struct document *d, bool first,
	       struct err *e)
{
	__attribute__((cleanup(making_done))) struct making m = {
		.agent = g,
		.process = agent_find(g, 0),
		.joins = NS_FDS_NONE,
		.sock = -1,
		.cgroup = -1,
		.ours = { -1, -1, -1 },
		.theirs = { -1, -1, -1 },
		.init = { .sock = -1, .gate = -1, .conn = -1, .bundle = -1, .proc = -1 },
	};

	m.init.trees = (struct mount_trees)MOUNT_TREES_NONE;
	if (!m.process)
		return err_set(e, EAGAIN, "the guest has %d processes from outside already",
			       MUX_SESSIONS);
	TRY(first ? plan_first(&m, d, e) : plan_further(&m, d, e));
	m.plan.seccomp = d->filter;
	TRY(make_streams(&m, e));
	*m.process =
		(struct guest_process){ .session = session, .pidfd = -1, .sock = -1, .master = -1 };
	if (launch(&m, e) < 0 || attend(&m, e) < 0) {
		forget(g, m.process);
		return -e->code;
	}
	m.process->sock = take_fd(&m.sock);
	if (first)
		g->init = m.process->pid;
	return 0;
}

int agent_go(struct agent *g, struct guest_process *p, struct err *e)
{
	int r = handshake_send(p->sock, SAY_GO, 0, -1, e);

	if (r == 0)
		r = handshake_expect_end(p->sock, e);
	close_fd(&p->sock);
	if (r < 0)
		forget(g, p);
	return r;
}
