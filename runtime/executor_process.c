/*
 * executor_process.c - processes in namespaces: the verbs that differ from other executors'.
 */
#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>

#include "cgroups/procs.h"
#include "runtime/exec.h"
#include "runtime/executor.h"
#include "runtime/init.h"
#include "runtime/pid_namespace.h"
#include "runtime/store.h"
#include "runtime/update.h"

static int process_check(const struct spec *s, const struct create_request *req UNUSED,
			 struct err *e)
{
	if (s->vm)
		return err_set(e, ENOTSUP,
			       "vm: this container is to be processes; a microVM is "
			       "asked for by --isolation vm");
	return 0;
}

static int has_own_pid_namespace(const struct handle *h, struct err *e)
{
	auto_spec struct spec spec = { 0 };
	const struct spec_namespace *ns;

	TRY(store_load_config(h->dir, &spec, e));
	ns = spec_namespace(&spec, SPEC_NS_PID);
	return ns && !ns->path;
}

/* kill --all where there is no cgroup: a PID namespace of its own tells who belongs to it. */
static int signal_namespace(const struct handle *h, int signal, struct err *e)
{
	int own;

	if (!h->begun)
		return err_set(e, ESRCH, "container not running");
	if (h->state.cgroup && h->pidfd < 0)
		return 0; /* there was one, and it is gone only when nobody is left in it */
	own = has_own_pid_namespace(h, e);
	TRY(own);
	if (!own)
		return err_set(e, ENOTSUP,
			       "signal all processes of container %s: it has neither a cgroup nor "
			       "a PID namespace of its own that tells them from others",
			       h->id);
	if (h->pidfd < 0)
		return 0; /* they ended with init */
	if (signal != SIGKILL)
		return pid_namespace_signal(h->state.pid, h->pidfd, signal, e);
	if (pidfd_send_signal(h->pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(e, "kill the container's process %d", h->state.pid);
	return 0;
}

static int signal_all(const struct handle *h, int signal, struct err *e)
{
	if (h->cgroup.fd < 0)
		return signal_namespace(h, signal, e);
	return signal == SIGKILL ? cgroup_kill(&h->cgroup, e)
				 : cgroup_signal(&h->cgroup, signal, e);
}

static int process_kill(const struct handle *h, int signal, bool all, struct err *e)
{
	return all ? signal_all(h, signal, e) : executor_signal_init(h, signal, e);
}

static int process_pids(const struct handle *h, struct arena *a, struct pid_list *ret,
			struct err *e)
{
	struct cgroup_pids pids = { 0 };

	if (h->cgroup.fd >= 0)
		TRY(cgroup_pids(&h->cgroup, a, &pids, e));
	else if (h->pidfd >= 0)
		return err_set(e, ENOTSUP,
			       "list the processes of container %s: it has no cgroup of its own",
			       h->id);
	ret->at = pids.at;
	ret->n = pids.n;
	return 0;
}

const struct executor executor_process = {
	.name = "process",
	.makes = FOR_CREATE,
	.check = process_check,
	.exec = exec_process,
	.kill = process_kill,
	.freeze = executor_freeze_cgroup,
	.update = update_cgroup,
	.pids = process_pids,
};
