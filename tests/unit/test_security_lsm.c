#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "security/lsm.h"

Test(lsm, what_is_not_enabled_is_refused)
{
	static const struct {
		const char *apparmor, *selinux;
		struct lsm_facts facts;
		const char *message; /* NULL: fine */
	} rows[] = {
		{ NULL, NULL, { false, false }, NULL },
		{ "", "", { false, false }, NULL },
		{ "docker-default", NULL, { true, false }, NULL },
		{ "docker-default",
		  NULL,
		  { false, true },
		  "process.apparmorProfile: AppArmor is not enabled on this host" },
		{ "unconfined", NULL, { false, false }, NULL },
		{ NULL, "u:r:t:s0", { false, true }, NULL },
		{ NULL,
		  "u:r:t:s0",
		  { true, false },
		  "process.selinuxLabel: SELinux is not enabled on this host" },
		{ "docker-default", "u:r:t:s0", { true, true }, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct spec_process process = { .apparmor_profile = rows[i].apparmor,
						      .selinux_label = rows[i].selinux };
		struct err e = { 0 };
		int r = lsm_check(&process, &rows[i].facts, &e);

		cr_expect_eq(r, rows[i].message ? -EOPNOTSUPP : 0, "row %zu", i);
		cr_expect_str_eq(e.msg, rows[i].message ? rows[i].message : "", "row %zu", i);
	}
}

Test(lsm, a_label_for_mounts_needs_selinux)
{
	static const struct lsm_facts with = { .selinux = true }, without = { .apparmor = true };
	struct err e = { 0 };

	cr_expect_eq(lsm_check_mounts(NULL, &without, &e), 0);
	cr_expect_eq(lsm_check_mounts("", &without, &e), 0);
	cr_expect_eq(lsm_check_mounts("u:r:t:s0", &with, &e), 0);
	cr_expect_eq(lsm_check_mounts("u:r:t:s0", &without, &e), -EOPNOTSUPP);
	cr_expect_str_eq(e.msg, "linux.mountLabel: SELinux is not enabled on this host");
}

Test(lsm, nothing_asked_writes_nothing)
{
	struct err e = { 0 };

	cr_expect_eq(lsm_apparmor_apply(-1, NULL, &e), 0);
	cr_expect_eq(lsm_apparmor_apply(-1, "", &e), 0);
	cr_expect_eq(lsm_selinux_apply(-1, NULL, &e), 0);
	cr_expect_eq(lsm_selinux_apply(-1, "", &e), 0);
}

/* A directory that looks like procfs, as an image may have it (CVE-2019-16884). */
static int fake_procfs(char *path)
{
	static const char *const parts[] = { "", "/thread-self", "/thread-self/attr",
					     "/thread-self/attr/apparmor" };
	char part[128];

	strcpy(path, "/tmp/hull-lsm-XXXXXX");
	cr_assert_not_null(mkdtemp(path));
	for (size_t i = 1; i < ARRAY_LEN(parts); i++) {
		snprintf(part, sizeof(part), "%s%s", path, parts[i]);
		cr_assert_eq(mkdir(part, 0700), 0);
	}
	for (size_t i = 2; i < ARRAY_LEN(parts); i++) {
		snprintf(part, sizeof(part), "%s%s/exec", path, parts[i]);
		close(open(part, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	}
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void remove_fake(const char *path)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s", path);
	cr_assert_eq(system(command), 0);
}

static off_t size_of(const char *dir, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

Test(lsm, decoys_are_not_written_to)
{
	char path[64];
	auto_fd int fd = fake_procfs(path);
	struct err e = { 0 };

	cr_expect_eq(lsm_apparmor_apply(fd, "profile", &e), -EXDEV);
	cr_expect_str_eq(e.msg, "apply AppArmor profile \"profile\": invalid cross-device link");
	cr_expect_eq(lsm_selinux_apply(fd, "u:r:t:s0", &e), -EXDEV);
	cr_expect_str_eq(e.msg, "apply SELinux label \"u:r:t:s0\": invalid cross-device link");
	cr_expect_eq(size_of(path, "thread-self/attr/apparmor/exec"), 0);
	cr_expect_eq(size_of(path, "thread-self/attr/exec"), 0);
	remove_fake(path);
}

Test(lsm, a_real_procfs_is_reached)
{
	auto_fd int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct lsm_facts facts;
	struct err e = { 0 };
	int r;

	lsm_facts_read(&facts);
	if (facts.apparmor)
		cr_skip_test("this is for hosts without AppArmor");
	cr_expect_eq(lsm_apparmor_apply(fd, "unconfined", &e), 0, "%s", e.msg);
	r = lsm_apparmor_apply(fd, "no-such-profile", &e);
	cr_expect_lt(r, 0);
	cr_expect_neq(r, -EXDEV, "%s", e.msg);
}
