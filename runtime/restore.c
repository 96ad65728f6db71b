/*
 * restore.c - a container out of files, by CRIU.
 */
#include "runtime/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/util.h"
#include "network/loopback.h"
#include "process/relay.h"
#include "runtime/criu.h"
#include "runtime/executor.h"
#include "runtime/external.h"
#include "runtime/handshake.h"
#include "runtime/hooks.h"
#include "runtime/process_stat.h"
#include "runtime/restore_mounts.h"

#define LOG_FILE "restore.log"

/* Namespaces */

static const struct {
	const char *name;
	bool external; /* else CRIU joins it again */
} namespaces[SPEC_NS_KINDS] = {
	[SPEC_NS_NETWORK] = { "net", true },
	[SPEC_NS_PID] = { "pid", true },
	[SPEC_NS_IPC] = { "ipc", false },
	[SPEC_NS_UTS] = { "uts", false },
};

const char *restore_namespace_name(enum spec_ns type)
{
	return namespaces[type].name;
}

bool restore_namespace_is_external(enum spec_ns type)
{
	return namespaces[type].external;
}

bool restore_leaves_network(const struct spec *s, bool kept)
{
	const struct spec_namespace *network = spec_namespace(s, SPEC_NS_NETWORK);

	return kept && network && !network->path;
}

/* Checks */

int restore_check_options(const struct criu_options *o, const char *verb, struct err *e)
{
	const char *mode = o->manage_cgroups_mode;

	if (geteuid() != 0)
		return err_set(e, EPERM, "%s: CRIU needs root", verb);
	if (mode && strcmp(mode, "soft") != 0 && strcmp(mode, "ignore") != 0)
		return err_set(e, ENOTSUP,
			       "--manage-cgroups-mode: %s: hull puts the processes into the "
			       "container's cgroup itself: \"soft\" or \"ignore\"",
			       mode);
	return 0;
}

int restore_check(struct creation *c, struct err *e)
{
	TRY(restore_check_options(&c->restore->criu, "restore", e));
	if (c->executor != &executor_process)
		return err_set(e, ENOTSUP,
			       "restore: a container in a microVM has no processes of this host");
	if (c->spec.linux.net_devices.n)
		return err_set(e, ENOTSUP,
			       "restore: linux.netDevices: a device cannot be restored");
	if (c->req->preserve_fds || c->listen_fds)
		return err_set(
			e, ENOTSUP,
			"restore: descriptors cannot be handed to a program that already runs");
	return 0;
}

/* In the helper */

/* libcriu's callback has no argument for its caller. */
static struct helper {
	struct creation *creation;
	struct criu criu;
	int sock;
	bool prepared;
	struct err err;
} helper;

static int say_prepared(int32_t pid, struct err *e)
{
	if (helper.prepared)
		return 0;
	helper.prepared = true;
	TRY(handshake_send(helper.sock, SAY_PREPARED, pid, -1, e));
	return handshake_expect(helper.sock, SAY_GO, NULL, NULL, e);
}

static int pass_console(struct err *e)
{
	int master = helper.criu.get_orphan_pts_master_fd();
	unsigned number = 0;

	if (master < 0)
		return err_set(e, EIO, "restore: CRIU handed out no terminal");
	if (ioctl(master, TIOCGPTN, &number) < 0)
		return err_sys(e, "restore: the number of the terminal");
	return handshake_send(helper.sock, SAY_CONSOLE, (int32_t)number, master, e);
}

static bool is_masked(const struct mount_plan *plan, const char *path)
{
	for (size_t i = 0; i < plan->masked.n; i++)
		if (strcmp(plan->masked.at[i], path) == 0)
			return true;
	return false;
}

static int set_readonly(const char *path, unsigned long others, struct err *e)
{
	if (mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | others, NULL) < 0)
		return err_sys(e, "restore: make the mount at %s read-only", path);
	return 0;
}

/* What CRIU leaves out: it has to write into the root, and gives flags to the first mask only. */
static int protect(const mountinfo *mounts, struct err *e)
{
	const struct mount_plan *plan = &helper.creation->plan.mounts;

	for (size_t i = 0; i < mounts->n; i++)
		if (strcmp(mounts->at[i].type, "devtmpfs") == 0 &&
		    is_masked(plan, mounts->at[i].path))
			TRY(set_readonly(mounts->at[i].path, MS_NOSUID | MS_NOEXEC, e));
	return plan->readonly_root ? set_readonly("/", 0, e) : 0;
}

/* A namespace left as CRIU makes it has its loopback interface down. */
static int raise_loopback(const mountinfo *mounts UNUSED, struct err *e)
{
	return loopback_up(e);
}

typedef int within_fn(const mountinfo *mounts, struct err *e);

_Noreturn static void act_within(int namespace, const mountinfo *mounts, within_fn *fn, int sock)
{
	struct err e = { 0 };

	int r = setns(namespace, 0);

	r = r < 0 ? err_sys(&e, "restore: enter the container's namespace") : fn(mounts, &e);
	if (r < 0) {
		handshake_fail(sock, &e);
		_exit(1);
	}
	_exit(handshake_send(sock, SAY_GO, 0, -1, &e) < 0);
}

/* In a process of its own, which is in this namespace of process `pid`. */
static int within(int32_t pid, const char *kind, within_fn *fn, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_fd int fd = open(arena_printf(&a, "/proc/%d/ns/%s", pid, kind), O_RDONLY | O_CLOEXEC);
	int pair[2], r;
	mountinfo mounts;
	pid_t child;

	if (fd < 0)
		return err_sys(e, "restore: the container's %s namespace", kind);
	TRY(mountinfo_read(arena_printf(&a, "/proc/%d/mountinfo", pid), &a, &mounts, e));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make the handshake's sockets");
	child = fork();
	if (child == 0)
		act_within(fd, &mounts, fn, pair[1]);
	close(pair[1]);
	r = child < 0 ? err_sys(e, "make the process that enters the container")
		      : handshake_expect(pair[0], SAY_GO, NULL, NULL, e);
	close(pair[0]);
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

/* It is in its namespaces. */
static int say_settled(int32_t pid, struct err *e)
{
	const struct creation *c = helper.creation;

	if (!helper.prepared && restore_leaves_network(&c->spec, c->restore->kept))
		TRY(within(pid, "net", raise_loopback, e));
	return say_prepared(pid, e);
}

static int attend(const char *action, struct criu_notify *notify, struct err *e)
{
	int32_t pid = helper.criu.notify_pid(notify);

	if (strcmp(action, "orphan-pts-master") == 0)
		return pass_console(e);
	if (strcmp(action, "setup-namespaces") == 0)
		return say_settled(pid, e);
	if (strcmp(action, "post-restore") != 0)
		return 0;
	/* Its processes are there and do not run yet. */
	TRY(say_prepared(pid, e));
	return within(pid, "mnt", protect, e);
}

static int on_notify(char *action, struct criu_notify *notify)
{
	log_debug("restore: CRIU is at %s", action);
	return attend(action, notify, &helper.err);
}

static int enter_cgroup(const struct creation *c, struct err *e)
{
	int r;

	if (c->cgroup.fd < 0)
		return 0;
	r = io_write_value(c->cgroup.fd, "cgroup.procs", "0");
	return r < 0 ? err_neg(e, r, "enter cgroup %s", c->state.cgroup) : 0;
}

static int enter(const struct creation *c, struct err *e)
{
	int flags = CLONE_NEWNS;

	if (ns_is_own(&c->plan.namespaces, SPEC_NS_CGROUP))
		flags |= CLONE_NEWCGROUP;
	TRY(enter_cgroup(c, e));
	if (unshare(flags) < 0)
		return err_sys(e, "make the helper's namespaces");
	return restore_mounts_prepare(c, e);
}

static int inherit_namespace(int fd, const char *key, struct err *e)
{
	if (fcntl(fd, F_SETFD, 0) < 0)
		return err_sys(e, "restore: hand a namespace to CRIU");
	return criu_ok(helper.criu.add_inherit_fd(fd, key), e);
}

static int place_namespaces(struct err *e)
{
	const struct spec *s = &helper.creation->spec;

	for (size_t i = 0; i < s->linux.namespaces.n; i++) {
		const struct spec_namespace *ns = &s->linux.namespaces.at[i];
		const char *name = restore_namespace_name(ns->type);
		char key[32];

		if (!ns->path)
			continue;
		if (!name)
			return err_set(e, ENOTSUP, "restore: linux.namespaces: CRIU cannot join %s",
				       ns->path);
		snprintf(key, sizeof(key), RESTORE_NAMESPACE_KEY, name);
		if (namespaces[ns->type].external)
			TRY(inherit_namespace(helper.creation->joins.at[ns->type], key, e));
		else
			TRY(criu_ok(helper.criu.join_ns_add(name, ns->path, NULL), e));
	}
	return 0;
}

static int place_streams(const struct external_streams *streams, struct err *e)
{
	for (size_t i = 0; i < streams->names.n; i++)
		if (*streams->names.at[i])
			TRY(criu_ok(helper.criu.add_inherit_fd((int)i, streams->names.at[i]), e));
	return 0;
}

static int set_options(const struct criu_directories *d, struct err *e)
{
	const struct restore_request *req = helper.creation->restore;
	struct criu *criu = &helper.criu;

	criu->set_images_dir_fd(d->images);
	criu->set_work_dir_fd(d->work);
	criu->set_tcp_close(req->tcp_close);
	criu->set_orphan_pts_master(helper.creation->plan.terminal);
	criu->set_notify_cb(on_notify);
	if (restore_leaves_network(&helper.creation->spec, req->kept))
		criu->set_empty_ns(CLONE_NEWNET);
	if (req->lsm_profile)
		TRY(criu_ok(criu->set_lsm_profile(req->lsm_profile), e));
	if (req->lsm_mount_context)
		TRY(criu_ok(criu->set_lsm_mount_context(req->lsm_mount_context), e));
	return criu_ok(criu->set_root(helper.creation->rootfs), e);
}

static int have_restored(struct arena *a, struct err *e)
{
	const struct criu_options *o = &helper.creation->restore->criu;
	auto_criu_directories struct criu_directories d = CRIU_DIRECTORIES_NONE;
	struct external_streams streams;
	int pid;

	TRY(criu_open(o, LOG_FILE, &helper.criu, e));
	TRY(criu_open_directories(o, false, &d, e));
	TRY(external_streams_load(d.images, a, &streams, e));
	TRY(set_options(&d, e));
	TRY(enter(helper.creation, e));
	TRY(restore_mounts_make_places(helper.creation, a, e));
	TRY(restore_mounts_name(helper.creation, &helper.criu, a, e));
	TRY(place_namespaces(e));
	TRY(place_streams(&streams, e));
	pid = helper.criu.restore_child();
	if (pid <= 0 && helper.err.code) {
		*e = helper.err;
		return -e->code;
	}
	if (pid <= 0)
		return criu_failed(o, &d, LOG_FILE, "restore", pid, e);
	TRY(say_prepared(pid, e));
	return handshake_send(helper.sock, SAY_CREATED, pid, -1, e);
}

_Noreturn static void run_helper(struct creation *c, int sock)
{
	auto_arena struct arena a = { 0 };
	struct err e = { 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	helper.creation = c;
	helper.sock = sock;
	if (have_restored(&a, &e) < 0) {
		handshake_fail(sock, &e);
		_exit(1);
	}
	_exit(0);
}

/* In hull */

int restore_launch(struct creation *c, struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make the handshake's sockets");
	c->sock = pair[0];
	c->helper = fork();
	if (c->helper == 0) {
		close(pair[0]);
		run_helper(c, pair[1]);
	}
	close(pair[1]);
	return c->helper < 0 ? err_sys(e, "make the process that restores") : 0;
}

/* CRIU ends with it, and the container's process is then ours or our caller's. */
void restore_end_helper(struct creation *c)
{
	if (c->helper <= 0)
		return;
	kill(c->helper, SIGKILL);
	while (waitpid(c->helper, NULL, 0) < 0 && errno == EINTR)
		;
	c->helper = 0;
}

int restore_meet(struct creation *c, struct err *e)
{
	struct process_stat st;
	int32_t pid;

	TRY(handshake_expect(c->sock, SAY_PREPARED, &pid, NULL, e));
	c->state.pid = pid;
	c->pidfd = pidfd_open(pid, 0);
	if (c->pidfd < 0 || process_stat_read(pid, &st) < 0)
		return err_set(e, ESRCH, "restore: the container's process %d has gone", pid);
	c->state.pid_start = st.start;
	c->hooks_begun = true;
	TRY(hooks_run(&c->spec, SPEC_HOOK_PRESTART, &c->state, e));
	TRY(hooks_run(&c->spec, SPEC_HOOK_CREATE_RUNTIME, &c->state, e));
	/* Before its sockets are, which have addresses of its network. */
	if (c->req->before_start)
		TRY(c->req->before_start(c->req->before_start_ctx, pid, e));
	return handshake_send(c->sock, SAY_GO, 0, -1, e);
}
