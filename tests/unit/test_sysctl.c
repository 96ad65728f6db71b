#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "base/io.h"
#include "namespaces/settings.h"
#include "tests/unit/test_child.h"

Test(sysctl, names_are_paths)
{
	static const struct {
		const char *name, *path; /* NULL: is no name */
	} rows[] = {
		{ "kernel.hostname", "sys/kernel/hostname" },
		{ "net.ipv4.ip_forward", "sys/net/ipv4/ip_forward" },
		{ "net/ipv4/ip_forward", "sys/net/ipv4/ip_forward" },
		{ "net.ipv4.conf.eth0/1.forwarding", "sys/net/ipv4/conf/eth0.1/forwarding" },
		{ "net/ipv4/conf/eth0.1/forwarding", "sys/net/ipv4/conf/eth0.1/forwarding" },
		{ "net.ipv4.conf.eth0/1/2.forwarding", "sys/net/ipv4/conf/eth0.1.2/forwarding" },
		{ "single", "sys/single" },
		{ "kernel/...", "sys/kernel/..." },
		{ "kernel/.x", "sys/kernel/.x" },
		{ "a-b_c.d:e", "sys/a-b_c/d:e" },

		{ "", NULL },
		{ ".", NULL },
		{ "..", NULL },
		{ "/", NULL },
		{ "kernel.", NULL },
		{ "kernel/", NULL },
		{ ".kernel", NULL },
		{ "/kernel/hostname", NULL },
		{ "/etc/passwd", NULL },
		{ "kernel..hostname", NULL },
		{ "kernel//hostname", NULL },
		{ "../kernel/hostname", NULL },
		{ "kernel/../hostname", NULL },
		{ "kernel/../../1/environ", NULL },
		{ "kernel.//.hostname", NULL }, /* kernel/../hostname */
		{ "kernel.//", NULL },          /* kernel/.. */
		{ "kernel/..", NULL },
		{ "kernel/.", NULL },
		{ "kernel/./hostname", NULL },
		{ "kernel./.hostname", NULL }, /* kernel/./hostname */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[64];
		int r = sysctl_path(rows[i].name, path, sizeof(path));

		cr_expect_eq(r, rows[i].path ? 0 : -EINVAL, "%s: %d, %s", rows[i].name, r, path);
		if (r == 0)
			cr_expect_str_eq(path, rows[i].path, "%s: %s", rows[i].name, path);
	}
}

Test(sysctl, paths_have_a_size)
{
	char path[sizeof("sys/kernel/hostname")];

	cr_expect_eq(sysctl_path("kernel.hostname", path, sizeof(path)), 0);
	cr_expect_str_eq(path, "sys/kernel/hostname");
	cr_expect_eq(sysctl_path("kernel.hostname2", path, sizeof(path)), -EINVAL);
	cr_expect_eq(sysctl_path("kernel.hostname", path, 1), -EINVAL);
}

static int apply(const char *proc, const char *key, const char *value, struct err *e)
{
	auto_fd int fd = open(proc, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct spec_pair pair = { key, value };
	const struct spec_pairs pairs = { &pair, 1 };

	return sysctl_apply(fd, &pairs, e);
}

static void expect_value(const char *path, const char *expected)
{
	char value[100];

	CHILD_ASSERT(io_read_value(AT_FDCWD, path, value, sizeof(value)) == 0, "%s", path);
	CHILD_STR_EQ(value, expected);
}

static void writes(void *arg UNUSED)
{
	struct spec_pair pairs[] = { { "kernel.domainname", "example.org" },
				     { "net/ipv4/ip_forward", "1" },
				     { "kernel.shmmni", "1234" },
				     { "net.ipv4.ping_group_range", "7 8" } };
	const struct spec_pairs all = { pairs, ARRAY_LEN(pairs) }, none = { 0 };
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = { 0 };

	CHILD_ASSERT(unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) == 0, "errno %d", errno);
	CHILD_ASSERT(sysctl_apply(proc, &none, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(sysctl_apply(proc, &all, &e) == 0, "%s", e.msg);
	expect_value("/proc/sys/kernel/domainname", "example.org");
	expect_value("/proc/sys/net/ipv4/ip_forward", "1");
	expect_value("/proc/sys/kernel/shmmni", "1234");
	expect_value("/proc/sys/net/ipv4/ping_group_range", "7\t8");
}

Test(sysctl, writes)
{
	need_root();
	expect_child(writes, NULL);
}

static const struct {
	const char *key, *value, *message;
	int code;
} wrong[] = {
	{ "kernel.nosuchthing", "1",
	  "linux.sysctl: open kernel.nosuchthing: no such file or directory", ENOENT },
	{ "kernel", "1", "linux.sysctl: open kernel: is a directory", EISDIR },
	{ "kernel.hostname.x", "1", "linux.sysctl: open kernel.hostname.x: not a directory",
	  ENOTDIR },
	{ "kernel/../../self/oom_score_adj", "1",
	  "linux.sysctl: \"kernel/../../self/oom_score_adj\" is not a name", EINVAL },
	{ "", "1", "linux.sysctl: \"\" is not a name", EINVAL },
	{ "kernel.shmmni", "many", "linux.sysctl: set kernel.shmmni to \"many\": invalid argument",
	  EINVAL },
	{ "net.ipv4.ip_forward", "x",
	  "linux.sysctl: set net.ipv4.ip_forward to \"x\": invalid argument", EINVAL },
	{ "kernel.osrelease", "1", "linux.sysctl: open kernel.osrelease: permission denied",
	  EACCES },
};

static void is_refused(void *arg UNUSED)
{
	CHILD_ASSERT(unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET) == 0, "errno %d", errno);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct err e = { 0 };
		int r = apply("/proc", wrong[i].key, wrong[i].value, &e);

		CHILD_ASSERT(r == -wrong[i].code, "%s: %d, %s", wrong[i].key, r, e.msg);
		CHILD_STR_EQ(e.msg, wrong[i].message);
	}
}

Test(sysctl, says_what_is_wrong)
{
	need_root();
	expect_child(is_refused, NULL);
}

/* Neither by links nor over mounts does anything lead out (CVE-2025-52881). */
static void stays_in_proc(void *arg UNUSED)
{
	struct err e = { 0 };
	int r;

	private_mounts();
	CHILD_ASSERT(mkdir("fake", 0755) == 0 && mkdir("fake/sys", 0755) == 0 &&
			     mkdir("fake/sys/mounted", 0755) == 0 && mkdir("out", 0755) == 0,
		     "errno %d", errno);
	CHILD_ASSERT(close(open("out/file", O_WRONLY | O_CREAT, 0644)) == 0, "errno %d", errno);
	CHILD_ASSERT(symlink("/tmp/out", "fake/sys/link") == 0, "errno %d", errno);
	CHILD_ASSERT(symlink("../../out", "fake/sys/up") == 0, "errno %d", errno);
	CHILD_ASSERT(symlink("../out/file", "fake/sys/file") == 0, "errno %d", errno);
	CHILD_ASSERT(mount("out", "fake/sys/mounted", NULL, MS_BIND, NULL) == 0, "errno %d", errno);
	r = apply("/tmp/fake", "link.file", "1", &e);
	CHILD_ASSERT(r == -ELOOP, "%d", r);
	CHILD_STR_EQ(e.msg, "linux.sysctl: open link.file: too many levels of symbolic links");
	r = apply("/tmp/fake", "up.file", "1", &e);
	CHILD_ASSERT(r == -ELOOP, "%d", r);
	r = apply("/tmp/fake", "file", "1", &e);
	CHILD_ASSERT(r == -ELOOP, "%d", r);
	r = apply("/tmp/fake", "mounted.file", "1", &e);
	CHILD_ASSERT(r == -EXDEV, "%d", r);
	CHILD_STR_EQ(e.msg, "linux.sysctl: open mounted.file: invalid cross-device link");
	expect_value("/tmp/out/file", "");
}

Test(sysctl, stays_in_its_procfs)
{
	need_root();
	expect_child(stays_in_proc, NULL);
}
