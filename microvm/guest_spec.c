#include "microvm/guest_spec.h"

#include <errno.h>
#include <string.h>

#include "microvm/disk.h"
#include "microvm/machine.h"
#include "microvm/vsock_host.h"
#include "security/seccomp.h"

enum {
	MIB = 1024 * 1024,
	MEMORY_DEFAULT = 512 * MIB,
};

static bool has_option(const struct spec_mount *m, const char *name)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.at[i], name) == 0)
			return true;
	return false;
}

/* A file system of the kernel, which is to be the guest's kernel; all else is bound by the host. */
static bool is_guests(const struct spec_mount *m)
{
	return !has_option(m, "bind") && !has_option(m, "rbind") &&
	       !(m->type && strcmp(m->type, "bind") == 0);
}

/* Compares paths by their components; "a//b/./" is "a/b". True for the path itself. */
static bool is_beneath(const char *path, const char *of)
{
	for (;;) {
		size_t n, k;

		path += strspn(path, "/");
		of += strspn(of, "/");
		n = strcspn(path, "/");
		k = strcspn(of, "/");
		if (k == 0)
			return true;
		if (k == 1 && of[0] == '.') {
			of += k;
			continue;
		}
		if (n == 1 && path[0] == '.') {
			path += n;
			continue;
		}
		if (n != k || memcmp(path, of, n) != 0)
			return false;
		path += n;
		of += k;
	}
}

static bool has_dots(const char *path)
{
	for (;;) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0)
			return false;
		if (n == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += n;
	}
}

static bool is_covered(const struct spec *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_guests(&s->mounts.at[k]) &&
		    is_beneath(s->mounts.at[i].destination, s->mounts.at[k].destination))
			return true;
	return false;
}

static int check_mounts(const struct spec *s, struct err *e)
{
	for (size_t i = 0; i < s->mounts.n; i++) {
		const struct spec_mount *m = &s->mounts.at[i];

		if (has_dots(m->destination))
			return err_set(e, ENOTSUP,
				       "mounts[%zu].destination: \"%s\": \"..\" is not supported "
				       "in a microVM",
				       i, m->destination);
		if (has_option(m, "remount"))
			return err_set(e, ENOTSUP,
				       "mounts[%zu]: remount is not supported in a microVM", i);
	}
	return 0;
}

/* Of the host's devices a guest has none; those that every kernel makes up it has itself. */
static int check_devices(const struct spec *s, struct err *e)
{
	for (size_t i = 0; i < s->linux.devices.n; i++) {
		const struct spec_device *d = &s->linux.devices.at[i];
		bool own = d->type == 'p' || (d->type == 'c' && (d->major == 1 || d->major == 5)) ||
			   (d->type == 'c' && d->major == 10 && d->minor == 229); /* fuse */

		if (!own)
			return err_set(e, ENOTSUP,
				       "linux.devices[%zu]: %s is a device of the host, which a "
				       "microVM can't use",
				       i, d->path);
	}
	return 0;
}

static int check_namespaces(const struct spec *s, struct err *e)
{
	static const struct {
		enum spec_ns type;
		const char *name;
		bool needed, joinable;
	} rows[] = {
		{ SPEC_NS_PID, "pid", true, false },    { SPEC_NS_MOUNT, "mount", true, false },
		{ SPEC_NS_IPC, "ipc", false, false },   { SPEC_NS_UTS, "uts", false, false },
		{ SPEC_NS_TIME, "time", false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct spec_namespace *ns = spec_namespace(s, rows[i].type);

		if (!ns && rows[i].needed)
			return err_set(e, ENOTSUP,
				       "linux.namespaces: without one of type %s the container "
				       "would share the host's, which a microVM can't",
				       rows[i].name);
		if (ns && ns->path && !rows[i].joinable)
			return err_set(e, ENOTSUP,
				       "linux.namespaces: a microVM can't join a namespace of "
				       "type %s (%s)",
				       rows[i].name, ns->path);
	}
	return 0;
}

static int check_vm(const struct spec_vm *vm, struct err *e)
{
	if (!vm)
		return 0;
	if (vm->hypervisor.path)
		return err_set(e, ENOTSUP, "vm.hypervisor.path: hull is its own hypervisor");
	if (vm->kernel.initrd)
		return err_set(e, ENOTSUP, "vm.kernel.initrd: hull makes its own");
	if (vm->image.path)
		return err_set(
			e, ENOTSUP,
			"vm.image: the machine's own root is hull's; annotation " DISK_ANNOTATION
			" names an image for the container's");
	if (vm->hw_config.device_tree || vm->hw_config.dtdevs.n || vm->hw_config.iomems.n ||
	    vm->hw_config.irqs.n)
		return err_set(e, ENOTSUP,
			       "vm.hwConfig: only vcpus and memory are in this version of hull");
	return 0;
}

int guest_spec_check(const struct spec *s, struct err *e)
{
	const struct spec_process *p = s->process;
	const char *disk = spec_annotation(s, DISK_ANNOTATION);
	const char *vsock = spec_annotation(s, VSOCK_ANNOTATION);

	TRY(check_vm(s->vm, e));
	if (disk && disk[0] != '/')
		return err_set(e, EINVAL,
			       "annotation " DISK_ANNOTATION
			       ": must be an absolute path, not \"%s\"",
			       disk);
	if (vsock)
		TRY(vsock_check_path(vsock, e));
	TRY(check_namespaces(s, e));
	TRY(check_mounts(s, e));
	TRY(check_devices(s, e));
	if (seccomp_notifies(s->linux.seccomp))
		return err_set(e, ENOTSUP,
			       "linux.seccomp: SCMP_ACT_NOTIFY can't reach out of a microVM");
	if (!p)
		return err_set(e, ENOTSUP, "a microVM without a process is not supported");
	if (p->apparmor_profile)
		return err_set(e, ENOTSUP,
			       "process.apparmorProfile: the guest has no profiles of the host's");
	if (p->selinux_label || s->linux.mount_label)
		return err_set(e, ENOTSUP,
			       "process.selinuxLabel, linux.mountLabel: the guest has no policy of "
			       "the host's");
	return 0;
}

bool guest_spec_has_network(const struct spec *s)
{
	/* containerd's CRI; CRI-O and Podman */
	static const char *const pod_keys[] = { "io.kubernetes.cri.container-type",
						"io.kubernetes.cri-o.ContainerType" };

	for (size_t i = 0; i < ARRAY_LEN(pod_keys); i++) {
		const char *type = spec_annotation(s, pod_keys[i]);

		if (type && strcmp(type, "sandbox") == 0)
			return false;
	}
	return spec_namespace(s, SPEC_NS_NETWORK) != NULL;
}

static void drop_namespace(struct spec *s, enum spec_ns type)
{
	size_t n = 0;

	for (size_t i = 0; i < s->linux.namespaces.n; i++)
		if (s->linux.namespaces.at[i].type != type)
			s->linux.namespaces.at[n++] = s->linux.namespaces.at[i];
	s->linux.namespaces.n = n;
}

void guest_spec_for_host(struct spec *s, struct strings *ret_targets)
{
	struct spec_process *p = arena_alloc(&s->arena, sizeof(*p));
	struct spec_mount *kept = arena_array(&s->arena, s->mounts.n, sizeof(*kept));
	size_t n = 0;

	*ret_targets = (struct strings){ arena_array(&s->arena, s->mounts.n, sizeof(char *)), 0 };
	for (size_t i = 0; i < s->mounts.n; i++) {
		if (!is_guests(&s->mounts.at[i]))
			kept[n++] = s->mounts.at[i];
		else if (!is_covered(s, i))
			ret_targets->at[ret_targets->n++] = s->mounts.at[i].destination;
	}
	s->mounts.at = kept;
	s->mounts.n = n;
	s->linux.masked_paths.n = s->linux.readonly_paths.n = 0;
	s->linux.devices.n = 0;
	s->linux.time_offsets.n = 0;
	s->linux.resources.pids_limit.set = false; /* of the guest's; the VMM's threads are few */
	s->vm = NULL;
	/* The VMM ends as the guest's process did, which a PID namespace's first can't: signal(7). */
	drop_namespace(s, SPEC_NS_PID);
	drop_namespace(s, SPEC_NS_TIME);
	if (!s->process)
		return;
	*p = *s->process;
	p->rlimits.n = 0;
	s->process = p;
}

/* What the host has done to a bind, with its own paths and ids: not to be done again. */
static bool is_done(const char *option)
{
	static const char *const done[] = { "idmap", "ridmap", "src-nofollow", "copy-symlink" };

	for (size_t i = 0; i < ARRAY_LEN(done); i++) {
		size_t n = strlen(done[i]);

		if (strncmp(option, done[i], n) == 0 && (option[n] == '\0' || option[n] == '='))
			return true;
	}
	return false;
}

/* What the host has bound in its root is bound once more: the source is found there. */
static void rebind(struct spec *s, struct spec_mount *m)
{
	struct strings options = { arena_array(&s->arena, m->options.n + 1, sizeof(char *)), 0 };

	for (size_t i = 0; i < m->options.n; i++)
		if (!is_done(m->options.at[i]))
			options.at[options.n++] = m->options.at[i];
	m->options = options;
	m->uid_mappings.n = m->gid_mappings.n = 0;
	m->source = m->destination;
	m->type = "bind";
}

void guest_spec_for_guest(struct spec *s, bool is_root)
{
	static const enum spec_ns own[] = { SPEC_NS_PID, SPEC_NS_MOUNT, SPEC_NS_IPC, SPEC_NS_UTS,
					    SPEC_NS_CGROUP };
	struct spec_mount *kept = arena_array(&s->arena, s->mounts.n, sizeof(*kept));
	struct spec_namespace *namespaces =
		arena_array(&s->arena, ARRAY_LEN(own) + 1, sizeof(*namespaces));
	size_t n = 0;

	for (size_t i = 0; i < s->mounts.n; i++) {
		if (is_root && !is_guests(&s->mounts.at[i]) && !is_covered(s, i))
			continue;
		kept[n] = s->mounts.at[i];
		if (!is_guests(&kept[n]))
			rebind(s, &kept[n]);
		n++;
	}
	s->mounts.at = kept;
	s->mounts.n = n;
	for (n = 0; n < ARRAY_LEN(own); n++)
		namespaces[n].type = own[n];
	if (spec_namespace(s, SPEC_NS_TIME))
		namespaces[n++].type = SPEC_NS_TIME;
	s->linux.namespaces.at = namespaces;
	s->linux.namespaces.n = n;
	s->linux.uid_mappings.n = s->linux.gid_mappings.n = 0;
	s->linux.cgroups_path = NULL;
	s->linux.resources =
		(struct spec_resources){ .pids_limit = s->linux.resources.pids_limit };
	s->linux.rootfs_propagation = 0;
	/* Each of the host's mounts is or is not; in a root of the host's they are all one to the guest. */
	s->root.readonly = s->root.readonly && !is_root;
	for (int kind = 0; kind < SPEC_HOOK_KINDS; kind++)
		if (kind != SPEC_HOOK_START_CONTAINER)
			s->hooks[kind].n = 0;
	s->vm = NULL;
}

int guest_spec_memory(const struct spec *s, uint64_t *ret, struct err *e)
{
	const struct opt_i64 *limit = &s->linux.resources.memory.limit;
	bool given = s->vm && s->vm->hw_config.memory.set;
	const char *what = given ? "vm.hwConfig.memory" : "linux.resources.memory.limit";

	*ret = MEMORY_DEFAULT;
	if (given)
		*ret = s->vm->hw_config.memory.value;
	else if (limit->set && limit->value > 0)
		*ret = (uint64_t)limit->value < GUEST_MEMORY_OWN ? 0
							   : (uint64_t)limit->value - GUEST_MEMORY_OWN;
	*ret &= ~(uint64_t)(2 * MIB - 1);
	if (*ret < MACHINE_MEMORY_MIN)
		return err_set(e, EINVAL, "%s: too little for a microVM, which needs %d MiB", what,
			       (MACHINE_MEMORY_MIN + (given ? 0 : GUEST_MEMORY_OWN)) / MIB);
	if (*ret > UINT64_C(1) << 40)
		return err_set(e, EINVAL, "%s: more than the 1 TiB that a microVM can have", what);
	return 0;
}

int guest_spec_cpus(const struct spec *s, unsigned *ret, struct err *e)
{
	const struct spec_cpu *cpu = &s->linux.resources.cpu;
	uint64_t period = cpu->period.set && cpu->period.value ? cpu->period.value : 100000;
	uint64_t n = 1;

	if (s->vm && s->vm->hw_config.vcpus.set) {
		n = s->vm->hw_config.vcpus.value;
		if (n == 0 || n > MACHINE_CPUS_MAX)
			return err_set(e, EINVAL, "vm.hwConfig.vcpus: %llu is not from 1 to %d",
				       (unsigned long long)n, MACHINE_CPUS_MAX);
	} else if (cpu->quota.set && cpu->quota.value > 0) {
		n = ((uint64_t)cpu->quota.value + period - 1) / period;
	}
	*ret = n > MACHINE_CPUS_MAX ? MACHINE_CPUS_MAX : (unsigned)n;
	return 0;
}

int guest_spec_balloon(uint64_t memory, int64_t limit, uint32_t *ret, struct err *e)
{
	uint64_t needed = memory + GUEST_MEMORY_OWN;

	*ret = 0;
	if (limit <= 0 || (uint64_t)limit >= needed)
		return 0;
	if (limit < MACHINE_MEMORY_MIN + GUEST_MEMORY_OWN)
		return err_set(e, EINVAL,
			       "update: a memory limit of %lld is too little for a microVM, which "
			       "needs %d MiB",
			       (long long)limit, (MACHINE_MEMORY_MIN + GUEST_MEMORY_OWN) / MIB);
	*ret = (uint32_t)((needed - (uint64_t)limit) / 4096);
	return 0;
}
