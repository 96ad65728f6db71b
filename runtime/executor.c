#include "runtime/executor.h"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>

#include "cgroups/procs.h"

int executor_find(const struct runtime *rt, const char *name, const struct executor **ret,
		  struct err *e)
{
	*ret = &executor_process;
	if (!name || strcmp(name, executor_process.name) == 0)
		return 0;
	for (const struct executor *const *x = rt->executors; x && *x; x++) {
		*ret = *x;
		if (strcmp((*x)->name, name) == 0)
			return 0;
	}
	return err_set(e, ENOTSUP, "isolation \"%s\" is not in this version of hull", name);
}

int executor_choose(const struct runtime *rt, const struct spec *s, const struct executor **ret,
		    struct err *e)
{
	const char *asked = spec_annotation(s, EXECUTOR_ANNOTATION);

	if (asked && rt->isolation && strcmp(asked, rt->isolation) != 0)
		return err_set(e, EINVAL,
			       "annotation " EXECUTOR_ANNOTATION
			       ": \"%s\" contradicts the command, which says %s",
			       asked, rt->isolation);
	if (executor_find(rt, asked ? asked : rt->isolation, ret, e) < 0)
		return asked ? err_wrap(e, "annotation " EXECUTOR_ANNOTATION) : -e->code;
	return 0;
}

int executor_lacks(const struct handle *h, const char *verb, struct err *e)
{
	return err_set(e, ENOTSUP,
		       "%s is not supported yet for container %s, whose isolation is %s", verb,
		       h->id, h->executor->name);
}

int executor_signal_init(const struct handle *h, int signal, struct err *e)
{
	if (h->pidfd < 0 || pidfd_send_signal(h->pidfd, signal, NULL, 0) < 0) {
		if (h->pidfd < 0 || errno == ESRCH)
			return err_set(e, ESRCH, "container not running");
		return err_sys(e, "signal the container's process %d", h->state.pid);
	}
	/* A frozen process dies only when its cgroup is told to (cgroup v2: it need not be thawed). */
	return 0;
}

int executor_freeze_cgroup(struct handle *h, bool frozen, struct err *e)
{
	if (h->cgroup.fd < 0)
		return err_set(e, ENOTSUP, "%s container %s: it has no cgroup of its own",
			       frozen ? "pause" : "resume", h->id);
	return cgroup_freeze(&h->cgroup, frozen, e);
}
