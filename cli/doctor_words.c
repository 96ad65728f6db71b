#include "cli/doctor_words.h"

#include <errno.h>
#include <string.h>

#include "base/json_write.h"

/* The oldest kernel with all that hull stands on: mount_setattr(2). */
enum { KERNEL_MAJOR = 5, KERNEL_MINOR = 12 };

/* What one function looks at and where it puts its line. */
struct visit {
	const struct doctor_facts *f;
	struct arena *arena;
	struct doctor_line *line;
};

static void ok(const struct visit *v, const char *text)
{
	v->line->text = text;
}

static void missing(const struct visit *v, const char *text, const char *mend)
{
	v->line->health = HEALTH_MISSING;
	v->line->text = text;
	v->line->mend = mend;
}

static void failed(const struct visit *v, const char *text, const char *mend)
{
	missing(v, text, mend);
	v->line->health = HEALTH_FAILED;
}

static bool is_root(const struct visit *v)
{
	return !v->f->rootless;
}

static const char *user_name(const struct visit *v)
{
	return v->f->user ? v->f->user : arena_printf(v->arena, "%u", (unsigned)v->f->uid);
}

/* Now, and at the next boot. */
static const char *set_sysctl(const struct visit *v, const char *key, const char *value)
{
	return arena_printf(v->arena,
			    "echo %s = %s | sudo tee --append /etc/sysctl.d/60-hull.conf && "
			    "sudo sysctl --load=/etc/sysctl.d/60-hull.conf",
			    key, value);
}

static const char *install(const struct visit *v, const char *package)
{
	return arena_printf(v->arena, "sudo apt-get install %s", package);
}

#define UNIFIED_ONLY                                                                           \
	"add \"systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all\" to the kernel's command " \
	"line (GRUB_CMDLINE_LINUX in /etc/default/grub, then sudo update-grub) and reboot"

#define DELEGATE_ALL                                                                    \
	"printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo install -D " \
	"--mode=644 /dev/stdin /etc/systemd/system/user@.service.d/delegate.conf && "   \
	"sudo systemctl daemon-reload, and log in again"

/* The lines */

static void look_at_kernel(const struct visit *v)
{
	const struct doctor_facts *f = v->f;
	const char *text = arena_printf(v->arena, "Linux %s", f->kernel ? f->kernel : "unknown");

	if (f->kernel_major == 0)
		missing(v, arena_printf(v->arena, "%s: no version that hull understands", text),
			NULL);
	else if (f->kernel_major < KERNEL_MAJOR ||
		 (f->kernel_major == KERNEL_MAJOR && f->kernel_minor < KERNEL_MINOR))
		failed(v,
		       arena_printf(v->arena, "%s is older than %d.%d", text, KERNEL_MAJOR,
				    KERNEL_MINOR),
		       "install a newer kernel and reboot");
	else
		ok(v, text);
}

static void look_at_namespaces(const struct visit *v)
{
	int r = v->f->probes.namespaces;

	if (r > 0)
		failed(v,
		       arena_printf(v->arena,
				    "mount, pid, network, uts, ipc and cgroup namespaces "
				    "can't be made: %s",
				    err_text(r)),
		       is_root(v) ? "run hull where root has CAP_SYS_ADMIN: outside of this "
				    "container, or in one with more privileges"
				  : "see user-namespaces");
	else if (r < 0)
		missing(v, "could not be tried", NULL);
	else
		ok(v, "mount, pid, network, uts, ipc and cgroup");
}

/* Why there are none: the first reason that the files have, else the errno. */
static const char *why_no_user_namespaces(const struct visit *v, const char **ret_mend)
{
	const struct doctor_facts *f = v->f;

	*ret_mend = NULL;
	if (!f->has_user_namespaces) {
		*ret_mend = "boot a kernel with CONFIG_USER_NS=y";
		return "the kernel has none";
	}
	if (f->user_namespaces_max.set && f->user_namespaces_max.value == 0) {
		*ret_mend = set_sysctl(v, "user.max_user_namespaces", "63359");
		return "the sysctl user.max_user_namespaces is 0";
	}
	if (is_root(v) && f->probes.user_namespace <= 0)
		return NULL;
	if (!is_root(v) && f->user_namespaces_users.set && f->user_namespaces_users.value == 0) {
		*ret_mend = set_sysctl(v, "kernel.unprivileged_userns_clone", "1");
		return "the sysctl kernel.unprivileged_userns_clone is 0";
	}
	if (!is_root(v) && f->user_namespaces_apparmor.set &&
	    f->user_namespaces_apparmor.value != 0 && f->probes.user_namespace != 0) {
		*ret_mend = set_sysctl(v, "kernel.apparmor_restrict_unprivileged_userns", "0");
		return "AppArmor takes their capabilities "
		       "(kernel.apparmor_restrict_unprivileged_userns is 1)";
	}
	if (f->probes.user_namespace <= 0)
		return NULL;
	if (f->probes.user_namespace == ENOSPC) {
		*ret_mend = set_sysctl(v, "user.max_user_namespaces", "63359");
		return "there are as many as the sysctl user.max_user_namespaces allows";
	}
	*ret_mend = "run hull outside of what confines it: a container's seccomp filter, or a "
		    "security module";
	return arena_printf(v->arena, "they can't be made: %s", err_text(f->probes.user_namespace));
}

static void look_at_user_namespaces(const struct visit *v)
{
	const char *mend, *why = why_no_user_namespaces(v, &mend);

	if (!why)
		ok(v, is_root(v) ? "can be made" : "can be made by this user");
	else if (is_root(v))
		missing(v, why, mend);
	else
		failed(v, why, mend);
}

/* Ids that another user has as well would let the two at each other. */
static const char *free_range(const struct visit *v, const char *option)
{
	return arena_printf(v->arena, "%s %llu-%llu", option, (unsigned long long)v->f->free_id,
			    (unsigned long long)v->f->free_id + 65535);
}

static void look_at_ids(const struct visit *v)
{
	const struct doctor_facts *f = v->f;
	const char *name = user_name(v);

	if (f->subuids == 0 || f->subgids == 0)
		missing(v,
			arena_printf(v->arena, "%s has no ids beside its own in /etc/%s", name,
				     f->subuids == 0 ? "subuid" : "subgid"),
			arena_printf(v->arena, "sudo usermod%s%s %s",
				     f->subuids ? "" : free_range(v, " --add-subuids"),
				     f->subgids ? "" : free_range(v, " --add-subgids"), name));
	else if (f->programs[DOCTOR_NEWUIDMAP] != DOCTOR_USABLE ||
		 f->programs[DOCTOR_NEWGIDMAP] != DOCTOR_USABLE)
		missing(v, "newuidmap and newgidmap, which map more than one id",
			install(v, "uidmap"));
	else
		ok(v, arena_printf(v->arena, "%llu user ids and %llu group ids beside %s's own",
				   (unsigned long long)f->subuids, (unsigned long long)f->subgids,
				   name));
}

static void look_at_cgroups(const struct visit *v)
{
	const struct doctor_facts *f = v->f;

	if (f->cgroup_mode == CGROUP_UNIFIED)
		ok(v, "cgroup v2 alone");
	else if (f->cgroup_mode == CGROUP_HYBRID)
		missing(v,
			arena_printf(v->arena, "v2 is at %s, but v1 holds controllers: %s",
				     f->cgroup_mount, f->v1),
			UNIFIED_ONLY);
	else if (is_root(v))
		failed(v, "there is no cgroup v2 at /sys/fs/cgroup",
		       *f->v1 ? UNIFIED_ONLY : "sudo mount --types cgroup2 cgroup2 /sys/fs/cgroup");
	else
		missing(v, "there is no cgroup v2 at /sys/fs/cgroup, so no limits", UNIFIED_ONLY);
}

static void look_at_delegation(const struct visit *v)
{
	const struct doctor_facts *f = v->f;

	if (f->cgroup_mode == CGROUP_NONE)
		missing(v, "there is no cgroup v2", NULL);
	else if (f->delegated)
		ok(v, is_root(v)
			      ? "root may make cgroups"
			      : arena_printf(v->arena, "containers get cgroups beside %s", f->own));
	else if (is_root(v))
		failed(v, arena_printf(v->arena, "root may not write to %s", f->cgroup_mount),
		       arena_printf(v->arena, "sudo mount --options remount,rw %s",
				    f->cgroup_mount));
	else if (f->systemd)
		missing(v, "this user may make no cgroup here: no limits, pause or statistics",
			"start hull by systemd-run --user --scope --property=Delegate=yes");
	else
		missing(v, "this user may make no cgroup here: no limits, pause or statistics",
			arena_printf(v->arena,
				     "as root: mkdir -p %s/%s/shell && chown -R %s %s/%s && "
				     "echo PID-OF-THE-SHELL >%s/%s/shell/cgroup.procs",
				     f->cgroup_mount, user_name(v), user_name(v), f->cgroup_mount,
				     user_name(v), f->cgroup_mount, user_name(v)));
}

static void look_at_controllers(const struct visit *v)
{
	static const char *const wanted[] = { "cpu", "cpuset", "io", "memory", "pids" };
	const struct doctor_facts *f = v->f;
	auto_buf struct buf absent = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (!cgroup_has_word(f->controllers, wanted[i]))
			buf_printf(&absent, "%s%s", absent.len ? ", " : "", wanted[i]);
	if (absent.len == 0)
		ok(v, f->controllers);
	else
		missing(v, arena_printf(v->arena, "no limits by the controllers %s", absent.text),
			f->cgroup_mode != CGROUP_UNIFIED ? UNIFIED_ONLY
			: is_root(v)                     ? "boot a kernel that has them, without "
							   "cgroup_disable= on its command line"
			: f->systemd                     ? DELEGATE_ALL
							 : "as root: write them to "
							   "cgroup.subtree_control, from the top down");
}

static void look_at_seccomp(const struct visit *v)
{
	if (v->f->seccomp)
		ok(v, v->f->seccomp);
	else
		missing(v, "the kernel has no system call filters",
			"boot a kernel with CONFIG_SECCOMP_FILTER=y");
}

static void look_at_overlay(const struct visit *v)
{
	int r = v->f->probes.overlay;

	if (r == 0 || (r < 0 && v->f->overlay_listed))
		ok(v, is_root(v) ? "can be mounted" : "can be mounted in a user namespace");
	else if (r == ENODEV || (r < 0 && !v->f->overlay_listed))
		missing(v, "the kernel has no overlay file system", "sudo modprobe overlay");
	else
		missing(v, arena_printf(v->arena, "overlay can't be mounted: %s", err_text(r)),
			is_root(v) ? NULL : "Linux 5.11 can do it, if user-namespaces is ok");
}

static void look_at_idmapped(const struct visit *v)
{
	int r = v->f->probes.idmapped;

	if (r == 0)
		ok(v, "work on the root file system");
	else if (r < 0)
		missing(v, "could not be tried", NULL);
	else
		missing(v,
			arena_printf(v->arena, "do not work on the root file system: %s",
				     err_text(r)),
			"keep root file systems on ext4, xfs, btrfs or tmpfs");
}

static void look_at_program(const struct visit *v, enum doctor_program program, const char *purpose,
			    const char *package)
{
	if (v->f->programs[program] == DOCTOR_USABLE)
		ok(v, purpose);
	else
		missing(v,
			arena_printf(v->arena, "%s: %s",
				     v->f->programs[program] == DOCTOR_ABSENT
					     ? "not installed"
					     : "may not be executed",
				     purpose),
			install(v, package));
}

static void look_at_nft(const struct visit *v)
{
	look_at_program(v, DOCTOR_NFT, "makes the firewall rules of networks", "nftables");
}

static void look_at_user_network(const struct visit *v)
{
	if (v->f->programs[DOCTOR_PASTA] != DOCTOR_USABLE &&
	    v->f->programs[DOCTOR_SLIRP4NETNS] == DOCTOR_USABLE)
		ok(v, "slirp4netns connects containers without root");
	else
		look_at_program(v, DOCTOR_PASTA, "pasta connects containers without root", "passt");
}

static void look_at_kvm(const struct visit *v)
{
	if (v->f->kvm == DOCTOR_USABLE)
		ok(v, "/dev/kvm may be used");
	else if (v->f->kvm == DOCTOR_FORBIDDEN)
		missing(v, "/dev/kvm may not be opened by this user",
			arena_printf(v->arena,
				     "sudo usermod --append --groups kvm %s, and log in again",
				     user_name(v)));
	else
		missing(v, "no /dev/kvm, so no microVMs",
			"sudo modprobe kvm_intel || sudo modprobe kvm_amd; within a virtual "
			"machine, nested virtualization has to be switched on");
}

static void look_at_lsms(const struct visit *v)
{
	const struct doctor_facts *f = v->f;

	if (f->lsms)
		ok(v, f->lsms);
	else if (f->apparmor || f->selinux)
		ok(v, f->apparmor ? "apparmor" : "selinux");
	else
		missing(v, "which are active can't be seen",
			"sudo mount --types securityfs securityfs /sys/kernel/security");
}

static void look_at_criu(const struct visit *v)
{
	look_at_program(v, DOCTOR_CRIU, "checkpoints", "criu");
}

static void look_at_systemd(const struct visit *v)
{
	if (v->f->bus)
		ok(v, is_root(v) ? "can be asked over the system's bus"
				 : "the user's own can be asked over its bus");
	else if (!v->f->systemd)
		missing(v, "is not process 1, so --systemd-cgroup can't work", NULL);
	else if (is_root(v))
		missing(v, "no system bus at /run/dbus/system_bus_socket", install(v, "dbus"));
	else
		missing(v, "no bus of this user's systemd",
			arena_printf(v->arena,
				     "sudo apt-get install dbus-user-session && "
				     "sudo loginctl enable-linger %s",
				     user_name(v)));
}

enum { FOR_ROOT = 1, FOR_USER = 2, FOR_BOTH = FOR_ROOT | FOR_USER };

static const struct {
	const char *name;
	int whom;
	void (*look)(const struct visit *v);
} rows[] = {
	{ "kernel", FOR_BOTH, look_at_kernel },
	{ "user-namespaces", FOR_BOTH, look_at_user_namespaces },
	{ "namespaces", FOR_BOTH, look_at_namespaces },
	{ "subordinate-ids", FOR_USER, look_at_ids },
	{ "cgroups", FOR_BOTH, look_at_cgroups },
	{ "cgroup-delegation", FOR_BOTH, look_at_delegation },
	{ "cgroup-controllers", FOR_BOTH, look_at_controllers },
	{ "seccomp", FOR_BOTH, look_at_seccomp },
	{ "overlay", FOR_BOTH, look_at_overlay },
	{ "idmapped-mounts", FOR_ROOT, look_at_idmapped },
	{ "security-modules", FOR_BOTH, look_at_lsms },
	{ "nft", FOR_ROOT, look_at_nft },
	{ "user-network", FOR_USER, look_at_user_network },
	{ "kvm", FOR_BOTH, look_at_kvm },
	{ "criu", FOR_BOTH, look_at_criu },
	{ "systemd", FOR_BOTH, look_at_systemd },
};

void doctor_judge(const struct doctor_facts *facts, struct arena *a, struct doctor_report *ret)
{
	struct doctor_report report = { arena_array(a, ARRAY_LEN(rows), sizeof(*report.at)), 0,
					true };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct visit v = { facts, a, &report.at[report.n] };

		if (!(rows[i].whom & (!facts->rootless ? FOR_ROOT : FOR_USER)))
			continue;
		v.line->name = rows[i].name;
		rows[i].look(&v);
		report.usable = report.usable && v.line->health != HEALTH_FAILED;
		report.n++;
	}
	*ret = report;
}

static const char *const health_names[] = {
	[HEALTH_OK] = "ok",
	[HEALTH_MISSING] = "missing",
	[HEALTH_FAILED] = "failed",
};

void doctor_text(struct buf *b, const struct doctor_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		const struct doctor_line *line = &report->at[i];

		buf_printf(b, "%-8s %-18s  %s%s%s\n", health_names[line->health], line->name,
			   line->text, line->mend ? "; to mend it: " : "",
			   line->mend ? line->mend : "");
	}
}

void doctor_json(struct buf *b, const struct doctor_report *report)
{
	struct json_writer w = json_writer(b, "  ");

	json_write_object(&w, NULL);
	json_write_bool(&w, "usable", report->usable);
	json_write_array(&w, "checks");
	for (size_t i = 0; i < report->n; i++) {
		json_write_object(&w, NULL);
		json_write_string(&w, "name", report->at[i].name);
		json_write_string(&w, "health", health_names[report->at[i].health]);
		json_write_string(&w, "text", report->at[i].text);
		if (report->at[i].mend)
			json_write_string(&w, "mend", report->at[i].mend);
		json_write_end(&w);
	}
	json_write_end(&w);
	json_write_end(&w);
	buf_char(b, '\n');
}
