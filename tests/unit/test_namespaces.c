#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/io.h"
#include "base/sys.h"
#include "namespaces/namespaces.h"
#include "namespaces/settings.h"
#include "tests/unit/test_child.h"
#include "tests/unit/test_dir.h"

TestSuite(namespaces, .init = dir_make, .fini = dir_remove, .timeout = 10);

static size_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/*
 * The plan, as text: "clone(FLAGS) later(FLAGS) paths(KIND=PATH)"
 */

static void print_flags(struct buf *out, const char *name, uint64_t flags)
{
	if (!flags)
		return;
	buf_printf(out, "%s(", name);
	for (size_t i = 0; i < SPEC_NS_KINDS; i++)
		if (flags & ns_kinds[i].flag)
			buf_printf(out, " %s", ns_kinds[i].name);
	buf_str(out, " ) ");
}

static void print_plan(const struct ns_plan *plan, struct buf *out)
{
	buf_str(out, "");
	print_flags(out, "clone", plan->clone);
	print_flags(out, "later", plan->later);
	for (size_t i = 0; i < SPEC_NS_KINDS; i++)
		if (plan->paths[i])
			buf_printf(out, "%s=%s ", ns_kinds[i].name, plan->paths[i]);
}

#define NAMESPACES(...)                                                    \
	{                                                                  \
		(struct spec_namespace[]){ __VA_ARGS__ },                  \
			sizeof((struct spec_namespace[]){ __VA_ARGS__ }) / \
				sizeof(struct spec_namespace)              \
	}

static const struct {
	LIST(struct spec_namespace) namespaces;
	const char *plan;
} rows[] = {
	{ { 0 }, "" },
	{ NAMESPACES({ SPEC_NS_USER, NULL }), "clone( user ) " },
	{ NAMESPACES({ SPEC_NS_PID, NULL }), "clone( pid ) " },
	{ NAMESPACES({ SPEC_NS_NETWORK, NULL }), "clone( network ) " },
	{ NAMESPACES({ SPEC_NS_MOUNT, NULL }), "clone( mount ) " },
	{ NAMESPACES({ SPEC_NS_IPC, NULL }), "clone( ipc ) " },
	{ NAMESPACES({ SPEC_NS_UTS, NULL }), "clone( uts ) " },
	{ NAMESPACES({ SPEC_NS_CGROUP, NULL }), "later( cgroup ) " },
	{ NAMESPACES({ SPEC_NS_TIME, NULL }), "later( time ) " },
	{ NAMESPACES({ SPEC_NS_TIME, "/t" }), "time=/t " },
	{ NAMESPACES({ SPEC_NS_CGROUP, "/c" }, { SPEC_NS_USER, "/u" }), "user=/u cgroup=/c " },
	{ NAMESPACES({ SPEC_NS_PID, NULL }, { SPEC_NS_NETWORK, NULL }, { SPEC_NS_IPC, NULL },
		     { SPEC_NS_UTS, NULL }, { SPEC_NS_MOUNT, NULL }, { SPEC_NS_CGROUP, NULL }),
	  "clone( pid network mount ipc uts ) later( cgroup ) " },
	{ NAMESPACES({ SPEC_NS_TIME, NULL }, { SPEC_NS_CGROUP, NULL }, { SPEC_NS_UTS, NULL },
		     { SPEC_NS_IPC, NULL }, { SPEC_NS_MOUNT, NULL }, { SPEC_NS_NETWORK, NULL },
		     { SPEC_NS_PID, NULL }, { SPEC_NS_USER, NULL }),
	  "clone( user pid network mount uts ) later( ipc cgroup time ) " },
	{ NAMESPACES({ SPEC_NS_PID, NULL }, { SPEC_NS_NETWORK, "/run/netns/n" },
		     { SPEC_NS_MOUNT, NULL }),
	  "clone( pid mount ) network=/run/netns/n " },
};

Test(namespaces, are_planned)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct spec s = { .linux.namespaces.at = rows[i].namespaces.at,
				  .linux.namespaces.n = rows[i].namespaces.n };
		auto_buf struct buf text = { 0 };
		struct ns_plan plan;

		memset(&plan, 0xa5, sizeof(plan));
		ns_plan(&s, &plan);
		print_plan(&plan, &text);
		cr_expect_str_eq(text.text, rows[i].plan, "row %zu: %s", i, text.text);
		for (int kind = 0; kind < SPEC_NS_KINDS; kind++) {
			bool own = false;

			for (size_t j = 0; j < rows[i].namespaces.n; j++)
				own |= (int)rows[i].namespaces.at[j].type == kind;
			cr_expect_eq(ns_is_own(&plan, (enum spec_ns)kind), own, "row %zu, %s", i,
				     ns_kinds[kind].name);
		}
	}
}

/* Each kind is what the kernel calls it, and the user namespace comes first. */
Test(namespaces, have_their_kinds)
{
	static const struct {
		const char *name, *file;
		uint64_t flag;
	} kinds[] = {
		{ "user", "user", CLONE_NEWUSER },       { "pid", "pid", CLONE_NEWPID },
		{ "network", "net", CLONE_NEWNET },      { "mount", "mnt", CLONE_NEWNS },
		{ "ipc", "ipc", CLONE_NEWIPC },          { "uts", "uts", CLONE_NEWUTS },
		{ "cgroup", "cgroup", CLONE_NEWCGROUP }, { "time", "time", CLONE_NEWTIME },
	};

	cr_assert_eq(ARRAY_LEN(kinds), SPEC_NS_KINDS);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		cr_expect_str_eq(ns_kinds[i].name, kinds[i].name);
		cr_expect_str_eq(ns_kinds[i].file, kinds[i].file);
		cr_expect_eq(ns_kinds[i].flag, kinds[i].flag);
	}
}

/*
 * Paths
 */

static int open_one(enum spec_ns kind, const char *path, struct ns_fds *ret, struct err *e)
{
	struct ns_plan plan = { .paths = { 0 } };

	plan.paths[kind] = path;
	return ns_open_paths(&plan, ret, e);
}

Test(namespaces, are_opened_by_path)
{
	static const char *const paths[] = {
		"/proc/self/ns/user",   "/proc/self/ns/pid",  "/proc/self/ns/net",
		"/proc/self/ns/mnt",    "/proc/self/ns/ipc",  "/proc/self/ns/uts",
		"/proc/self/ns/cgroup", "/proc/self/ns/time",
	};
	size_t fds = count_fds();
	struct ns_fds all = NS_FDS_NONE;
	struct ns_plan plan = { .paths = { 0 } };
	struct err e = { 0 };

	for (int i = 0; i < SPEC_NS_KINDS; i++) {
		struct ns_fds one = NS_FDS_NONE;
		struct stat ours, opened;

		plan.paths[i] = paths[i];
		cr_assert_eq(open_one((enum spec_ns)i, paths[i], &one, &e), 0, "%s", e.msg);
		for (int j = 0; j < SPEC_NS_KINDS; j++)
			cr_expect_eq(one.at[j] >= 0, i == j);
		cr_expect(fcntl(one.at[i], F_GETFD) & FD_CLOEXEC);
		cr_expect(fstat(one.at[i], &opened) == 0 && stat(paths[i], &ours) == 0 &&
			  opened.st_ino == ours.st_ino);
		ns_fds_close(&one);
		cr_expect_eq(one.at[i], -1);
		ns_fds_close(&one);
	}
	cr_assert_eq(ns_open_paths(&plan, &all, &e), 0, "%s", e.msg);
	cr_expect_eq(count_fds(), fds + SPEC_NS_KINDS);
	ns_fds_close(&all);
	cr_expect_eq(count_fds(), fds);
}

static const struct {
	enum spec_ns kind;
	const char *path, *message;
	int code;
} wrong[] = {
	{ SPEC_NS_NETWORK, "/nowhere/net",
	  "open the network namespace /nowhere/net: "
	  "no such file or directory",
	  ENOENT },
	{ SPEC_NS_MOUNT, "/proc/self/ns/net",
	  "open the mount namespace /proc/self/ns/net: it is one of another type", EINVAL },
	{ SPEC_NS_NETWORK, "/proc/self/ns/mnt",
	  "open the network namespace /proc/self/ns/mnt: it is one of another type", EINVAL },
	{ SPEC_NS_PID, "/proc/self/ns/user",
	  "open the pid namespace /proc/self/ns/user: it is one of another type", EINVAL },
	{ SPEC_NS_USER, "/proc/self/ns/pid",
	  "open the user namespace /proc/self/ns/pid: it is one of another type", EINVAL },
	{ SPEC_NS_IPC, "/proc/self/ns",
	  "open the ipc namespace /proc/self/ns: it is not a namespace", EINVAL },
	{ SPEC_NS_UTS, "/etc/passwd", "open the uts namespace /etc/passwd: it is not a namespace",
	  EINVAL },
	{ SPEC_NS_TIME, "/dev/null", "open the time namespace /dev/null: it is not a namespace",
	  EINVAL },
	{ SPEC_NS_CGROUP, "/proc/self/status/x",
	  "open the cgroup namespace /proc/self/status/x: not a directory", ENOTDIR },
	{ SPEC_NS_CGROUP, "", "open the cgroup namespace : no such file or directory", ENOENT },
};

Test(namespaces, are_refused_by_path)
{
	size_t fds = count_fds();

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct ns_plan plan = { .paths = { [SPEC_NS_USER] = "/proc/self/ns/user" } };
		struct ns_fds opened = NS_FDS_NONE;
		struct err e = { 0 };

		plan.paths[wrong[i].kind] = wrong[i].path; /* after one that is right */
		cr_expect_eq(ns_open_paths(&plan, &opened, &e), -wrong[i].code, "%s",
			     wrong[i].path);
		cr_expect_str_eq(e.msg, wrong[i].message, "%s", e.msg);
		for (int j = 0; j < SPEC_NS_KINDS; j++)
			cr_expect_eq(opened.at[j], -1);
	}
	cr_expect_eq(count_fds(), fds);
}

/* Nobody writes to the FIFO, and so nobody may wait for that. */
Test(namespaces, are_not_waited_for, .timeout = 30)
{
	struct ns_fds opened = NS_FDS_NONE;
	char expected[200];
	struct err e = { 0 };

	cr_assert_eq(mkfifoat(dir_fd, "fifo", 0600), 0);
	cr_expect_eq(open_one(SPEC_NS_NETWORK, dir_at("fifo"), &opened, &e), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "open the network namespace %s/fifo: it is not a namespace", dir_path);
	cr_expect_str_eq(e.msg, expected);
}

/*
 * Joining. A child makes namespaces and waits there; another joins them.
 */

static int go[2];

static pid_t start_sleeper(uint64_t flags)
{
	struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
	char byte;
	pid_t pid;
	int ready[2];

	CHILD_ASSERT(pipe2(go, O_CLOEXEC) == 0 && pipe2(ready, O_CLOEXEC) == 0, "errno %d", errno);
	pid = sys_clone3(&args);
	CHILD_ASSERT(pid >= 0, "errno %d", errno);
	if (pid == 0) {
		close(go[1]);
		if (flags & CLONE_NEWUTS)
			(void)!sethostname("inside", 6);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(go[0], &byte, 1) != 0);
	}
	CHILD_ASSERT(read(ready[0], &byte, 1) == 1, "errno %d", errno);
	return pid;
}

static void end_sleeper(pid_t pid)
{
	close(go[1]);
	CHILD_ASSERT(waitpid(pid, NULL, 0) == pid, "errno %d", errno);
}

static bool is_in(pid_t pid, const char *file)
{
	struct stat ours, theirs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, file);
	CHILD_ASSERT(stat(path, &theirs) == 0, "%s: errno %d", path, errno);
	snprintf(path, sizeof(path), "/proc/self/ns/%s", file);
	CHILD_ASSERT(stat(path, &ours) == 0, "%s: errno %d", path, errno);
	return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static const uint64_t MANY = CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS;

/* Only those that differ are opened, and after joining them there are none. */
static void joins_a_process(void *arg)
{
	uint64_t flags = MANY | (arg ? CLONE_NEWUSER : 0);
	pid_t pid = start_sleeper(flags);
	int procfd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct ns_fds fds = NS_FDS_NONE;
	struct err e = { 0 };
	char name[64];
	size_t before = count_fds();

	CHILD_ASSERT(ns_open_process(procfd, pid, &fds, &e) == 0, "%s", e.msg);
	for (int i = 0; i < SPEC_NS_KINDS; i++)
		CHILD_ASSERT((fds.at[i] >= 0) == !!(flags & ns_kinds[i].flag), "%s: %d",
			     ns_kinds[i].name, fds.at[i]);
	CHILD_ASSERT(count_fds() == before + 4 + (arg ? 1 : 0), "leaks");
	CHILD_ASSERT(ns_join(&fds, 0, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(gethostname(name, sizeof(name)) == 0, "errno %d", errno);
	CHILD_STR_EQ(name, "inside");
	for (int i = 0; i < SPEC_NS_KINDS; i++)
		CHILD_ASSERT(is_in(pid, ns_kinds[i].file), "%s", ns_kinds[i].name);
	ns_fds_close(&fds);
	CHILD_ASSERT(ns_open_process(procfd, pid, &fds, &e) == 0, "%s", e.msg);
	for (int i = 0; i < SPEC_NS_KINDS; i++)
		CHILD_ASSERT(fds.at[i] == -1, "%s", ns_kinds[i].name);
	end_sleeper(pid);
}

Test(namespaces, of_a_process_are_joined)
{
	need_root();
	expect_child(joins_a_process, NULL);
}

Test(namespaces, of_a_process_are_joined_the_user_first)
{
	need_root();
	expect_child(joins_a_process, (void *)1);
}

/* As those of a restored container: the cgroup namespace was made before, and is the host's. */
static void joins_what_is_the_hosts(void *arg UNUSED)
{
	pid_t first = start_sleeper(CLONE_NEWCGROUP), second = start_sleeper(CLONE_NEWUSER);
	int procfd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct ns_fds cgroup = NS_FDS_NONE, user = NS_FDS_NONE;
	struct stat ours, theirs;
	struct err e = { 0 };

	CHILD_ASSERT(ns_open_process(procfd, first, &cgroup, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(ns_open_process(procfd, second, &user, &e) == 0, "%s", e.msg);
	user.at[SPEC_NS_CGROUP] = cgroup.at[SPEC_NS_CGROUP];
	CHILD_ASSERT(ns_join(&user, 0, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(is_in(second, "user"), "not joined");
	/* What is of the first, who is in it does not see any more. */
	CHILD_ASSERT(stat("/proc/self/ns/cgroup", &ours) == 0, "errno %d", errno);
	CHILD_ASSERT(fstat(cgroup.at[SPEC_NS_CGROUP], &theirs) == 0, "errno %d", errno);
	CHILD_ASSERT(ours.st_ino == theirs.st_ino, "not joined");
	end_sleeper(second);
}

Test(namespaces, of_the_host_are_joined_before_the_user)
{
	need_root();
	expect_child(joins_what_is_the_hosts, NULL);
}

static void joins_but_some(void *arg UNUSED)
{
	pid_t pid = start_sleeper(MANY);
	int procfd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct ns_fds fds = NS_FDS_NONE;
	struct err e = { 0 };

	CHILD_ASSERT(ns_open_process(procfd, pid, &fds, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(ns_join(&fds, 1U << SPEC_NS_NETWORK | 1U << SPEC_NS_MOUNT, &e) == 0, "%s",
		     e.msg);
	CHILD_ASSERT(is_in(pid, "uts") && is_in(pid, "ipc"), "not joined");
	CHILD_ASSERT(!is_in(pid, "net") && !is_in(pid, "mnt"), "joined");
	end_sleeper(pid);
}

Test(namespaces, are_joined_but_for_some)
{
	need_root();
	expect_child(joins_but_some, NULL);
}

Test(namespaces, that_are_none_are_joined_at_once)
{
	struct ns_fds none = NS_FDS_NONE;
	struct err e = { 0 };

	cr_expect_eq(ns_join(&none, 0, &e), 0, "%s", e.msg);
}

static void joins_without_privilege(void *arg UNUSED)
{
	struct ns_fds fds = NS_FDS_NONE;
	struct err e = { 0 };

	CHILD_ASSERT(open_one(SPEC_NS_UTS, "/proc/self/ns/uts", &fds, &e) == 0, "%s", e.msg);
	become_user(65534);
	CHILD_ASSERT(ns_join(&fds, 0, &e) == -EPERM, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "join the uts namespace: operation not permitted");
	CHILD_ASSERT(ns_children_pid(-1, &e) == -EPERM, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "join the pid namespace: operation not permitted");
}

Test(namespaces, that_may_not_be_joined)
{
	need_root();
	expect_child(joins_without_privilege, NULL);
}

Test(namespaces, of_a_process_that_is_gone)
{
	auto_fd int procfd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct ns_fds fds = NS_FDS_NONE;
	struct err e = { 0 };
	size_t before = count_fds();
	siginfo_t end;
	pid_t pid = fork();
	char expected[64];

	if (pid == 0)
		_exit(0);
	snprintf(expected, sizeof(expected), "process %d has ended", (int)pid);
	/* First as a zombie, which has given up its namespaces. */
	cr_assert_eq(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT), 0);
	cr_expect_eq(ns_open_process(procfd, pid, &fds, &e), -ESRCH);
	cr_expect_str_eq(e.msg, expected);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	e = (struct err){ 0 };
	cr_expect_eq(ns_open_process(procfd, pid, &fds, &e), -ESRCH);
	cr_expect_str_eq(e.msg, expected);
	cr_expect_eq(count_fds(), before);
}

/*
 * PID namespaces are for children
 */

static pid_t pid_of_a_child(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t own = 0;
	int ends[2];
	pid_t pid;

	CHILD_ASSERT(pipe2(ends, O_CLOEXEC) == 0, "errno %d", errno);
	pid = sys_clone3(&args);
	CHILD_ASSERT(pid >= 0, "errno %d", errno);
	if (pid == 0) {
		own = getpid();
		_exit(write(ends[1], &own, sizeof(own)) != sizeof(own));
	}
	CHILD_ASSERT(read(ends[0], &own, sizeof(own)) == sizeof(own), "errno %d", errno);
	CHILD_ASSERT(waitpid(pid, NULL, 0) == pid, "errno %d", errno);
	close(ends[0]);
	close(ends[1]);
	return own;
}

static void joins_pids(void *arg UNUSED)
{
	pid_t pid = start_sleeper(CLONE_NEWPID);
	struct err e = { 0 };
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHILD_ASSERT(fd >= 0, "errno %d", errno);
	CHILD_ASSERT(pid_of_a_child() > 2, "it should be the host's");
	CHILD_ASSERT(ns_children_pid(fd, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(pid_of_a_child() == 2, "it should be the second one there");
	CHILD_ASSERT(ns_children_pid(-1, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(pid_of_a_child() > pid, "it should be the host's again");
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHILD_ASSERT(ns_children_pid(fd, &e) == -EINVAL, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "join the pid namespace: invalid argument");
	end_sleeper(pid);
}

Test(namespaces, of_pids_are_for_children)
{
	need_root();
	expect_child(joins_pids, NULL);
}

/*
 * Those that a process makes by itself
 */

static void makes_a_cgroup_namespace(void *arg UNUSED)
{
	const struct ns_plan plan = { .later = CLONE_NEWCGROUP };
	struct spec s = { .hostname = NULL };
	struct stat before, after;
	struct err e = { 0 };

	CHILD_ASSERT(stat("/proc/self/ns/cgroup", &before) == 0, "errno %d", errno);
	CHILD_ASSERT(ns_make_later(&plan, &s, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(stat("/proc/self/ns/cgroup", &after) == 0, "errno %d", errno);
	CHILD_ASSERT(before.st_ino != after.st_ino, "the same");
}

Test(namespaces, of_cgroups_are_made_later)
{
	need_root();
	expect_child(makes_a_cgroup_namespace, NULL);
}

static void makes_nothing(void *arg UNUSED)
{
	const struct ns_plan plan = { .clone = MANY };
	struct spec s = { .hostname = NULL };
	struct stat before, after;
	struct err e = { 0 };

	CHILD_ASSERT(stat("/proc/self/ns/uts", &before) == 0, "errno %d", errno);
	CHILD_ASSERT(ns_make_later(&plan, &s, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(stat("/proc/self/ns/uts", &after) == 0, "errno %d", errno);
	CHILD_ASSERT(before.st_ino == after.st_ino, "another");
}

Test(namespaces, that_are_cloned_are_not_made_later)
{
	expect_child(makes_nothing, NULL);
}

static int64_t now_of(clockid_t clock)
{
	struct timespec ts;

	CHILD_ASSERT(clock_gettime(clock, &ts) == 0, "errno %d", errno);
	return ts.tv_sec;
}

/* The process itself is in it, by the file and by the clock. */
static void makes_a_time_namespace(void *arg UNUSED)
{
	struct spec_time_offset offsets[] = { { "monotonic", 86400, 0 },
					      { "boottime", 7 * 86400, 999999999 } };
	const struct ns_plan plan = { .later = CLONE_NEWTIME };
	struct spec s = { .linux.time_offsets.at = offsets, .linux.time_offsets.n = 2 };
	int64_t monotonic = now_of(CLOCK_MONOTONIC), boottime = now_of(CLOCK_BOOTTIME);
	struct stat before, after;
	struct err e = { 0 };

	CHILD_ASSERT(stat("/proc/self/ns/time", &before) == 0, "errno %d", errno);
	CHILD_ASSERT(ns_make_later(&plan, &s, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(stat("/proc/self/ns/time", &after) == 0, "errno %d", errno);
	CHILD_ASSERT(before.st_ino != after.st_ino, "the same");
	monotonic = now_of(CLOCK_MONOTONIC) - monotonic;
	boottime = now_of(CLOCK_BOOTTIME) - boottime;
	CHILD_ASSERT(monotonic >= 86400 && monotonic < 86400 + 10, "%lld", (long long)monotonic);
	CHILD_ASSERT(boottime >= 7 * 86400 && boottime < 7 * 86400 + 10, "%lld",
		     (long long)boottime);
}

static void makes_a_time_namespace_without_offsets(void *arg UNUSED)
{
	const struct ns_plan plan = { .later = CLONE_NEWTIME | CLONE_NEWCGROUP };
	struct spec s = { .hostname = NULL };
	int64_t monotonic = now_of(CLOCK_MONOTONIC);
	struct err e = { 0 };

	CHILD_ASSERT(ns_make_later(&plan, &s, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(now_of(CLOCK_MONOTONIC) - monotonic < 10, "it jumped");
}

static void need_time_namespaces(void)
{
	need_root();
	if (access("/proc/self/ns/time", F_OK) < 0)
		cr_skip_test("needs time namespaces");
}

Test(namespaces, of_time_have_their_offsets)
{
	need_time_namespaces();
	expect_child(makes_a_time_namespace, NULL);
}

Test(namespaces, of_time_need_no_offsets)
{
	need_time_namespaces();
	expect_child(makes_a_time_namespace_without_offsets, NULL);
}

struct offset_row {
	struct spec_time_offset offset;
	int code;
	const char *message;
};

static void has_a_wrong_offset(void *arg)
{
	struct offset_row *row = arg;
	const struct ns_plan plan = { .later = CLONE_NEWTIME };
	struct spec s = { .linux.time_offsets.at = &row->offset, .linux.time_offsets.n = 1 };
	struct err e = { 0 };
	int r = ns_make_later(&plan, &s, &e);

	CHILD_ASSERT(r == -row->code, "%d: %s", r, e.msg);
	CHILD_STR_EQ(e.msg, row->message);
}

Test(namespaces, of_time_have_possible_offsets)
{
	struct offset_row wrong_offsets[] = {
		{ { "monotonic", -999999999, 0 },
		  ERANGE,
		  "linux.timeOffsets.monotonic: set \"monotonic -999999999 0\": "
		  "numerical result out of range" },
		{ { "boottime", INT64_MAX, 0 },
		  ERANGE,
		  "linux.timeOffsets.boottime: set \"boottime 9223372036854775807 0\": "
		  "numerical result out of range" },
		{ { "monotonic", 0, 1000000000 },
		  EINVAL,
		  "linux.timeOffsets.monotonic: set \"monotonic 0 1000000000\": invalid argument" },
		{ { "realtime", 1, 0 },
		  EINVAL,
		  "linux.timeOffsets.realtime: set \"realtime 1 0\": invalid argument" },
	};

	need_time_namespaces();
	for (size_t i = 0; i < ARRAY_LEN(wrong_offsets); i++)
		expect_child(has_a_wrong_offset, &wrong_offsets[i]);
}

static void may_make_none(void *arg UNUSED)
{
	const struct ns_plan cgroup = { .later = CLONE_NEWCGROUP },
			     time = { .later = CLONE_NEWTIME };
	struct spec s = { .hostname = NULL };
	struct err e = { 0 };

	become_user(65534);
	CHILD_ASSERT(ns_make_later(&cgroup, &s, &e) == -EPERM, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "make the cgroup namespace: operation not permitted");
	CHILD_ASSERT(ns_make_later(&time, &s, &e) == -EPERM, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "make the time namespace: operation not permitted");
}

Test(namespaces, that_may_not_be_made)
{
	need_time_namespaces();
	expect_child(may_make_none, NULL);
}

/*
 * Names
 */

static void has_names(void *arg UNUSED)
{
	struct spec s = { .hostname = "box", .domainname = "example.org" },
		    none = { .hostname = NULL };
	char name[200], too_long[66];
	struct err e = { 0 };

	CHILD_ASSERT(unshare(CLONE_NEWUTS) == 0, "errno %d", errno);
	CHILD_ASSERT(names_apply(&s, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(names_apply(&none, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(gethostname(name, sizeof(name)) == 0, "errno %d", errno);
	CHILD_STR_EQ(name, "box");
	CHILD_ASSERT(getdomainname(name, sizeof(name)) == 0, "errno %d", errno);
	CHILD_STR_EQ(name, "example.org");

	memset(too_long, 'x', 65);
	too_long[65] = '\0';
	s.hostname = too_long;
	CHILD_ASSERT(names_apply(&s, &e) == -EINVAL, "%s", e.msg);
	snprintf(name, sizeof(name), "set hostname \"%s\": invalid argument", too_long);
	CHILD_STR_EQ(e.msg, name);
	s.hostname = too_long + 1; /* 64 are fine */
	s.domainname = too_long;
	CHILD_ASSERT(names_apply(&s, &e) == -EINVAL, "%s", e.msg);
	snprintf(name, sizeof(name), "set domainname \"%s\": invalid argument", too_long);
	CHILD_STR_EQ(e.msg, name);
	become_user(65534);
	s.hostname = "x";
	CHILD_ASSERT(names_apply(&s, &e) == -EPERM, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "set hostname \"x\": operation not permitted");
}

Test(namespaces, have_names)
{
	need_root();
	expect_child(has_names, NULL);
}
