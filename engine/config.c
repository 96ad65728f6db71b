#include "engine/config.h"

#include <errno.h>
#include <string.h>

#include "base/json_decode.h"
#include "base/json_write.h"
#include "spec/names.h"

enum { SHM_SIZE = 64 * 1024 * 1024, TTY_GID = 5 };

/* What tells about, or changes, the machine rather than the container. */
static const char *const masked_paths[] = { "/proc/acpi",
					    "/proc/asound",
					    "/proc/interrupts",
					    "/proc/kcore",
					    "/proc/keys",
					    "/proc/latency_stats",
					    "/proc/sched_debug",
					    "/proc/scsi",
					    "/proc/timer_list",
					    "/proc/timer_stats",
					    "/sys/devices/virtual/powercap",
					    "/sys/firmware",
					    "/sys/fs/selinux",
					    NULL };
static const char *const readonly_paths[] = { "/proc/bus",           "/proc/fs",
					      "/proc/irq",           "/proc/sys",
					      "/proc/sysrq-trigger", NULL };

static void write_list(struct json_writer *w, const char *key, const char *const *list)
{
	json_write_array(w, key);
	for (; *list; list++)
		json_write_string(w, NULL, *list);
	json_write_end(w);
}

static void write_user(struct json_writer *w, const struct config_facts *f)
{
	const struct passwd_user *u = f->user;

	json_write_object(w, "user");
	json_write_uint(w, "uid", u->uid);
	json_write_uint(w, "gid", u->gid);
	if (f->umask.set)
		json_write_uint(w, "umask", f->umask.value);
	if (u->groups.n) {
		json_write_array(w, "additionalGids");
		for (size_t i = 0; i < u->groups.n; i++)
			json_write_uint(w, NULL, u->groups.at[i]);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_capabilities(struct json_writer *w, const struct config_facts *f)
{
	static const struct strings none = { 0 };
	/* Who is not root in the container starts with none, and can gain those of the bounding set. */
	const struct strings *own = f->user->uid == 0 ? &f->capabilities : &none;

	json_write_object(w, "capabilities");
	json_write_strings(w, "bounding", &f->capabilities);
	json_write_strings(w, "effective", own);
	json_write_strings(w, "permitted", own);
	json_write_end(w);
}

static void write_rlimits(struct json_writer *w, const struct config_facts *f)
{
	if (!f->rlimits.n)
		return;
	json_write_array(w, "rlimits");
	for (size_t i = 0; i < f->rlimits.n; i++) {
		json_write_object(w, NULL);
		json_write_string(w, "type",
				  json_name_of(spec_rlimit_names, f->rlimits.at[i].resource));
		json_write_uint(w, "hard", f->rlimits.at[i].hard);
		json_write_uint(w, "soft", f->rlimits.at[i].soft);
		json_write_end(w);
	}
	json_write_end(w);
}

static bool has_env(const struct strings *env, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->at[i], name, len) == 0 && env->at[i][len] == '=')
			return true;
	return false;
}

static void write_process(struct json_writer *w, const struct config_facts *f)
{
	const struct wish *wish = f->wish;
	auto_arena struct arena a = { 0 };

	json_write_object(w, "process");
	json_write_bool(w, "terminal", wish->terminal);
	write_user(w, f);
	json_write_array(w, "args");
	if (f->init)
		json_write_string(w, NULL, CONFIG_INIT);
	for (size_t i = 0; i < f->bundle->args.n; i++)
		json_write_string(w, NULL, f->bundle->args.at[i]);
	json_write_end(w);
	json_write_array(w, "env");
	for (size_t i = 0; i < f->bundle->env.n; i++)
		json_write_string(w, NULL, f->bundle->env.at[i]);
	if (!has_env(&f->bundle->env, "HOME"))
		json_write_string(w, NULL, arena_printf(&a, "HOME=%s", f->user->home));
	json_write_end(w);
	json_write_string(w, "cwd", f->bundle->cwd);
	write_capabilities(w, f);
	write_rlimits(w, f);
	json_write_bool(w, "noNewPrivileges", f->security.no_new_privileges);
	if (wish->oom_score_adj.set)
		json_write_int(w, "oomScoreAdj", wish->oom_score_adj.value);
	if (f->security.apparmor)
		json_write_string(w, "apparmorProfile", f->security.apparmor);
	json_write_end(w);
}

/* One mount; options end with NULL. */
static void write_mount(struct json_writer *w, const char *target, const char *type,
			const char *source, const char *const *options)
{
	json_write_object(w, NULL);
	json_write_string(w, "destination", target);
	json_write_string(w, "type", type);
	json_write_string(w, "source", source);
	write_list(w, "options", options);
	json_write_end(w);
}

static bool maps(const struct spec_idmaps *m, uint32_t id)
{
	if (!m->n)
		return true;
	for (size_t i = 0; i < m->n; i++)
		if (id >= m->at[i].container_id && id - m->at[i].container_id < m->at[i].size)
			return true;
	return false;
}

static void write_kernel_mounts(struct json_writer *w, const struct config_facts *f)
{
	const char *sys_mode = f->wish->privileged ? "rw" : "ro";
	const char *gid = maps(&f->gids, TTY_GID) ? "gid=5" : NULL;
	auto_arena struct arena a = { 0 };
	int64_t shm = f->wish->shm_size.set ? f->wish->shm_size.value : SHM_SIZE;

	write_mount(w, "/proc", "proc", "proc",
		    (const char *const[]){ "nosuid", "noexec", "nodev", NULL });
	write_mount(w, "/dev", "tmpfs", "tmpfs",
		    (const char *const[]){ "nosuid", "noexec", "strictatime", "mode=755",
					   "size=65536k", NULL });
	write_mount(w, "/dev/pts", "devpts", "devpts",
		    (const char *const[]){ "nosuid", "noexec", "newinstance", "ptmxmode=0666",
					   "mode=0620", gid, NULL });
	write_mount(w, "/dev/shm", "tmpfs", "shm",
		    (const char *const[]){ "nosuid", "noexec", "nodev", "mode=1777",
					   arena_printf(&a, "size=%lld", (long long)shm), NULL });
	if (!f->ipcns)
		write_mount(w, "/dev/mqueue", "mqueue", "mqueue",
			    (const char *const[]){ "nosuid", "noexec", "nodev", NULL });
	if (f->binds_sys)
		write_mount(w, "/sys", "none", "/sys",
			    (const char *const[]){ "rbind", "nosuid", "noexec", "nodev", "ro",
						   NULL });
	else
		write_mount(w, "/sys", "sysfs", "sysfs",
			    (const char *const[]){ "nosuid", "noexec", "nodev", sys_mode, NULL });
	write_mount(w, "/sys/fs/cgroup", "cgroup", "cgroup",
		    (const char *const[]){ "nosuid", "noexec", "nodev", "relatime", sys_mode,
					   NULL });
}

static void write_own_mount(struct json_writer *w, const struct config_mount *m)
{
	static const char *const of_tmpfs[] = { "noexec", "nosuid", "nodev" };
	const char *readonly = m->source && m->recursive && !m->is_shallow ? "rro" : "ro";

	json_write_object(w, NULL);
	json_write_string(w, "destination", m->target);
	json_write_string(w, "type", m->source ? "bind" : "tmpfs");
	json_write_string(w, "source", m->source ? m->source : "tmpfs");
	json_write_array(w, "options");
	if (m->source)
		json_write_string(w, NULL, m->recursive ? "rbind" : "bind");
	/* Unless its own options, which follow, say otherwise. */
	for (size_t i = 0; !m->source && i < ARRAY_LEN(of_tmpfs); i++)
		json_write_string(w, NULL, of_tmpfs[i]);
	json_write_string(w, NULL, m->readonly ? readonly : "rw");
	for (size_t i = 0; i < m->options.n; i++)
		json_write_string(w, NULL, m->options.at[i]);
	json_write_end(w);
	json_write_end(w);
}

static void write_mounts(struct json_writer *w, const struct config_facts *f)
{
	json_write_array(w, "mounts");
	write_kernel_mounts(w, f);
	for (size_t i = 0; i < f->mounts.n; i++)
		write_own_mount(w, &f->mounts.at[i]);
	json_write_end(w);
}

static void write_maps(struct json_writer *w, const char *key, const struct spec_idmaps *m)
{
	if (!m->n)
		return;
	json_write_array(w, key);
	for (size_t i = 0; i < m->n; i++) {
		json_write_object(w, NULL);
		json_write_uint(w, "containerID", m->at[i].container_id);
		json_write_uint(w, "hostID", m->at[i].host_id);
		json_write_uint(w, "size", m->at[i].size);
		json_write_end(w);
	}
	json_write_end(w);
}

/* `path`: NULL a new one, "" the host's, else what to join. */
static void write_namespace(struct json_writer *w, const char *type, const char *path)
{
	if (path && !*path)
		return;
	json_write_object(w, NULL);
	json_write_string(w, "type", type);
	if (path)
		json_write_string(w, "path", path);
	json_write_end(w);
}

static void write_namespaces(struct json_writer *w, const struct config_facts *f)
{
	json_write_array(w, "namespaces");
	write_namespace(w, "pid", f->pidns);
	write_namespace(w, "network", f->netns);
	write_namespace(w, "ipc", f->ipcns);
	write_namespace(w, "uts", f->utsns);
	write_namespace(w, "mount", NULL);
	write_namespace(w, "cgroup", f->cgroupns_host ? "" : NULL);
	if (f->uids.n)
		write_namespace(w, "user", f->userns);
	json_write_end(w);
}

static void write_device_rule(struct json_writer *w, const struct device_rule *r)
{
	char type[] = { r->type, '\0' };

	json_write_object(w, NULL);
	json_write_bool(w, "allow", true);
	json_write_string(w, "type", type);
	if (r->major >= 0)
		json_write_int(w, "major", r->major);
	if (r->minor >= 0)
		json_write_int(w, "minor", r->minor);
	json_write_string(w, "access", r->access);
	json_write_end(w);
}

static void write_device_rules(struct json_writer *w, const struct config_facts *f)
{
	json_write_array(w, "devices");
	json_write_object(w, NULL);
	json_write_bool(w, "allow", f->wish->privileged);
	json_write_string(w, "access", "rwm");
	json_write_end(w);
	for (size_t i = 0; !f->wish->privileged && i < f->devices.n; i++) {
		const struct config_device *d = &f->devices.at[i];

		write_device_rule(w, &(struct device_rule){ d->type == 'b' ? 'b' : 'c', d->major,
							    d->minor, d->access });
	}
	for (size_t i = 0; !f->wish->privileged && i < f->device_rules.n; i++)
		write_device_rule(w, &f->device_rules.at[i]);
	json_write_end(w);
}

/* Docker's --memory alone lets as much be swapped again. */
static void write_memory(struct json_writer *w, const struct wish *wish)
{
	if (!wish->memory.set && !wish->memory_swap.set && !wish->memory_reservation.set)
		return;
	json_write_object(w, "memory");
	if (wish->memory.set)
		json_write_int(w, "limit", wish->memory.value);
	if (wish->memory_swap.set)
		json_write_int(w, "swap", wish->memory_swap.value);
	else if (wish->memory.set && wish->memory.value > 0)
		json_write_int(w, "swap", 2 * wish->memory.value);
	if (wish->memory_reservation.set)
		json_write_int(w, "reservation", wish->memory_reservation.value);
	json_write_end(w);
}

static int write_cpu(struct json_writer *w, const struct wish *wish, struct err *e)
{
	uint64_t period = wish->cpu_period.value;
	int64_t quota = (int64_t)wish->cpu_quota.value;

	if (wish->cpus && (wish->cpu_quota.set || wish->cpu_period.set))
		return err_set(e, EINVAL,
			       "--cpus: it says the same as --cpu-quota and "
			       "--cpu-period, which were given too");
	if (wish->cpus)
		TRY(wish_cpus(wish->cpus, &quota, &period, e));
	if (!quota && !period && !wish->cpu_shares.set && !wish->cpuset_cpus && !wish->cpuset_mems)
		return 0;
	json_write_object(w, "cpu");
	if (wish->cpu_shares.set)
		json_write_uint(w, "shares", wish->cpu_shares.value);
	if (quota)
		json_write_int(w, "quota", quota);
	if (period)
		json_write_uint(w, "period", period);
	if (wish->cpuset_cpus)
		json_write_string(w, "cpus", wish->cpuset_cpus);
	if (wish->cpuset_mems)
		json_write_string(w, "mems", wish->cpuset_mems);
	json_write_end(w);
	return 0;
}

static int write_resources(struct json_writer *w, const struct config_facts *f, struct err *e)
{
	json_write_object(w, "resources");
	/* In a user namespace no node can be made, so there is nothing to rule. */
	if (!f->uids.n)
		write_device_rules(w, f);
	write_memory(w, f->wish);
	TRY(write_cpu(w, f->wish, e));
	if (f->wish->pids_limit.set) {
		json_write_object(w, "pids");
		json_write_int(w, "limit", f->wish->pids_limit.value);
		json_write_end(w);
	}
	json_write_end(w);
	return 0;
}

static void write_devices(struct json_writer *w, const struct config_facts *f)
{
	if (!f->devices.n)
		return;
	json_write_array(w, "devices");
	for (size_t i = 0; i < f->devices.n; i++) {
		const struct config_device *d = &f->devices.at[i];

		json_write_object(w, NULL);
		json_write_string(w, "path", d->path);
		json_write_string(w, "type", d->type == 'b' ? "b" : "c");
		json_write_uint(w, "major", d->major);
		json_write_uint(w, "minor", d->minor);
		json_write_uint(w, "fileMode", d->mode);
		json_write_uint(w, "uid", d->uid);
		json_write_uint(w, "gid", d->gid);
		json_write_end(w);
	}
	json_write_end(w);
}

static int write_linux(struct json_writer *w, const struct config_facts *f, struct err *e)
{
	json_write_object(w, "linux");
	write_maps(w, "uidMappings", &f->uids);
	write_maps(w, "gidMappings", &f->gids);
	write_namespaces(w, f);
	write_devices(w, f);
	if (f->cgroups_path)
		json_write_string(w, "cgroupsPath", f->cgroups_path);
	TRY(write_resources(w, f, e));
	if (f->sysctl.n) {
		json_write_object(w, "sysctl");
		for (size_t i = 0; i < f->sysctl.n; i++)
			json_write_string(w, f->sysctl.at[i].key, f->sysctl.at[i].value);
		json_write_end(w);
	}
	if (f->seccomp)
		json_write_raw(w, "seccomp", f->seccomp);
	if (!f->security.unmask) {
		write_list(w, "maskedPaths", masked_paths);
		write_list(w, "readonlyPaths", readonly_paths);
	}
	json_write_end(w);
	return 0;
}

int config_write(const struct config_facts *f, struct buf *ret, struct err *e)
{
	struct json_writer w = json_writer(ret, " ");

	json_write_object(&w, NULL);
	json_write_string(&w, "ociVersion", SPEC_VERSION);
	write_process(&w, f);
	json_write_object(&w, "root");
	json_write_string(&w, "path", "rootfs");
	json_write_bool(&w, "readonly", f->wish->read_only);
	json_write_end(&w);
	if (f->hostname)
		json_write_string(&w, "hostname", f->hostname);
	write_mounts(&w, f);
	TRY(write_linux(&w, f, e));
	if (f->bundle->annotations.n) {
		json_write_object(&w, "annotations");
		for (size_t i = 0; i < f->bundle->annotations.n; i++)
			json_write_string(&w, f->bundle->annotations.at[i].key,
					  f->bundle->annotations.at[i].value);
		json_write_end(&w);
	}
	json_write_end(&w);
	return 0;
}
