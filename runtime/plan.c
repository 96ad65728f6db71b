#include "runtime/plan.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "base/io.h"
#include "process/notify.h"
#include "process/rlimits.h"
#include "security/lsm.h"
#include "security/seccomp_cache.h"

static int plan_capabilities(struct plan *p, struct err *e)
{
	struct caps_facts facts;

	TRY(caps_facts_read(&facts, e));
	if (p->user_namespace)
		facts = caps_facts_in_userns(&facts);
	caps_plan(p->process->capabilities, &facts, &p->arena, &p->caps);
	return 0;
}

/*
 * A filter can be loaded with no_new_privs or with CAP_SYS_ADMIN. With the
 * latter, the capability stays permitted until it is loaded, and no longer.
 */
static int plan_seccomp(struct plan *p, struct err *e)
{
	struct caps_facts facts;

	if (!p->spec->linux.seccomp)
		return 0;
	if (seccomp_notifies(p->spec->linux.seccomp)) {
		TRY(caps_facts_read(&facts, e));
		p->shows_itself = !(facts.permitted & CAPS_BIT(CAP_SYS_PTRACE));
	}
	if (!p->process->no_new_privileges)
		p->caps_until_filter = CAPS_BIT(CAP_SYS_ADMIN);
	return 0;
}

static int plan_process(struct plan *p, const struct strings *extra_caps, struct err *e)
{
	struct caps_facts facts;
	struct lsm_facts lsm;

	if (!p->process)
		return 0;
	p->terminal = p->process->terminal;
	if (p->process->apparmor_profile || p->process->selinux_label) {
		lsm_facts_read(&lsm);
		TRY(lsm_check(p->process, &lsm, e));
	}
	TRY(plan_capabilities(p, e));
	if (extra_caps && extra_caps->n) {
		TRY(caps_facts_read(&facts, e));
		TRY(caps_plan_add(&p->caps, extra_caps, &facts, e));
	}
	return plan_seccomp(p, e);
}

/* Hooks that hull runs then, or init runs next: from there on poststop hooks have their turn. */
static bool has_any_hook(const struct spec *s)
{
	return s->hooks[SPEC_HOOK_PRESTART].n || s->hooks[SPEC_HOOK_CREATE_RUNTIME].n ||
	       s->hooks[SPEC_HOOK_CREATE_CONTAINER].n;
}

static int plan_cpus(const char *list, const char *member, struct arena *a,
		     const struct number_set **ret, struct err *e)
{
	struct number_set *set = arena_alloc(a, sizeof(*set));

	if (!list)
		return 0;
	if (number_set_parse(list, a, set, e) < 0)
		return err_wrap(e, "process.execCPUAffinity.%s", member);
	*ret = set;
	return 0;
}

static int plan_memory(struct plan *p, struct err *e)
{
	if (!p->spec->linux.memory_policy)
		return 0;
	return memory_plan(p->spec->linux.memory_policy, &p->arena, &p->memory, e);
}

static void plan_namespaces(struct plan *p, const struct host *host)
{
	ns_plan(p->spec, &p->namespaces);
	p->user_namespace = ns_is_own(&p->namespaces, SPEC_NS_USER);
	p->writes_maps = p->namespaces.clone & ns_kinds[SPEC_NS_USER].flag;
	/* In a joined mount namespace the host's paths are those that it has. */
	p->parent_opens = host->privileged && !p->namespaces.paths[SPEC_NS_MOUNT];
}

/*
 * The container's cgroup, as who binds it sees it. A descriptor is of the parent's mounts, of which
 * a child in another mount namespace can bind nothing; it has the same at the same place.
 */
static const char *cgroup_dir(struct plan *p, const struct host *host)
{
	if (!p->cgroup.path)
		return NULL;
	return arena_printf(&p->arena, "%s%s",
			    p->parent_opens ? io_fd_path(host->cgroups.fd).text
					    : host->cgroups.place,
			    p->cgroup.path);
}

static int plan_mounts(struct plan *p, const struct plan_request *req, const struct host *host,
		       struct err *e)
{
	const struct mount_facts facts = {
		.host_opens = p->parent_opens,
		.user_namespace = p->user_namespace || host->in_user_namespace,
		.mount_namespace = ns_is_own(&p->namespaces, SPEC_NS_MOUNT),
		.joined_mounts = p->namespaces.paths[SPEC_NS_MOUNT],
		.cgroup_namespace = ns_is_own(&p->namespaces, SPEC_NS_CGROUP),
		.no_pivot = req->no_pivot,
		.notify_dir = req->notify_dir,
		.notify_target = NOTIFY_TARGET,
		.cgroup_dir = cgroup_dir(p, host),
	};
	struct lsm_facts lsm;

	if (p->spec->linux.mount_label) {
		lsm_facts_read(&lsm);
		TRY(lsm_check_mounts(p->spec->linux.mount_label, &lsm, e));
	}
	TRY(mount_plan(p->spec, p->rootfs, &facts, &p->arena, &p->mounts, e));
	if (req->overlay && !p->mounts.own_namespace)
		return err_set(e, EINVAL, "a root file system of layers needs a mount namespace");
	p->mounts.overlay = req->overlay;
	return 0;
}

int plan_create(const struct spec *s, const struct plan_request *req, const struct host *host,
		struct plan *ret, struct err *e)
{
	*ret = (struct plan){ .spec = s,
			      .process = s->process,
			      .id = req->id,
			      .bundle = req->bundle,
			      .rootfs = req->rootfs,
			      .listen_fds = req->listen_fds,
			      .preserve_fds = req->listen_fds + req->preserve_fds,
			      .sockets = req->sockets,
			      .socket_names = req->socket_names,
			      .notifies = req->notify_dir,
			      .new_keyring = !req->no_new_keyring };

	plan_namespaces(ret, host);
	TRY(plan_memory(ret, e));
	if (!req->cgroups_disabled)
		TRY(cgroup_plan(&ret->arena, &host->cgroups, s, req->id, &ret->cgroup, e));
	TRY(plan_mounts(ret, req, host, e));
	ret->meets_prepared = has_any_hook(s) || s->linux.net_devices.n;
	return plan_process(ret, NULL, e);
}

int plan_exec(const struct spec *s, const struct spec_process *process, const struct strings *caps,
	      const struct plan_request *req, struct plan *ret, struct err *e)
{
	*ret = (struct plan){ .spec = s,
			      .process = process,
			      .id = req->id,
			      .bundle = req->bundle,
			      .rootfs = req->rootfs,
			      .preserve_fds = req->preserve_fds,
			      .new_keyring = !req->no_new_keyring };

	ret->user_namespace = spec_namespace(s, SPEC_NS_USER);
	if (process->exec_cpu_affinity) {
		TRY(plan_cpus(process->exec_cpu_affinity->initial, "initial", &ret->arena,
			      &ret->first_cpus, e));
		TRY(plan_cpus(process->exec_cpu_affinity->final, "final", &ret->arena, &ret->cpus,
			      e));
	}
	return plan_process(ret, caps, e);
}

void plan_limits(struct plan *p)
{
	p->raises_limits = p->process && rlimits_raise(p->process);
	p->meets_prepared |= p->raises_limits;
}

int plan_filter(struct plan *p, int root, bool apart, struct err *e)
{
	if (!p->process || !p->spec->linux.seccomp)
		return 0;
	return seccomp_cache_get(root, p->spec->linux.seccomp, apart, &p->arena, &p->seccomp, e);
}

void plan_done(struct plan *p)
{
	arena_done(&p->arena);
	*p = (struct plan){ 0 };
}
