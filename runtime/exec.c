/*
 * exec.c - a further process in a container that runs.
 */
#include "runtime/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "process/console_socket.h"
#include "process/fds.h"
#include "process/pidfd_socket.h"
#include "process/pidfile.h"
#include "process/relay.h"
#include "process/rlimits.h"
#include "process/scheduling.h"
#include "runtime/exec_request.h"
#include "runtime/executor.h"
#include "runtime/handshake.h"
#include "runtime/host.h"
#include "runtime/init.h"
#include "runtime/launch.h"
#include "runtime/listener.h"
#include "runtime/store.h"

enum { END_WAIT_MS = 50, DEATH_WAIT_MS = 500, END_STEP_MS = 10 };

struct execution {
	const struct exec_request *req;
	struct arena arena;
	struct handle *handle;
	struct spec spec;
	struct spec_process process;
	struct host host;
	struct plan plan;
	struct init init;
	struct ns_fds joins;
	struct cgroup place; /* where the process goes, if not right into the container's cgroup */
	int sock, pidfd, master;
	pid_t pid;
	bool pid_file_written;
};

static void execution_done(struct execution *x)
{
	close_fd(&x->sock);
	close_fd(&x->init.sock);
	close_fd(&x->pidfd);
	close_fd(&x->master);
	ns_fds_close(&x->joins);
	cgroup_close(&x->place);
	plan_done(&x->plan);
	host_done(&x->host);
	spec_done(&x->spec);
	arena_done(&x->arena);
}

static int open_container(struct execution *x, struct err *e)
{
	switch (x->handle->state.status) {
	case STATE_STOPPED:
		return err_set(e, ESRCH, "cannot exec in a stopped container");
	case STATE_CREATING:
		return err_set(e, EBUSY,
			       "cannot exec in a container that is being created or deleted");
	case STATE_PAUSED:
		if (!x->req->ignore_paused)
			return err_set(e, EBUSY,
				       "cannot exec in a paused container (use --ignore-paused to "
				       "override)");
		break;
	default:
		break;
	}
	return store_load_config(x->handle->dir, &x->spec, e);
}

static int make_plan(struct execution *x, struct err *e)
{
	const struct state *s = &x->handle->state;
	const struct plan_request req = {
		.id = s->id,
		.bundle = s->bundle,
		.rootfs = s->rootfs,
		.preserve_fds = x->req->preserve_fds,
	};
	int r;

	TRY(host_probe(0, &x->host, e));
	TRY(plan_exec(&x->spec, &x->process, &x->req->caps, &req, &x->plan, e));
	plan_limits(&x->plan);
	TRY(plan_filter(&x->plan, x->handle->root, false, e));
	caps_plan_log(&x->plan.caps);
	r = ns_open_process(x->host.proc, s->pid, &x->joins, e);
	if (r == -ESRCH) /* its end is not over yet: its PID namespace is emptied */
		return err_set(e, ESRCH, "cannot exec in a stopped container");
	TRY(r);
	/* What was opened belongs to init only if that still lives. */
	if (pidfd_send_signal(x->handle->pidfd, 0, NULL, 0) == 0)
		return 0;
	return errno == ESRCH ? err_set(e, ESRCH, "cannot exec in a stopped container")
			      : err_sys(e, "look for the container's process %d", s->pid);
}

/* Where --cgroup says, and nowhere else. */
static int open_place(struct execution *x, const char *path, struct err *e)
{
	const struct cgroup *own = &x->handle->cgroup;
	int r;

	if (own->fd < 0)
		return err_set(e, ENOTSUP, "--cgroup /%s: the container has no cgroup", path);
	r = cgroup_open_below(own, path, &x->place, e);
	return r < 0 ? err_wrap(e, "--cgroup") : 0;
}

/*
 * A container that manages its own cgroup may hand controllers out in it, and
 * then only cgroups below it have processes (cgroups(7)). Its init is in one.
 */
static int find_place(struct execution *x, struct err *e)
{
	const struct cgroup *own = &x->handle->cgroup;
	const char *top = own->path ? own->path : "";
	const size_t len = strlen(top);
	char handed_out[512], path[PATH_MAX];
	const char *asked;
	int r;

	TRY(exec_request_cgroup(x->req, &asked, e));
	if (asked)
		return open_place(x, asked, e);
	if (own->fd < 0 ||
	    io_read_value(own->fd, "cgroup.subtree_control", handed_out, sizeof(handed_out)) < 0 ||
	    !*handed_out)
		return 0;
	r = cgroup_of_pid(x->handle->state.pid, path, sizeof(path));
	if (r < 0)
		return err_neg(e, r, "find the cgroup of the container's process");
	if (strncmp(path, top, len) != 0 || path[len] != '/')
		return 0;
	return cgroup_open(&x->handle->host, path, &x->place, e);
}

static int launch(struct execution *x, struct err *e)
{
	const int cgroup = x->place.fd >= 0 ? x->place.fd : x->handle->cgroup.fd;
	int pair[2];

	if (x->plan.first_cpus && affinity_apply(x->plan.first_cpus, e) < 0)
		return err_wrap(e, "process.execCPUAffinity.initial");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make the handshake's sockets");
	x->sock = pair[0];
	x->init.sock = pair[1];
	x->init.plan = &x->plan;
	x->init.proc = x->host.proc;
	x->init.joins = &x->joins;
	x->init.state = &x->handle->state;
	x->init.why = FOR_EXEC;
	x->pid = launch_process(&(struct launch){ .plan = &x->plan,
						  .joins = &x->joins,
						  .cgroup = cgroup,
						  .init = &x->init,
						  .sock = x->sock },
				&x->pidfd, e);
	close_fd(&x->init.sock);
	return x->pid < 0 ? x->pid : 0;
}

static int take_console(struct execution *x, struct err *e)
{
	int32_t number = 0;
	char name[32];

	if (!x->plan.terminal)
		return 0;
	TRY(handshake_expect(x->sock, SAY_CONSOLE, &number, &x->master, e));
	if (!x->req->console_socket) {
		relay_set_up_terminal(x->master);
		return 0;
	}
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	TRY(console_socket_send(x->req->console_socket, x->master, name, e));
	close_fd(&x->master);
	return 0;
}

static int enter_class(struct execution *x, struct err *e)
{
	const struct rdt_group *group = &x->handle->state.rdt;
	auto_fd int resctrl = -1;

	if (!group->name)
		return 0;
	resctrl = rdt_mount_open(e);
	TRY(resctrl);
	return rdt_group_add(resctrl, group, x->pid, e);
}

/* The parent's side of the handshake, until the program runs. */
static int attend(struct execution *x, struct err *e)
{
	TRY(enter_class(x, e));
	TRY(oom_score_apply(x->host.proc, x->pid, &x->process, e));
	if (x->plan.meets_prepared) {
		TRY(handshake_expect(x->sock, SAY_PREPARED, NULL, NULL, e));
		if (x->plan.raises_limits)
			TRY(rlimits_apply(x->pid, &x->process, e));
		TRY(handshake_send(x->sock, SAY_GO, 0, -1, e));
	}
	TRY(take_console(x, e));
	TRY(handshake_expect(x->sock, SAY_CREATED, NULL, NULL, e));
	if (x->req->pidfd_socket)
		TRY(pidfd_socket_send(x->req->pidfd_socket, x->pidfd, PIDFD_OF_EXEC, e));
	if (x->req->pid_file)
		TRY(pidfile_write(x->req->pid_file, x->pid, e));
	x->pid_file_written = x->req->pid_file;
	TRY(handshake_send(x->sock, SAY_GO, 0, -1, e));
	if (x->plan.seccomp.notify)
		TRY(listener_pass_on(x->sock, x->spec.linux.seccomp, &x->handle->state, x->pid,
				     x->pidfd, e));
	return handshake_expect_end(x->sock, e);
}

static void kill_process(struct execution *x)
{
	pidfd_send_signal(x->pidfd, SIGKILL, NULL, 0);
	while (waitpid(x->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (x->pid_file_written)
		unlink(x->req->pid_file);
}

static int start(struct execution *x, struct err *e)
{
	TRY(launch(x, e));
	if (attend(x, e) < 0) {
		kill_process(x);
		return -e->code;
	}
	return 0;
}

static int prepare(struct execution *x, struct err *e)
{
	auto_buf struct buf text = { 0 };

	TRY(open_container(x, e));
	TRY(exec_request_process(x->req, &x->spec, &x->arena, &text, &x->process, e));
	TRY(exec_request_check(x->req, &x->process, e));
	TRY(find_place(x, e));
	return make_plan(x, e);
}

/*
 * If the container has ended meanwhile, that is the reason, whatever failed
 * first. Its processes may die a moment before its init does. What `looks` as if it
 * had ended is waited for; the rest would make each mistyped command wait.
 */
static int explain(const struct execution *x, bool looks, struct err *e)
{
	struct pollfd end = { .fd = x->handle->pidfd, .events = POLLIN };
	bool dying =
		e->code == ENOENT || e->code == ENOMEM || e->code == ESRCH || e->code == ENODEV;
	int wait = !dying && e->code != EPIPE  ? 0
		   : looks || e->code == EPIPE ? DEATH_WAIT_MS
					       : END_WAIT_MS;

	for (; end.fd >= 0; wait -= END_STEP_MS) {
		/* Init does not end before all in its PID namespace are reaped, one by a stage that
		 * was killed, too (pid_namespaces(7)). */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (poll(&end, 1, wait > 0 ? END_STEP_MS : 0) == 1)
			return err_set(e, ESRCH, "cannot exec in a stopped container");
		if (wait <= 0)
			break;
	}
	return -e->code;
}

/* Somebody has to have its terminal open, or it would be hung up; what it writes there is lost. */
_Noreturn static void hold_terminal(int master, int pidfd)
{
	char bytes[4096];
	bool hung_up = false;

	for (;;) {
		struct pollfd fds[] = { { pidfd, POLLIN, 0 },
					{ hung_up ? -1 : master, POLLIN, 0 } };
		ssize_t n;

		if (poll(fds, ARRAY_LEN(fds), -1) < 0 && errno != EINTR)
			_exit(1);
		if (fds[0].revents)
			_exit(0);
		n = fds[1].revents ? read(master, bytes, sizeof(bytes)) : 1;
		hung_up = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	}
}

static void close_all_but(unsigned a, unsigned b)
{
	unsigned low = a < b ? a : b, high = a < b ? b : a;

	if (low > 0)
		close_range(0, low - 1, 0);
	if (high - low > 1)
		close_range(low + 1, high - 1, 0);
	close_range(high + 1, ~0U, 0);
}

static int leave_running(const struct execution *x, struct err *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return err_sys(e, "make a process that keeps the program's terminal");
	if (pid > 0)
		return 0;
	setsid();
	close_all_but((unsigned)x->master, (unsigned)x->pidfd);
	prctl(PR_SET_NAME, "hull-terminal");
	hold_terminal(x->master, x->pidfd);
}

int exec_process(struct handle *h, const struct exec_request *req, int *ret_status, struct err *e)
{
	__attribute__((cleanup(execution_done))) struct execution x = {
		.req = req,
		.handle = h,
		.host = HOST_NONE,
		.joins = NS_FDS_NONE,
		.place = CGROUP_CLOSED,
		.init = { .sock = -1, .gate = -1, .conn = -1, .bundle = -1, .proc = -1 },
		.sock = -1,
		.pidfd = -1,
		.master = -1,
	};
	auto_relay struct relay relay = RELAY_NONE;

	x.init.trees = (struct mount_trees)MOUNT_TREES_NONE;
	if (prepare(&x, e) < 0)
		return explain(&x, !req->process_file && !req->cgroups.n, e);
	if (!req->detach)
		TRY(relay_prepare(&relay, e));
	if (start(&x, e) < 0)
		return explain(&x, false, e);
	*ret_status = 0;
	if (req->detach)
		return 0;
	relay.pid = x.pid;
	relay.pidfd = x.pidfd;
	relay.master = x.master;
	relay.leave = req->leave;
	relay.n_leave = req->n_leave;
	/* Nobody would wait for the process, or tell how it ended. */
	if (relay_run(&relay, ret_status, e) < 0) {
		kill_process(&x);
		return -e->code;
	}
	return relay.left ? leave_running(&x, e) : 0;
}

int container_exec(const struct runtime *rt, const struct exec_request *req, int *ret_status,
		   struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;

	/* Before we open anything: what is ours must not pass for what the caller left open. */
	TRY(fds_check(req->preserve_fds, e));
	TRY(handle_open(&h, rt, req->id, e));
	if (!h.executor->exec)
		return executor_lacks(&h, "exec", e);
	return h.executor->exec(&h, req, ret_status, e);
}
