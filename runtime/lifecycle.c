/*
 * lifecycle.c - the verbs on a container that exists, but for exec.
 */
#include "runtime/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>

#include "base/full.h"
#include "base/io.h"
#include "base/log.h"
#include "base/mem.h"
#include "cgroups/procs.h"
#include "process/notify.h"
#include "runtime/container.h"
#include "runtime/executor.h"
#include "runtime/gate.h"
#include "runtime/handle.h"
#include "runtime/handshake.h"
#include "runtime/held.h"
#include "runtime/hooks.h"
#include "runtime/listener.h"
#include "runtime/oom.h"
#include "runtime/store.h"
#include "security/seccomp.h"

enum { KILL_WAIT_MS = 10 * 1000, DEATH_WAIT_MS = 500 };

/* The texts are those by which engines tell the cases apart (docs/clients). */
static int refuse_start(const struct handle *h, struct err *e)
{
	switch (h->state.status) {
	case STATE_STOPPED:
		return err_set(e, ESRCH, "cannot start a container that has stopped");
	case STATE_RUNNING:
		return err_set(e, EBUSY, "cannot start an already running container");
	case STATE_PAUSED:
		return err_set(e, EBUSY, "cannot start a container in the paused state");
	default:
		return err_set(e, EBUSY, "cannot start a container that is being created");
	}
}

/* If init was killed before it could answer, that is the reason of `sign`. */
static int explain_start(const struct handle *h, int r, int sign, struct err *e)
{
	struct pollfd end = { .fd = h->pidfd, .events = POLLIN };

	if (r == sign && poll(&end, 1, DEATH_WAIT_MS) == 1)
		return err_set(e, ESRCH, "cannot start a container that has stopped");
	return r;
}

/* Init goes, and is under its filter or has failed when it answers. */
static int open_gate(const struct handle *h, const struct spec *spec, struct err *e)
{
	auto_fd int conn = gate_open(h->dir, e);
	int r = 0;

	if (conn < 0)
		return explain_start(h, conn, -ECONNREFUSED, e);
	if (seccomp_notifies(spec->linux.seccomp))
		r = listener_pass_on(conn, spec->linux.seccomp, &h->state, h->state.pid, h->pidfd,
				     e);
	if (r == 0)
		r = handshake_expect_end(conn, e);
	return explain_start(h, r, -EPIPE, e);
}

/* Where both we and the container have one; -ENOENT: the container has none. */
static int open_notify(const struct handle *h, struct notify *ret, struct err *e)
{
	const char *host = getenv("NOTIFY_SOCKET"); /* NOLINT(concurrency-mt-unsafe) */
	int r = host && host[0] ? notify_open(h->dir, host, ret, e) : 0;

	return r == -ENOENT ? 0 : r;
}

int container_start(const struct runtime *rt, const char *id, struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;
	auto_notify struct notify notify = NOTIFY_NONE;
	auto_spec struct spec spec = { 0 };
	struct err ignored;
	int r;

	TRY(handle_open(&h, rt, id, e));
	TRY(handle_lock(&h, e));
	if (h.state.status != STATE_CREATED)
		return refuse_start(&h, e);
	TRY(open_notify(&h, &notify, e));
	TRY(store_load_config(h.dir, &spec, e));
	if (h.executor->connect)
		TRY(h.executor->connect(h.dir, h.state.pid, &spec, e));
	r = open_gate(&h, &spec, e);
	/* In either case init is past the gate. */
	if (gate_remove(h.dir, r < 0 ? &ignored : e) < 0 && r == 0)
		return -e->code;
	TRY(r);
	h.state.status = STATE_RUNNING;
	r = hooks_run(&spec, SPEC_HOOK_POSTSTART, &h.state, e);
	/* Since 1.3.0 a poststart hook that fails stops the container (runtime.md). */
	if (r < 0)
		pidfd_send_signal(h.pidfd, SIGKILL, NULL, 0);
	TRY(r);
	close_fd(&h.dir); /* the lock: others may have to stop what never becomes ready */
	return notify_relay(&notify, h.state.pid, h.pidfd, e);
}

int container_kill(const struct runtime *rt, const char *id, int signal, bool all, struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;

	TRY(handle_open(&h, rt, id, e));
	return h.executor->kill ? h.executor->kill(&h, signal, all, e)
				: executor_lacks(&h, "kill", e);
}

static int freeze(struct handle *h, bool frozen, struct err *e)
{
	return h->executor->freeze ? h->executor->freeze(h, frozen, e)
				   : executor_lacks(h, frozen ? "pause" : "resume", e);
}

int container_pause(const struct runtime *rt, const char *id, struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;

	TRY(handle_open(&h, rt, id, e));
	TRY(handle_lock(&h, e));
	if (h.state.status != STATE_CREATED && h.state.status != STATE_RUNNING)
		return err_set(e, EBUSY, "container not running or created: %s",
			       state_status_name(h.state.status));
	return freeze(&h, true, e);
}

int container_resume(const struct runtime *rt, const char *id, struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;

	TRY(handle_open(&h, rt, id, e));
	TRY(handle_lock(&h, e));
	if (h.state.status != STATE_PAUSED)
		return err_set(e, EINVAL, "container not paused: %s",
			       state_status_name(h.state.status));
	return freeze(&h, false, e);
}

/* Kills init and waits for its end; with a cgroup, all the others as well. */
static int kill_and_wait(struct handle *h, struct err *e)
{
	struct pollfd fd = { .fd = h->pidfd, .events = POLLIN };

	if (h->cgroup.fd >= 0)
		TRY(cgroup_kill(&h->cgroup, e));
	if (h->pidfd < 0)
		return 0;
	if (pidfd_send_signal(h->pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(e, "kill the container's process %d", h->state.pid);
	while (poll(&fd, 1, KILL_WAIT_MS) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for the container's process %d", h->state.pid);
	if (!(fd.revents & POLLIN))
		return err_set(e, EBUSY, "the container's process %d does not die", h->state.pid);
	return 0;
}

/* `known`: the configuration, NULL: it is read. */
static void run_poststop(struct handle *h, const struct spec *known)
{
	auto_spec struct spec spec = { 0 };
	struct err e = { 0 };

	if (!known && store_load_config(h->dir, &spec, &e) < 0) {
		log_warn("no poststop hooks: %s", e.msg);
		return;
	}
	h->state.status = STATE_STOPPED;
	h->state.pid = 0;
	hooks_run_all(known ? known : &spec, SPEC_HOOK_POSTSTOP, &h->state);
}

/* If resctrl is not mounted any more, all classes went with it. */
static int remove_class(struct handle *h, struct err *e)
{
	auto_fd int resctrl = -1;
	struct err gone;

	if (!h->state.rdt.name)
		return 0;
	resctrl = rdt_mount_open(&gone);
	if (resctrl < 0) {
		log_debug("%s", gone.msg);
		return 0;
	}
	return rdt_group_remove(resctrl, &h->state.rdt, e);
}

/* What cannot be taken away there is said, and holds nothing up. */
static void disconnect(const struct handle *h)
{
	auto_spec struct spec spec = { 0 };
	struct err e = { 0 };

	if (!h->begun || !h->executor->disconnect)
		return;
	if (store_load_config(h->dir, &spec, &e) < 0 || h->executor->disconnect(h->dir, &spec, &e) < 0)
		log_warn("%s", e.msg);
}

/* What create made goes, the missing parents too: runtime.md, "Delete". */
static int destroy_cgroup(struct handle *h, struct err *e)
{
	struct err why = { 0 };
	int r;

	if (!h->unsure) {
		h->cgroup.made = h->state.cgroup_made;
		return cgroup_destroy(&h->cgroup, e);
	}
	r = cgroup_destroy_unused(&h->cgroup, &why);
	if (r == -EBUSY) {
		log_warn("%s: it is not of container %s, whose create came no further, and stays",
			 why.msg, h->id);
		return 0;
	}
	return r < 0 ? err_set(e, -r, "%s", why.msg) : 0;
}

static int destroy(struct handle *h, const struct spec *known, struct err *e)
{
	TRY(kill_and_wait(h, e));
	disconnect(h);
	TRY(destroy_cgroup(h, e));
	TRY(remove_class(h, e));
	if (h->begun)
		run_poststop(h, known);
	return store_remove(h->root, h->id, e);
}

void container_fate_done(struct container_fate *fate)
{
	buf_done(&fate->lack);
	buf_done(&fate->held);
	buf_done(&fate->denied);
}

static int give_back(const struct runtime *rt, const char *id, bool force, const struct spec *known,
		     struct container_fate *fate, struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;
	int r = handle_open(&h, rt, id, e);

	if (r == 0 && h.cgroup.unit) /* systemd is to be asked */
		TRY(full_become(e));
	if (r == 0)
		r = handle_lock(&h, e);
	if (r == -ENOENT && force)
		return 0;
	TRY(r);
	if (!force && (h.state.status == STATE_RUNNING || h.state.status == STATE_PAUSED))
		return err_set(e, EBUSY, "cannot delete container %s that is not stopped: %s", id,
			       state_status_name(h.state.status));
	oom_log(&h.state);
	held_look(&h.cgroup, &h.state);
	held_log(&h.state);
	if (fate) {
		oom_describe(&h.state, &fate->lack);
		held_describe(&h.state, &fate->held);
	}
	return destroy(&h, known, e);
}

int container_delete(const struct runtime *rt, const char *id, bool force, struct err *e)
{
	return give_back(rt, id, force, NULL, NULL, e);
}

int container_end(const struct runtime *rt, const char *id, struct container_fate *ret,
		  struct err *e)
{
	return give_back(rt, id, true, NULL, ret, e);
}

int lifecycle_end(const struct runtime *rt, const char *id, const struct spec *spec,
		  struct container_fate *ret, struct err *e)
{
	return give_back(rt, id, true, spec, ret, e);
}

int container_state(const struct runtime *rt, const char *id, struct state *ret, struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;

	TRY(handle_open(&h, rt, id, e));
	if (!h.begun)
		return err_set(e, ENOENT, "container does not exist"); /* yet */
	held_look(&h.cgroup, &h.state);
	*ret = h.state;
	h.state = (struct state){ 0 };
	return 0;
}

int container_list(const struct runtime *rt, struct state_list *ret, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_fd int root = store_open_root(rt->root, false, e);
	struct state_list list = { 0 };
	struct strings ids;

	*ret = list;
	if (root == -ENOENT)
		return 0;
	TRY(root);
	TRY(store_list(root, &a, &ids, e));
	list.at = mem_zalloc(ids.n * sizeof(*list.at));
	for (size_t i = 0; i < ids.n; i++) {
		struct err one = { 0 };
		int r = container_state(rt, ids.at[i], &list.at[list.n], &one);

		if (r == 0)
			list.n++;
		else if (r != -ENOENT) /* a broken one must not hide the others */
			log_warn("container %s: %s", ids.at[i], one.msg);
	}
	*ret = list;
	return 0;
}

void state_list_done(struct state_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		state_done(&list->at[i]);
	free(list->at);
	*list = (struct state_list){ 0 };
}

int container_pids(const struct runtime *rt, const char *id, struct arena *a, struct pid_list *ret,
		   struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;

	TRY(handle_open(&h, rt, id, e));
	return h.executor->pids ? h.executor->pids(&h, a, ret, e) : executor_lacks(&h, "ps", e);
}

int container_processes(const struct runtime *rt, const char *id, struct buf *ret, struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;

	TRY(handle_open(&h, rt, id, e));
	if (!h.executor->processes)
		return 0;
	TRY(h.executor->processes(&h, ret, e));
	return 1;
}
