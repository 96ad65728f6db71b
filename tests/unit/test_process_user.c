#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/user.h"
#include "test_child.h"

Test(user, is_parsed)
{
	static const struct {
		const char *text;
		uint32_t uid, gid;
		bool has_gid;
	} rows[] = {
		{ "0", 0, 0, false },
		{ "1", 1, 0, false },
		{ "1:2", 1, 2, true },
		{ "1000:0", 1000, 0, true },
		{ "4294967294", 4294967294U, 0, false },
		{ "0:4294967294", 0, 4294967294U, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t uid = 99, gid = 99;
		bool has_gid = !rows[i].has_gid;
		struct err e = { 0 };

		cr_expect_eq(user_parse(rows[i].text, &uid, &gid, &has_gid, &e), 0, "%s", e.msg);
		cr_expect_eq(uid, rows[i].uid, "%s", rows[i].text);
		cr_expect_eq(gid, rows[i].gid, "%s", rows[i].text);
		cr_expect_eq(has_gid, rows[i].has_gid, "%s", rows[i].text);
	}
}

/* CVE-2026-30892, CVE-2024-40635: nothing of these may become uid 0, or any other. */
Test(user, wrong_ones_are_refused)
{
	static const char *const wrong[] = {
		"",           "-1",         "+1",          "1x",           "x",
		"root",       " 1",         "1 ",          "0x0",          ":",
		"1:",         ":1",         "1:-1",        "1:x",          "1:2:3",
		"4294967295", "4294967296", "99999999999", "0:4294967295", "1::2",
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		uint32_t uid = 99, gid = 99;
		bool has_gid = true;
		struct err e = { 0 };
		char message[128];

		snprintf(message, sizeof(message),
			 "\"%s\" is not UID or UID:GID, numbers below 4294967295", wrong[i]);
		cr_expect_eq(user_parse(wrong[i], &uid, &gid, &has_gid, &e), -EINVAL, "%s",
			     wrong[i]);
		cr_expect_str_eq(e.msg, message);
		cr_expect(uid == 99 && gid == 99 && has_gid, "written though \"%s\" failed",
			  wrong[i]);
	}
}

static void becomes_user(void *arg)
{
	uint32_t groups[] = { 7, 1001 };
	const struct spec_user user = { .uid = 1000,
					.gid = 1001,
					.additional_gids = { groups, ARRAY_LEN(groups) } };
	uid_t ids[3];
	gid_t now[8];
	struct err e = { 0 };

	(void)arg;
	CHILD_ASSERT(user_apply(&user, &e) == 0, "%s", e.msg);
	getresuid(&ids[0], &ids[1], &ids[2]);
	CHILD_ASSERT(ids[0] == 1000 && ids[1] == 1000 && ids[2] == 1000, "uid %u", ids[0]);
	getresgid(&ids[0], &ids[1], &ids[2]);
	CHILD_ASSERT(ids[0] == 1001 && ids[1] == 1001 && ids[2] == 1001, "gid %u", ids[0]);
	CHILD_ASSERT(getgroups(ARRAY_LEN(now), now) == 2 && now[0] == 7 && now[1] == 1001,
		     "groups");
	CHILD_ASSERT(setuid(0) < 0, "came back");
}

static void drops_groups(void *arg)
{
	const struct spec_user user = { .uid = 1000, .gid = 1000 };
	const gid_t before[] = { 4, 5, 6 };

	(void)arg;
	CHILD_ASSERT(setgroups(ARRAY_LEN(before), before) == 0, "errno %d", errno);
	CHILD_ASSERT(user_apply(&user, NULL) == 0, "errno %d", errno);
	CHILD_ASSERT(getgroups(0, NULL) == 0, "groups are left");
}

Test(user, is_become)
{
	need_root();
	expect_child(becomes_user, NULL);
	expect_child(drops_groups, NULL);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHILD_ASSERT(write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %d", path, errno);
	close(fd);
}

/* A user namespace as an ordinary user makes it: one id, and no setgroups(2). */
static void in_small_userns(void *arg)
{
	uint32_t group = 5;
	const struct spec_user plain = { 0 };
	const struct spec_user unmapped = { .uid = 1000 };
	const struct spec_user grouped = { .additional_gids = { &group, 1 } };
	struct err e = { 0 };

	(void)arg;
	CHILD_ASSERT(unshare(CLONE_NEWUSER) == 0, "errno %d", errno);
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 0 1");
	write_file("/proc/self/gid_map", "0 0 1");
	CHILD_ASSERT(user_become_root(&e) == 0, "%s", e.msg);
	CHILD_ASSERT(user_apply(&grouped, &e) == -EPERM, "no error");
	CHILD_STR_EQ(e.msg, "process.user.additionalGids: setgroups(2) is denied in this user "
			    "namespace");
	CHILD_ASSERT(user_apply(&unmapped, &e) == -EINVAL, "no error");
	CHILD_STR_EQ(e.msg, "process.user.uid: become uid 1000: invalid argument");
	CHILD_ASSERT(user_apply(&plain, &e) == 0, "%s", e.msg);
}

Test(user, namespaces_set_limits)
{
	need_root();
	expect_child(in_small_userns, NULL);
}

static uid_t owner(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_uid : (uid_t)-1;
}

static void owns_pipes_only(void *arg)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), ends[2];
	uid_t null_owner = owner(null);
	FILE *file = tmpfile();

	(void)arg;
	CHILD_ASSERT(pipe2(ends, O_CLOEXEC) == 0, "errno %d", errno);
	dup2(null, STDIN_FILENO);
	dup2(ends[1], STDOUT_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	user_own_stdio(1000);
	CHILD_ASSERT(owner(STDIN_FILENO) == null_owner, "/dev/null has a new owner");
	CHILD_ASSERT(owner(STDOUT_FILENO) == 1000, "the pipe has owner %u", owner(STDOUT_FILENO));
	CHILD_ASSERT(owner(STDERR_FILENO) == 0, "the file has a new owner");
	close(STDIN_FILENO);
	user_own_stdio(1001); /* a closed one is nothing to fail for */
	CHILD_ASSERT(owner(STDOUT_FILENO) == 1001, "the pipe has owner %u", owner(STDOUT_FILENO));
}

Test(user, owns_its_pipes)
{
	need_root();
	expect_child(owns_pipes_only, NULL);
}
