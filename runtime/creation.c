#include "runtime/creation.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "cgroups/procs.h"
#include "namespaces/idmap.h"
#include "process/console_socket.h"
#include "process/fds.h"
#include "process/listen_fds.h"
#include "process/notify.h"
#include "process/pidfd_socket.h"
#include "process/pidfile.h"
#include "process/relay.h"
#include "process/rlimits.h"
#include "runtime/executor.h"
#include "runtime/gate.h"
#include "runtime/handshake.h"
#include "runtime/held.h"
#include "runtime/hooks.h"
#include "runtime/launch.h"
#include "runtime/listener.h"
#include "runtime/oom.h"
#include "runtime/process_stat.h"
#include "runtime/restore.h"
#include "runtime/store.h"

static int open_bundle(struct creation *c, struct err *e)
{
	c->bundle = realpath(c->req->bundle, NULL);
	if (!c->bundle)
		return err_sys(e, "open the bundle %s", c->req->bundle);
	c->init.bundle = open(c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->init.bundle < 0)
		return err_sys(e, "open the bundle %s", c->bundle);
	return 0;
}

static int read_config(struct creation *c, struct err *e)
{
	TRY(io_read_file(c->init.bundle, "config.json", JSON_MAX_SIZE, "config.json", &c->config,
			 e));
	return spec_parse(&c->spec, "config.json", c->config.text, c->config.len, e);
}

static int choose_executor(struct creation *c, struct err *e)
{
	TRY(executor_choose(c->rt, &c->spec, &c->executor, e));
	if (c->executor != &executor_process)
		c->state.executor = c->executor->name;
	c->init.executor = c->executor;
	c->init.why = c->executor->makes;
	if (c->executor->check)
		TRY(c->executor->check(&c->spec, c->req, e));
	return c->executor->adapt ? c->executor->adapt(c, e) : 0;
}

static int prepare_executor(struct creation *c, struct err *e)
{
	return c->executor->prepare ? c->executor->prepare(c, e) : 0;
}

/* root.path as a path without links, so that the child can insist on there being none. */
static int find_rootfs(struct creation *c, struct err *e)
{
	auto_free char *joined = NULL;
	const char *path = c->spec.root.path;
	struct stat st;

	if (path[0] != '/' && asprintf(&joined, "%s/%s", c->bundle, path) < 0)
		return err_set(e, ENOMEM, "root.path: %s", err_text(ENOMEM));
	c->rootfs = realpath(joined ? joined : path, NULL);
	if (!c->rootfs || stat(c->rootfs, &st) < 0)
		return err_sys(e, "root.path: %s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "root.path: %s is not a directory", path);
	if (strcmp(c->rootfs, "/") == 0)
		return err_set(e, EINVAL, "root.path: / is the host's own root");
	return 0;
}

/* What the command line and the configuration must agree about. */
static int check_request(struct creation *c, struct err *e)
{
	bool terminal = c->spec.process && c->spec.process->terminal;

	if (c->starts && !c->spec.process)
		return err_set(e, EINVAL, "config.json has no process, so there is nothing to run");
	if (terminal && !c->relays && !c->req->console_socket)
		return err_set(
			e, EINVAL,
			"process.terminal: a terminal that nobody relays needs --console-socket");
	if (!terminal && c->req->console_socket)
		return err_set(e, EINVAL,
			       "--console-socket: the configuration asks for no terminal "
			       "(process.terminal)");
	if (seccomp_notifies(c->spec.linux.seccomp))
		TRY(listener_check(c->spec.linux.seccomp, e));
	if (c->req->pidfd_socket)
		TRY(pidfd_socket_check(c->req->pidfd_socket, e));
	return c->req->console_socket ? console_socket_check(c->req->console_socket, e) : 0;
}

/* The socket that systemd gave us to say that the program is ready. */
static int take_service(struct creation *c, struct err *e)
{
	const char *notify = getenv("NOTIFY_SOCKET"); /* NOLINT(concurrency-mt-unsafe) */

	if (notify && notify[0] &&
	    asprintf(&c->notify_dir, "%s/%s/" NOTIFY_DIRECTORY, c->rt->root, c->req->id) < 0)
		return err_set(e, ENOMEM, "NOTIFY_SOCKET: %s", err_text(ENOMEM));
	return 0;
}

static int make_plan(struct creation *c, struct err *e)
{
	const struct plan_request req = {
		.id = c->req->id,
		.bundle = c->bundle,
		.rootfs = c->rootfs,
		.no_pivot = c->req->no_pivot,
		.no_new_keyring = c->req->no_new_keyring,
		.cgroups_disabled = c->rt->cgroups_disabled,
		.preserve_fds = c->req->preserve_fds,
		.listen_fds = c->listen_fds,
		.sockets = c->req->n_sockets ? c->req->sockets : NULL,
		.socket_names = c->req->socket_names,
		.notify_dir = c->notify_dir,
		.overlay = c->req->overlay,
	};

	unsigned wants = c->rt->cgroups_disabled ? 0 : cgroup_wants(&c->spec);

	if (c->rt->systemd_cgroup)
		wants |= CGROUP_WANT_SYSTEMD;
	TRY(host_probe(wants, &c->host, e));
	TRY(plan_create(&c->spec, &req, &c->host, &c->plan, e));
	plan_limits(&c->plan);
	caps_plan_log(&c->plan.caps);
	for (size_t i = 0; i < c->plan.cgroup.warnings.n; i++)
		log_warn("%s", c->plan.cgroup.warnings.at[i]);
	for (size_t i = 0; i < c->plan.mounts.warnings.n; i++)
		log_warn("%s", c->plan.mounts.warnings.at[i]);
	return 0;
}

static int open_joins(struct creation *c, struct err *e)
{
	return ns_open_paths(&c->plan.namespaces, &c->joins, e);
}

static void now_rfc3339(char *buf, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + n, size - n, ".%09ldZ", ts.tv_nsec);
}

static int reserve(struct creation *c, struct err *e)
{
	char created[48];

	c->root = store_open_root(c->rt->root, true, e);
	if (c->root == -ENOENT)
		return err_set(e, ENOENT, "open the state directory %s", c->rt->root);
	TRY(c->root);
	c->dir = store_reserve(c->root, c->req->id, e);
	TRY(c->dir);
	now_rfc3339(created, sizeof(created));
	c->state.id = c->req->id;
	c->state.oci_version = c->spec.oci_version;
	c->state.bundle = c->bundle;
	c->state.rootfs = c->rootfs;
	c->state.created = arena_strdup(&c->state.arena, created);
	c->state.cgroup = c->plan.cgroup.path;
	if (c->plan.cgroup.driver != CGROUP_DRIVER_CGROUPFS)
		c->state.cgroup_driver = cgroup_driver_name(c->plan.cgroup.driver);
	c->state.unit = c->plan.cgroup.unit.name;
	c->state.unit_user = (struct opt_bool){ true, c->plan.cgroup.unit.user };
	c->state.owner = geteuid();
	c->state.annotations = c->spec.annotations;
	c->state.status = STATE_CREATING;
	return 0;
}

static void unreserve(struct creation *c)
{
	struct err e = { 0 };

	/* If there were none left, the removal needs one or two. */
	close_fd(&c->init.bundle);
	close_fd(&c->host.proc);
	if (store_remove(c->root, c->req->id, &e) < 0)
		log_warn("%s", e.msg);
}

static int remember(struct creation *c, struct err *e)
{
	int missing = 0;

	TRY(store_save_config(c->dir, &c->config, e));
	if (c->notify_dir)
		TRY(notify_make_directory(c->dir, e));
	/* So many a hull that is killed amid make_cgroup() may leave; systemd keeps its own. */
	if (c->state.cgroup && !c->state.unit)
		missing = cgroup_missing(&c->host.cgroups, c->state.cgroup, e);
	TRY(missing);
	c->state.cgroup_made = (uint32_t)missing;
	return store_save_state(c->dir, &c->state, e);
}

static int make_filter(struct creation *c, struct err *e)
{
	return plan_filter(&c->plan, c->root, c->req->stays, e);
}

static void remove_cgroup(struct creation *c)
{
	struct err e = { 0 };

	if (c->cgroup.fd >= 0 && cgroup_destroy(&c->cgroup, &e) < 0)
		log_warn("%s", e.msg);
}

static int make_cgroup(struct creation *c, struct err *e)
{
	struct stat st;

	if (!c->plan.cgroup.path)
		return 0;
	TRY(cgroup_make(&c->host.cgroups, &c->plan.cgroup, &c->cgroup, e));
	c->state.cgroup_made = c->cgroup.made;
	if (c->cgroup.fd < 0) { /* a rootless caller may have to do without */
		c->state.cgroup = NULL;
		return 0;
	}
	oom_remember(&c->cgroup, &c->state);
	held_remember(&c->cgroup, &c->state);
	if (fstat(c->cgroup.fd, &st) < 0) {
		err_sys(e, "stat cgroup %s", c->cgroup.path);
		remove_cgroup(c);
		return -e->code;
	}
	/* Before anything is in it: one without it passes for another's of that name. */
	c->state.cgroup_inode = st.st_ino;
	if (store_save_state(c->dir, &c->state, e) < 0) {
		remove_cgroup(c);
		return -e->code;
	}
	return 0;
}

/* While init prepares itself, which runs nothing of the container's: the kernel takes its time. */
static int guard_devices(struct creation *c, struct err *e)
{
	return cgroup_guard(&c->cgroup, &c->plan.cgroup, e);
}

/* Its first process is in it. */
static int settle_cgroup(struct creation *c, struct err *e UNUSED)
{
	cgroup_settle(&c->cgroup);
	return 0;
}

/* At once into the state: what a hull that was killed has left is known by it. */
static int make_class(struct creation *c, struct err *e)
{
	const struct spec_intel_rdt *rdt = c->spec.linux.intel_rdt;

	if (!rdt)
		return 0;
	c->resctrl = rdt_mount_open(e);
	TRY(c->resctrl);
	TRY(rdt_group_open(c->resctrl, rdt, c->req->id, &c->state.rdt, e));
	if (rdt_group_set(c->resctrl, rdt, &c->state.rdt, &c->schemata, e) < 0) {
		c->state.rdt.name = NULL;
		return -e->code;
	}
	c->class = c->state.rdt;
	return store_save_state(c->dir, &c->state, e);
}

static void remove_class(struct creation *c)
{
	struct err e = { 0 };

	if (c->class.name && rdt_group_undo(c->resctrl, &c->class, &c->schemata, &e) < 0)
		log_warn("%s", e.msg);
}

static int enter_class(struct creation *c, struct err *e)
{
	return c->state.rdt.name ? rdt_group_add(c->resctrl, &c->state.rdt, c->state.pid, e) : 0;
}

static void disconnect(struct creation *c)
{
	struct err e = { 0 };

	if (c->executor->disconnect && c->executor->disconnect(c->dir, &c->spec, &e) < 0)
		log_warn("%s", e.msg);
}

static int make_gate(struct creation *c, struct err *e)
{
	if (c->starts)
		return 0;
	c->init.gate = gate_make(c->dir, e);
	return c->init.gate < 0 ? c->init.gate : 0;
}

static int open_sources(struct creation *c, struct err *e)
{
	if (!c->plan.parent_opens || !c->plan.mounts.own_namespace)
		return 0;
	return mount_trees_open(&c->plan.mounts, c->init.bundle, &c->plan.arena, &c->init.trees, e);
}

static void kill_process(struct creation *c)
{
	if (c->pidfd >= 0)
		pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
	while (c->state.pid > 0 && waitpid(c->state.pid, NULL, 0) < 0 && errno == EINTR)
		;
	c->state.pid = 0;
}

static int launch(struct creation *c, struct err *e)
{
	struct process_stat st;
	int pair[2], r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make the handshake's sockets");
	c->sock = pair[0];
	c->init.sock = pair[1];
	c->init.plan = &c->plan;
	c->init.proc = c->host.proc;
	c->init.joins = &c->joins;
	c->init.state = &c->state;
	pid = launch_process(&(struct launch){ .plan = &c->plan,
					       .joins = &c->joins,
					       .cgroup = c->cgroup.fd,
					       .init = &c->init,
					       .sock = c->sock },
			     &c->pidfd, e);
	close_fd(&c->init.sock);
	close_fd(&c->init.gate);
	init_close_hands(&c->init);
	mount_trees_close(&c->init.trees);
	/* The kernel asks whether we may move processes out of our own cgroup (cgroups(7)). */
	if (pid == -EACCES && c->cgroup.unit && c->cgroup.user)
		return err_set(e, EACCES,
			       "make the container's process in unit %s: hull itself is outside of "
			       "what this user's systemd manages: run it by systemd-run --user "
			       "--scope",
			       c->cgroup.unit);
	TRY(pid);
	c->state.pid = pid;
	r = process_stat_read(pid, &st);
	if (r < 0) {
		kill_process(c);
		return err_neg(e, r, "read the start time of the container's process");
	}
	c->state.pid_start = st.start;
	log_debug("the first process of container %s is %d", c->req->id, pid);
	return 0;
}

static int write_maps(struct creation *c, struct err *e)
{
	const struct spec_linux *l = &c->spec.linux;

	if (!c->plan.writes_maps)
		return 0;
	TRY(idmap_write(c->state.pid, &l->uid_mappings, &l->gid_mappings, e));
	return handshake_send(c->sock, SAY_GO, 0, -1, e);
}

static int open_netns(struct creation *c, struct err *e)
{
	char path[64];

	if (c->joins.at[SPEC_NS_NETWORK] >= 0) {
		c->netns = fcntl(c->joins.at[SPEC_NS_NETWORK], F_DUPFD_CLOEXEC, 3);
	} else {
		snprintf(path, sizeof(path), "%d/ns/net", c->state.pid);
		c->netns = openat(c->host.proc, path, O_RDONLY | O_CLOEXEC);
	}
	return c->netns < 0 ? err_sys(e, "open the container's network namespace") : 0;
}

/* While the namespace is there: one that goes takes virtual devices with it. */
static void return_devices(struct creation *c)
{
	struct err e = { 0 };

	for (; c->n_devices; c->n_devices--) {
		struct netdev *d = &c->devices[c->n_devices - 1];

		if (netdev_return(d, c->netns, &e) < 0)
			log_warn("linux.netDevices.%s: %s", d->host_name, e.msg);
		netdev_done(d);
	}
}

static int move_devices(struct creation *c, struct err *e)
{
	const struct spec_linux *l = &c->spec.linux;

	if (!l->net_devices.n)
		return 0;
	TRY(open_netns(c, e));
	c->devices = arena_array(&c->plan.arena, l->net_devices.n, sizeof(*c->devices));
	for (size_t i = 0; i < l->net_devices.n; i++) {
		const struct spec_net_device *d = &l->net_devices.at[i];

		if (netdev_move(d->host_name, d->name ? d->name : d->host_name, c->netns,
				&c->devices[i], e) < 0) {
			return_devices(c);
			return -e->code;
		}
		c->n_devices++;
	}
	return 0;
}

static int set_oom_score(struct creation *c, struct err *e)
{
	if (!c->spec.process)
		return 0;
	return oom_score_apply(c->host.proc, c->state.pid, c->spec.process, e);
}

static int attend_prepared(struct creation *c, struct err *e)
{
	if (!c->plan.meets_prepared)
		return 0;
	TRY(handshake_expect(c->sock, SAY_PREPARED, NULL, NULL, e));
	c->hooks_begun = true;
	TRY(hooks_run(&c->spec, SPEC_HOOK_PRESTART, &c->state, e));
	TRY(hooks_run(&c->spec, SPEC_HOOK_CREATE_RUNTIME, &c->state, e));
	if (c->plan.raises_limits)
		TRY(rlimits_apply(c->state.pid, c->spec.process, e));
	return handshake_send(c->sock, SAY_GO, 0, -1, e);
}

/* If a hook fails, the lifecycle goes on at its end (runtime.md): what is made goes, then these. */
static void run_poststop(struct creation *c)
{
	if (!c->hooks_begun)
		return;
	c->state.status = STATE_STOPPED;
	hooks_run_all(&c->spec, SPEC_HOOK_POSTSTOP, &c->state);
}

static int take_console(struct creation *c, struct err *e)
{
	int32_t number = 0;
	char name[32];

	if (!c->plan.terminal)
		return 0;
	TRY(handshake_expect(c->sock, SAY_CONSOLE, &number, &c->master, e));
	if (!c->req->console_socket) {
		relay_set_up_terminal(c->master);
		return 0;
	}
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	TRY(console_socket_send(c->req->console_socket, c->master, name, e));
	close_fd(&c->master);
	return 0;
}

static int expect_created(struct creation *c, struct err *e)
{
	TRY(handshake_expect(c->sock, SAY_CREATED, NULL, NULL, e));
	c->state.status = STATE_CREATED;
	c->state.ready = true;
	if (c->state.rdt.name)
		rdt_group_settle(c->spec.linux.intel_rdt, &c->state.rdt);
	return store_save_state(c->dir, &c->state, e);
}

static int send_pidfd(struct creation *c, struct err *e)
{
	return c->req->pidfd_socket
		       ? pidfd_socket_send(c->req->pidfd_socket, c->pidfd, PIDFD_OF_INIT, e)
		       : 0;
}

static int write_pid_file(struct creation *c, struct err *e)
{
	return c->req->pid_file ? pidfile_write(c->req->pid_file, c->state.pid, e) : 0;
}

static void remove_pid_file(struct creation *c)
{
	if (c->req->pid_file)
		unlink(c->req->pid_file);
}

static int release(struct creation *c, struct err *e)
{
	return c->starts ? 0 : handshake_send(c->sock, SAY_RECORDED, 0, -1, e);
}

/* Some may be in the cgroup whose father is not known yet. */
static void kill_restored(struct creation *c)
{
	struct err e = { 0 };

	restore_end_helper(c);
	if (c->cgroup.fd >= 0 && cgroup_kill(&c->cgroup, &e) < 0)
		log_warn("%s", e.msg);
	kill_process(c);
}

static int end_helper(struct creation *c, struct err *e UNUSED)
{
	restore_end_helper(c);
	return 0;
}

/* clang-format off */
const struct creation_step creation_steps[] = {
	/* name          do               undo */
	{ "bundle",      open_bundle,     NULL },
	{ "config",      read_config,     NULL },
	{ "executor",    choose_executor, NULL },
	{ "rootfs",      find_rootfs,     NULL },
	{ "service",     take_service,    NULL },
	{ "request",     check_request,   NULL },
	{ "plan",        make_plan,       NULL },
	{ "joins",       open_joins,      NULL },
	{ "reserve",     reserve,         unreserve },
	{ "filter",      make_filter,     NULL },
	{ "remember",    remember,        NULL },
	{ "disconnect",  NULL,            disconnect },
	{ "hands",       prepare_executor, NULL },
	{ "poststop",    NULL,            run_poststop },
	{ "cgroup",      make_cgroup,     remove_cgroup },
	{ "rdt-class",   make_class,      NULL },
	{ "rdt-remove",  NULL,            remove_class },
	{ "gate",        make_gate,       NULL },
	{ "sources",     open_sources,    NULL },
	{ "process",     launch,          kill_process },
	{ "rdt-task",    enter_class,     NULL },
	{ "settle",      settle_cgroup,   NULL },
	{ "id-maps",     write_maps,      NULL },
	{ "devices",     guard_devices,   NULL },
	{ "net-devices", move_devices,    return_devices },
	{ "oom-score",   set_oom_score,   NULL },
	{ "prepared",    attend_prepared, NULL },
	{ "console",     take_console,    NULL },
	{ "created",     expect_created,  NULL },
	{ "pidfd",       send_pidfd,      NULL },
	{ "pid-file",    write_pid_file,  remove_pid_file },
	{ "release",     release,         NULL },
	{ 0 },
};

const struct creation_step restore_steps[] = {
	{ "bundle",      open_bundle,     NULL },
	{ "config",      read_config,     NULL },
	{ "executor",    choose_executor, NULL },
	{ "rootfs",      find_rootfs,     NULL },
	{ "request",     check_request,   NULL },
	{ "restore",     restore_check,   NULL },
	{ "plan",        make_plan,       NULL },
	{ "joins",       open_joins,      NULL },
	{ "reserve",     reserve,         unreserve },
	{ "remember",    remember,        NULL },
	{ "poststop",    NULL,            run_poststop },
	{ "cgroup",      make_cgroup,     remove_cgroup },
	{ "devices",     guard_devices,   NULL },
	{ "rdt-class",   make_class,      NULL },
	{ "rdt-remove",  NULL,            remove_class },
	{ "process",     restore_launch,  kill_restored },
	{ "prepared",    restore_meet,    NULL },
	{ "rdt-task",    enter_class,     NULL },
	{ "console",     take_console,    NULL },
	{ "created",     expect_created,  NULL },
	{ "helper",      end_helper,      NULL },
	{ "settle",      settle_cgroup,   NULL },
	{ "pid-file",    write_pid_file,  remove_pid_file },
	{ 0 },
};
/* clang-format on */

void creation_init(struct creation *c, const struct runtime *rt, const struct create_request *req)
{
	*c = (struct creation){
		.rt = rt,
		.req = req,
		.host = HOST_NONE,
		.joins = NS_FDS_NONE,
		.cgroup = CGROUP_CLOSED,
		.netns = -1,
		.resctrl = -1,
		.root = -1,
		.dir = -1,
		.sock = -1,
		.pidfd = -1,
		.master = -1,
		.init = { .sock = -1, .gate = -1, .conn = -1, .bundle = -1, .proc = -1 },
	};
	c->init.trees = (struct mount_trees)MOUNT_TREES_NONE;
}

_Static_assert((int)CREATE_SOCKETS_MAX <= (int)LISTEN_FDS_PLACED_MAX, "they have room");

int creation_check(struct creation *c, struct err *e)
{
	c->listen_fds = listen_fds_count(getpid());
	TRY(store_check_id(c->req->id, e));
	if (c->req->n_sockets) {
		if (c->listen_fds || c->req->preserve_fds)
			return err_set(e, EINVAL,
				       "sockets are published to a program that has descriptors of "
				       "systemd's (LISTEN_FDS) or is to keep some");
		c->listen_fds = c->req->n_sockets;
		return 0;
	}
	return fds_check(c->listen_fds + c->req->preserve_fds, e);
}

static const struct creation_step *steps(const struct creation *c)
{
	return c->restore ? restore_steps : creation_steps;
}

static void undo_from(struct creation *c, const struct creation_step *last)
{
	for (const struct creation_step *s = last; s >= steps(c); s--)
		if (s->undo)
			s->undo(c);
}

int creation_decide(struct creation *c, struct err *e)
{
	for (const struct creation_step *s = creation_steps; s->run; s++) {
		assert(!s->undo);
		TRY(s->run(c, e));
		if (s->run == make_plan)
			break;
	}
	return 0;
}

int creation_run(struct creation *c, struct err *e)
{
	int64_t begin = log_wants(LOG_LEVEL_TRACE) ? io_now_us() : 0;

	for (const struct creation_step *s = steps(c); s->name; s++) {
		log_trace("create: %s", s->name);
		if (s->run && s->run(c, e) < 0) {
			log_debug("create, step %s: %s", s->name, e->msg);
			undo_from(c, s - 1);
			return -e->code;
		}
		if (begin) {
			int64_t now = io_now_us();

			log_trace("create: %s took %lld us", s->name, (long long)(now - begin));
			begin = now;
		}
	}
	return 0;
}

void creation_undo(struct creation *c)
{
	const struct creation_step *s = steps(c);

	while (s[1].name)
		s++;
	undo_from(c, s);
}

void creation_unlock(struct creation *c)
{
	close_fd(&c->dir);
}

void creation_done(struct creation *c)
{
	close_fd(&c->sock);
	close_fd(&c->pidfd);
	close_fd(&c->master);
	close_fd(&c->dir);
	close_fd(&c->root);
	close_fd(&c->resctrl);
	close_fd(&c->netns);
	for (size_t i = 0; i < c->n_devices; i++)
		netdev_done(&c->devices[i]);
	close_fd(&c->init.bundle);
	close_fd(&c->init.gate);
	close_fd(&c->init.sock);
	init_close_hands(&c->init);
	mount_trees_close(&c->init.trees);
	ns_fds_close(&c->joins);
	cgroup_close(&c->cgroup);
	host_done(&c->host);
	plan_done(&c->plan);
	state_done(&c->state);
	spec_done(&c->spec);
	buf_done(&c->config);
	buf_done(&c->schemata);
	free(c->bundle);
	free(c->rootfs);
	free(c->notify_dir);
}
