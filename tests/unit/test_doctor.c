/* What a host can do, from trees made up here, and what is said about it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "cli/doctor_words.h"
#include "tests/unit/test_dir.h"

static struct arena arena;

static void forget(void)
{
	arena_done(&arena);
	dir_remove();
}

TestSuite(doctor, .init = dir_make, .fini = forget);

#define INITIAL_MAP "         0          0 4294967295\n"

typedef const char *const tree[][2];

static void make_tree(tree files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dir_file(files[i][0], files[i][1]);
}

/* A Debian 13 with everything, and a user `dev` in a delegated scope. */
static void good_tree(void)
{
	static tree files = {
		{ "proc/sys/kernel/osrelease", "6.12.57+deb13-amd64\n" },
		{ "proc/sys/kernel/seccomp/actions_avail", "kill_process errno allow\n" },
		{ "proc/sys/user/max_user_namespaces", "31000\n" },
		{ "proc/sys/kernel/unprivileged_userns_clone", "1\n" },
		{ "proc/filesystems", "nodev\tsysfs\nnodev\toverlay\n" },
		{ "proc/self/uid_map", INITIAL_MAP },
		{ "proc/self/cgroup", "0::/user.slice/a.scope\n" },
		{ "proc/self/mountinfo", "24 30 0:22 / /sys rw - sysfs sysfs rw\n"
					 "29 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 "
					 "cgroup2 rw,nsdelegate\n" },
		{ "sys/fs/cgroup/cgroup.procs", "" },
		{ "sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids\n" },
		{ "sys/fs/cgroup/user.slice/cgroup.procs", "" },
		{ "sys/fs/cgroup/user.slice/cgroup.controllers", "cpu memory pids\n" },
		{ "sys/kernel/security/lsm", "capability,landlock,apparmor\n" },
		{ "sys/module/apparmor/parameters/enabled", "Y\n" },
		{ "etc/passwd", "root:x:0:0::/root:/bin/sh\ndev:x:1000:1000::/home/dev:/bin/sh\n" },
		{ "etc/subuid", "other:100000:65536\ndev:165536:65536\n1000:300000:10\n" },
		{ "etc/subgid", "dev:165536:65536\n" },
		{ "dev/kvm", "" },
		{ "run/systemd/system/", "" },
		{ "run/dbus/system_bus_socket", "" },
		{ "run/user/1000/bus", "" },
		{ "usr/bin/newuidmap", "" },
		{ "usr/bin/newgidmap", "" },
		{ "usr/sbin/nft", "" },
		{ "usr/bin/pasta", "" },
		{ "usr/sbin/criu", "" },
	};

	make_tree(files, ARRAY_LEN(files));
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (strncmp(files[i][0], "usr/", 4) == 0)
			cr_assert_eq(fchmodat(dir_fd, files[i][0], 0755, 0), 0);
}

static struct doctor_facts read_facts(uid_t uid)
{
	struct doctor_facts f;
	struct err e = { 0 };

	cr_assert_eq(doctor_read(dir_fd, uid, NULL, &arena, &f, &e), 0, "%s", e.msg);
	return f;
}

static void works(struct doctor_facts *f)
{
	f->probes = (struct doctor_probes){ 0, 0, 0, f->rootless ? -1 : 0 };
}

/* All lines that aren't ok, as text. */
static const char *complaints(const struct doctor_facts *f, bool *ret_usable)
{
	struct doctor_report report;
	struct buf text = { 0 };
	const char *copy;

	doctor_judge(f, &arena, &report);
	*ret_usable = report.usable;
	for (size_t i = report.n; i-- > 0;)
		if (report.at[i].health == HEALTH_OK)
			memmove(&report.at[i], &report.at[i + 1],
				(--report.n - i) * sizeof(*report.at));
	buf_str(&text, "");
	doctor_text(&text, &report);
	copy = arena_strdup(&arena, text.text);
	buf_done(&text);
	return copy;
}

static void complains(const struct doctor_facts *f, bool usable, const char *expected)
{
	bool is_usable;
	const char *text = complaints(f, &is_usable);

	cr_expect_str_eq(text, expected, "says     %s\nexpected %s", text, expected);
	cr_expect_eq(is_usable, usable);
}

Test(doctor, finds_nothing_wrong)
{
	struct doctor_facts f;

	good_tree();
	f = read_facts(0);
	works(&f);
	cr_expect_str_eq(f.user, "root");
	cr_expect_str_eq(f.controllers, "cpuset cpu io memory hugetlb pids");
	cr_expect_eq(f.cgroup_mode, CGROUP_UNIFIED);
	cr_expect_eq(f.kernel_minor, 12);
	complains(&f, true, "");
}

Test(doctor, of_a_user)
{
	struct doctor_facts f;

	good_tree();
	f = read_facts(1000);
	works(&f);
	cr_expect_str_eq(f.user, "dev");
	cr_expect_eq(f.subuids, 65546);
	cr_expect_eq(f.subgids, 65536);
	cr_expect_eq(f.free_id, 300010);
	cr_expect(f.delegated);
	complains(
		&f, true,
		"missing  cgroup-controllers  no limits by the controllers cpuset, io; to mend it: "
		"printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo install -D "
		"--mode=644 /dev/stdin /etc/systemd/system/user@.service.d/delegate.conf && "
		"sudo systemctl daemon-reload, and log in again\n");
}

Test(doctor, of_root_in_a_user_namespace)
{
	good_tree();
	dir_file("proc/self/uid_map", "         0       1000          1\n");
	cr_expect(read_facts(0).rootless);
	dir_file("proc/self/uid_map", INITIAL_MAP);
	cr_expect_not(read_facts(0).rootless);
}

static const struct {
	uid_t uid;
	const char *file, *content; /* NULL: it isn't there */
	bool usable;
	const char *says;
} rows[] = {
	{ 0, "proc/sys/kernel/osrelease", "5.10.0-1-amd64\n", false,
	  "failed   kernel              Linux 5.10.0-1-amd64 is older than 5.12; to mend it: "
	  "install a newer kernel and reboot\n" },
	{ 0, "proc/sys/kernel/osrelease", "4.19.0\n", false,
	  "failed   kernel              Linux 4.19.0 is older than 5.12; to mend it: install a "
	  "newer kernel and reboot\n" },
	{ 0, "proc/sys/kernel/osrelease", "next\n", true,
	  "missing  kernel              Linux next: no version that hull understands\n" },
	{ 0, "proc/sys/kernel/seccomp/actions_avail", NULL, true,
	  "missing  seccomp             the kernel has no system call filters; to mend it: boot a "
	  "kernel with CONFIG_SECCOMP_FILTER=y\n" },
	{ 0, "proc/sys/user/max_user_namespaces", "0\n", true,
	  "missing  user-namespaces     the sysctl user.max_user_namespaces is 0; to mend it: echo "
	  "user.max_user_namespaces = 63359 | sudo tee --append /etc/sysctl.d/60-hull.conf && sudo "
	  "sysctl --load=/etc/sysctl.d/60-hull.conf\n" },
	{ 0, "proc/self/mountinfo", "1 1 0:1 / / rw - ext4 /dev/vda rw\n", false,
	  "failed   cgroups             there is no cgroup v2 at /sys/fs/cgroup; to mend it: sudo "
	  "mount --types cgroup2 cgroup2 /sys/fs/cgroup\n"
	  "missing  cgroup-delegation   there is no cgroup v2\n"
	  "missing  cgroup-controllers  no limits by the controllers cpu, cpuset, io, memory, "
	  "pids; "
	  "to mend it: add \"systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all\" to the kernel's "
	  "command line (GRUB_CMDLINE_LINUX in /etc/default/grub, then sudo update-grub) and "
	  "reboot\n" },
	{ 0, "sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n", true,
	  "missing  cgroup-controllers  no limits by the controllers memory; to mend it: boot a "
	  "kernel that has them, without cgroup_disable= on its command line\n" },
	{ 0, "sys/fs/cgroup/cgroup.procs", NULL, false,
	  "failed   cgroup-delegation   root may not write to /sys/fs/cgroup; to mend it: sudo "
	  "mount "
	  "--options remount,rw /sys/fs/cgroup\n" },
	{ 0, "sys/kernel/security/lsm", NULL, true, "" },
	{ 0, "usr/sbin/nft", NULL, true,
	  "missing  nft                 not installed: makes the firewall rules of networks; to "
	  "mend it: sudo apt-get install nftables\n" },
	{ 0, "usr/sbin/criu", NULL, true,
	  "missing  criu                not installed: checkpoints; to mend it: sudo apt-get "
	  "install "
	  "criu\n" },
	{ 0, "dev/kvm", NULL, true,
	  "missing  kvm                 no /dev/kvm, so no microVMs; to mend it: sudo modprobe "
	  "kvm_intel || sudo modprobe kvm_amd; within a virtual machine, nested virtualization has "
	  "to be switched on\n" },
	{ 0, "run/dbus/system_bus_socket", NULL, true,
	  "missing  systemd             no system bus at /run/dbus/system_bus_socket; to mend it: "
	  "sudo apt-get install dbus\n" },
	{ 1000, "proc/sys/kernel/unprivileged_userns_clone", "0\n", false,
	  "failed   user-namespaces     the sysctl kernel.unprivileged_userns_clone is 0; to mend "
	  "it: echo kernel.unprivileged_userns_clone = 1 | sudo tee --append "
	  "/etc/sysctl.d/60-hull.conf && sudo sysctl --load=/etc/sysctl.d/60-hull.conf\n" },
	{ 1000, "proc/self/uid_map", NULL, false,
	  "failed   user-namespaces     the kernel has none; to mend it: boot a kernel with "
	  "CONFIG_USER_NS=y\n" },
	{ 1000, "etc/subuid", "other:100000:65536\ndevil:1:2\n", true,
	  "missing  subordinate-ids     dev has no ids beside its own in /etc/subuid; to mend it: "
	  "sudo usermod --add-subuids 231072-296607 dev\n" },
	{ 1000, "etc/subgid", NULL, true,
	  "missing  subordinate-ids     dev has no ids beside its own in /etc/subgid; to mend it: "
	  "sudo usermod --add-subgids 300010-365545 dev\n" },
	{ 1000, "usr/bin/newgidmap", NULL, true,
	  "missing  subordinate-ids     newuidmap and newgidmap, which map more than one id; to "
	  "mend "
	  "it: sudo apt-get install uidmap\n" },
	{ 1000, "usr/bin/pasta", NULL, true,
	  "missing  user-network        not installed: pasta connects containers without root; to "
	  "mend it: sudo apt-get install passt\n" },
	{ 1000, "sys/fs/cgroup/user.slice/cgroup.procs", NULL, true,
	  "missing  cgroup-delegation   this user may make no cgroup here: no limits, pause or "
	  "statistics; to mend it: start hull by systemd-run --user --scope "
	  "--property=Delegate=yes\n" },
	{ 1000, "run/user/1000/bus", NULL, true,
	  "missing  systemd             no bus of this user's systemd; to mend it: sudo apt-get "
	  "install dbus-user-session && sudo loginctl enable-linger dev\n" },
};

Test(doctor, names_what_is_missing)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct doctor_facts f;

		good_tree();
		dir_file("sys/fs/cgroup/user.slice/cgroup.controllers",
			 "cpuset cpu io memory pids\n");
		if (rows[i].content)
			dir_file(rows[i].file, rows[i].content);
		else
			cr_assert_eq(unlinkat(dir_fd, rows[i].file, 0), 0, "%s", rows[i].file);
		f = read_facts(rows[i].uid);
		works(&f);
		complains(&f, rows[i].usable, rows[i].says);
	}
}

/* What can't be found without trying. */
Test(doctor, names_what_fails)
{
	struct doctor_facts f;

	good_tree();
	f = read_facts(0);
	f.probes = (struct doctor_probes){ EPERM, EPERM, ENODEV, EINVAL };
	complains(
		&f, false,
		"missing  user-namespaces     they can't be made: operation not permitted; to mend "
		"it: run hull outside of what confines it: a container's seccomp filter, or a "
		"security module\n"
		"failed   namespaces          mount, pid, network, uts, ipc and cgroup namespaces "
		"can't be made: operation not permitted; to mend it: run hull where root has "
		"CAP_SYS_ADMIN: outside of this container, or in one with more privileges\n"
		"missing  overlay             the kernel has no overlay file system; to mend it: "
		"sudo "
		"modprobe overlay\n"
		"missing  idmapped-mounts     do not work on the root file system: invalid "
		"argument; to mend it: keep root file systems on ext4, xfs, btrfs or tmpfs\n");
	dir_file("sys/fs/cgroup/user.slice/cgroup.controllers", "cpuset cpu io memory pids\n");
	dir_file("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n");
	f = read_facts(1000);
	works(&f);
	complains(&f, true, "");
	f.probes = (struct doctor_probes){ EACCES, EACCES, EACCES, -1 };
	complains(
		&f, false,
		"failed   user-namespaces     AppArmor takes their capabilities "
		"(kernel.apparmor_restrict_unprivileged_userns is 1); to mend it: echo "
		"kernel.apparmor_restrict_unprivileged_userns = 0 | sudo tee --append "
		"/etc/sysctl.d/60-hull.conf && sudo sysctl --load=/etc/sysctl.d/60-hull.conf\n"
		"failed   namespaces          mount, pid, network, uts, ipc and cgroup namespaces "
		"can't be made: permission denied; to mend it: see user-namespaces\n"
		"missing  overlay             overlay can't be mounted: permission denied; to mend "
		"it: Linux 5.11 can do it, if user-namespaces is ok\n");
	f.user_namespaces_apparmor.set = false;
	f.probes = (struct doctor_probes){ ENOSPC, 0, 0, -1 };
	complains(&f, false,
		  "failed   user-namespaces     there are as many as the sysctl "
		  "user.max_user_namespaces allows; to mend it: echo user.max_user_namespaces = "
		  "63359 "
		  "| sudo tee --append /etc/sysctl.d/60-hull.conf && sudo sysctl "
		  "--load=/etc/sysctl.d/60-hull.conf\n");
}

Test(doctor, of_a_hybrid_host)
{
	struct doctor_facts f;

	good_tree();
	dir_file("proc/self/cgroup", "2:memory:/x\n1:cpu,cpuacct:/\n0::/\n");
	dir_file("proc/self/mountinfo", "40 30 0:37 / /sys/fs/cgroup/unified rw - cgroup2 c rw\n");
	dir_file("sys/fs/cgroup/unified/cgroup.procs", "");
	dir_file("sys/fs/cgroup/unified/cgroup.controllers", "cpuset io pids\n");
	f = read_facts(0);
	works(&f);
	cr_expect_eq(f.cgroup_mode, CGROUP_HYBRID);
	complains(
		&f, true,
		"missing  cgroups             v2 is at /sys/fs/cgroup/unified, but v1 holds "
		"controllers: memory cpu cpuacct; to mend it: add "
		"\"systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all\" to the kernel's command "
		"line (GRUB_CMDLINE_LINUX in /etc/default/grub, then sudo update-grub) and reboot\n"
		"missing  cgroup-controllers  no limits by the controllers cpu, memory; to mend "
		"it: "
		"add \"systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all\" to the kernel's "
		"command "
		"line (GRUB_CMDLINE_LINUX in /etc/default/grub, then sudo update-grub) and "
		"reboot\n");
}

/* A tree with nothing in it is looked at to the end. */
Test(doctor, of_nothing)
{
	struct doctor_report report;
	struct doctor_facts f = read_facts(4711);
	auto_buf struct buf text = { 0 };

	doctor_judge(&f, &arena, &report);
	cr_expect_not(report.usable);
	cr_expect_eq(report.n, 14);
	for (size_t i = 0; i < report.n; i++)
		cr_expect_neq(report.at[i].health, HEALTH_OK, "%s", report.at[i].name);
	report.n = 1;
	doctor_json(&text, &report);
	cr_expect_str_eq(text.text, "{\n  \"usable\": false,\n  \"checks\": [\n    {\n"
				    "      \"name\": \"kernel\",\n      \"health\": \"missing\",\n"
				    "      \"text\": \"Linux unknown: no version that hull "
				    "understands\"\n    }\n  ]\n}\n");
}

static const struct {
	const char *text, *user;
	uint64_t count;
} ids[] = {
	{ "", "dev", 0 },
	{ "dev:1:10\n", "dev", 10 },
	{ "dev:1:10", NULL, 0 },
	{ "1000:1:10\n", NULL, 10 },
	{ "device:1:10\ndevi\ndev\n:1:1\ndev:\ndev:1\ndev:x:1\n", "dev", 0 },
	{ "dev\ndev:5:5\n10000:1:1\n", "dev", 5 },
};

Test(doctor_ids, counts_those_of_a_user)
{
	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		cr_expect_eq(doctor_count_ids(ids[i].text, ids[i].user, 1000), ids[i].count, "%s",
			     ids[i].text);
	cr_expect_eq(doctor_last_id("a:1:10\nb:100:5\nc:50:5\nbad\nd:x:y\n"), 105);
}
