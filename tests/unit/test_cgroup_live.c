/*
 * Real cgroups, as root, in a cgroup of this test's own below the v2 mount.
 * Limits need controllers that not every test machine has: the test VM checks
 * those.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/sys.h"
#include "cgroups/cgroup.h"
#include "cgroups/owner.h"
#include "cgroups/procs.h"

#define SET(v)          \
	{               \
		true, v \
	}

static struct cgroup_host host = CGROUP_HOST_NONE;
static char top[64]; /* "/hull-test-PID" */

static void setup(void)
{
	struct err e = { 0 };

	if (geteuid() != 0)
		cr_skip_test("needs root");
	cr_assert_eq(cgroup_host_open(CGROUP_WANT_CONTROLLERS | CGROUP_WANT_OWN, &host, &e), 0,
		     "%s", e.msg);
	if (host.mode == CGROUP_NONE)
		cr_skip_test("needs cgroup v2 at /sys/fs/cgroup");
	if (host.rootless)
		cr_skip_test("needs the host's root, not that of a user namespace");
	if (faccessat(host.fd, ".", W_OK, AT_EACCESS) < 0)
		cr_skip_test("needs a writable cgroup v2");
	snprintf(top, sizeof(top), "/hull-test-%d", (int)getpid());
}

/* Nothing may be left: each test's cgroups went, and with them the parents that they made. */
static void teardown(void)
{
	auto_cgroup struct cgroup left = CGROUP_CLOSED;

	if (*top && cgroup_open(&host, top, &left, NULL) == 0) {
		cr_expect(false, "%s is left behind", top);
		cr_expect_eq(cgroup_destroy(&left, NULL), 0);
	}
	cgroup_host_close(&host);
}

TestSuite(cgroup_live, .init = setup, .fini = teardown, .timeout = 60);

/* TOP/name in static memory. */
static const char *path_of(const char *name)
{
	static char path[4][128];
	static unsigned i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s%s%s", top, *name ? "/" : "", name);
	return path[i];
}

static bool exists(const char *path)
{
	return faccessat(host.fd, path + 1, F_OK, 0) == 0;
}

static int try_make(const char *path, const struct spec_resources *resources, struct cgroup *ret,
		    struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct spec spec = { .linux = { .cgroups_path = path } };
	struct cgroup_plan plan = { 0 };

	if (resources)
		spec.linux.resources = *resources;
	TRY(cgroup_plan(&a, &host, &spec, "test", &plan, e));
	TRY(cgroup_make(&host, &plan, ret, e));
	return cgroup_guard(ret, &plan, e);
}

static bool has_controller(const char *name)
{
	return cgroup_has_word(host.controllers, name);
}

static uid_t owner_of(const struct cgroup *cg, const char *file)
{
	struct stat st;

	cr_assert_eq(fstatat(cg->fd, file, &st, 0), 0, "%s", file);
	return st.st_uid;
}

Test(cgroup_live, is_given_to_an_owner_but_not_its_limits)
{
	auto_arena struct arena a = { 0 };
	struct spec spec = { .linux = { .cgroups_path = path_of("owned") } };
	struct cgroup cg = CGROUP_CLOSED;
	struct cgroup_plan plan = { 0 };
	struct err e = { 0 };
	char before[512], has[512];

	cr_assert_eq(io_read_value(host.fd, "cgroup.subtree_control", before, sizeof(before)), 0);
	cr_assert_eq(cgroup_plan(&a, &host, &spec, "test", &plan, &e), 0, "%s", e.msg);
	plan.owner.set = true;
	plan.owner.value = 12345;
	cr_assert_eq(cgroup_make(&host, &plan, &cg, &e), 0, "%s", e.msg);
	cr_expect_eq(owner_of(&cg, "."), 12345);
	cr_expect_eq(owner_of(&cg, "cgroup.procs"), 12345);
	cr_expect_eq(owner_of(&cg, "cgroup.threads"), 12345);
	cr_expect_eq(owner_of(&cg, "cgroup.subtree_control"), 12345);
	cr_expect_eq(owner_of(&cg, "cgroup.freeze"), 0);
	cr_expect_eq(owner_of(&cg, ".."), 0);
	/* It may use, and hand on, all that there are. */
	cr_expect_eq(io_read_value(cg.fd, "cgroup.controllers", has, sizeof(has)), 0);
	cr_expect_str_eq(has, host.controllers);
	cr_expect_eq(cgroup_destroy(&cg, &e), 0, "%s", e.msg);
	if (has_controller("hugetlb") && !cgroup_has_word(before, "hugetlb"))
		cr_expect_leq(io_write_value(host.fd, "cgroup.subtree_control", "-hugetlb"), 0);
}

Test(cgroup_live, without_the_kernels_list_the_files_are_the_specification_s)
{
	auto_buf struct buf least = { 0 }, list = { 0 };
	struct err e = { 0 };

	cr_assert_eq(owner_files("/no/such/file", &least, &e), 0, "%s", e.msg);
	cr_expect_str_eq(least.text, "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n");
	cr_expect_eq(owner_files("/proc/self", &list, &e), -EISDIR);
	cr_expect_str_eq(e.msg, "read /proc/self: is a directory");
}

static struct cgroup make(const char *name)
{
	struct cgroup cg = CGROUP_CLOSED;
	struct err e = { 0 };

	cr_assert_eq(try_make(path_of(name), NULL, &cg, &e), 0, "%s", e.msg);
	return cg;
}

static void destroy(struct cgroup *cg)
{
	struct err e = { 0 };

	cr_assert_eq(cgroup_destroy(cg, &e), 0, "%s", e.msg);
	cr_expect_eq(cg->fd, -1);
}

/* fork() into the cgroup; the child ends with this test, however that ends. */
static pid_t fork_into(const struct cgroup *cg)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = (uint64_t)cg->fd };
	pid_t pid = sys_clone3(&args);

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static pid_t sleeper(const struct cgroup *cg)
{
	pid_t pid = fork_into(cg);

	cr_assert_geq(pid, 0, "%s", err_text(errno));
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static int status_of(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

Test(cgroup_live, is_made_and_removed_with_its_parents)
{
	auto_cgroup struct cgroup cg = make("a/b/c"), again = CGROUP_CLOSED;
	struct err e = { 0 };

	cr_expect_eq(cg.made, 4);
	cr_expect(exists(path_of("a/b/c")));
	cr_assert_eq(cgroup_open(&host, path_of("a/b/c"), &again, &e), 0, "%s", e.msg);
	cr_expect_eq(again.made, 0);
	destroy(&cg);
	cr_expect_not(exists(path_of("")));
	destroy(&again);
	cr_expect_eq(cgroup_open(&host, path_of("a/b/c"), &again, &e), -ENOENT);
}

Test(cgroup_live, leaves_parents_that_others_made)
{
	auto_cgroup struct cgroup parent = make("pod"), cg = make("pod/c"), again = CGROUP_CLOSED;
	struct err e = { 0 };

	cr_expect_eq(cg.made, 1);
	destroy(&cg);
	cr_expect(exists(path_of("pod")));
	cg = make("pod/c");
	cr_assert_eq(cgroup_open(&host, path_of("pod/c"), &again, &e), 0, "%s", e.msg);
	destroy(&again);
	cr_expect(exists(path_of("pod")));
	destroy(&parent);
}

Test(cgroup_live, removes_the_common_parent_when_it_is_empty)
{
	auto_cgroup struct cgroup above = make(""), one = make("hull/1"), two = make("hull/2");
	auto_cgroup struct cgroup last = CGROUP_CLOSED;
	struct err e = { 0 };

	destroy(&one);
	cr_expect(exists(path_of("hull")));
	cr_assert_eq(cgroup_open(&host, path_of("hull/2"), &last, &e), 0, "%s", e.msg);
	destroy(&last);
	cr_expect_not(exists(path_of("hull")));
	destroy(&above);
}

Test(cgroup_live, leaves_nothing_when_a_limit_fails)
{
	const struct spec_resources wrong = {
		.unified = { (struct spec_pair[]){ { "cgroup.max.depth", "many" } }, 1 },
	};
	auto_cgroup struct cgroup cg = CGROUP_CLOSED;
	struct err e = { 0 };
	char expected[256];

	cr_expect_eq(try_make(path_of("x/y"), &wrong, &cg, &e), -EINVAL);
	snprintf(expected, sizeof(expected),
		 "linux.resources.unified.cgroup.max.depth: write \"many\" to %s/cgroup.max.depth: "
		 "invalid argument",
		 path_of("x/y"));
	cr_expect_str_eq(e.msg, expected, "%s", e.msg);
	cr_expect_null(cg.path);
	cr_expect_not(exists(path_of("")));
}

Test(cgroup_live, leaves_nothing_when_the_name_is_wrong)
{
	auto_cgroup struct cgroup cg = CGROUP_CLOSED;

	cr_expect_lt(try_make(path_of("x/y\nz"), NULL, &cg, NULL), 0);
	cr_expect_not(exists(path_of("")));
}

Test(cgroup_live, limits_huge_pages)
{
	const struct spec_resources two = {
		.hugepage_limits = { (struct spec_hugepage_limit[]){ { "2MB", 4194304 } }, 1 },
	};
	const struct spec_resources odd = {
		.hugepage_limits = { (struct spec_hugepage_limit[]){ { "3MB", 4194304 } }, 1 },
	};
	const struct spec_resources less = {
		.hugepage_limits = { (struct spec_hugepage_limit[]){ { "2MB", 0 } }, 1 },
	};
	auto_arena struct arena a = { 0 };
	auto_cgroup struct cgroup cg = CGROUP_CLOSED, none = CGROUP_CLOSED;
	struct cgroup_plan plan = { 0 };
	struct err e = { 0 };
	char before[512], value[64] = "";
	bool handed_out;

	if (!has_controller("hugetlb"))
		cr_skip_test("needs the hugetlb controller in cgroup v2");
	cr_assert_eq(io_read_value(host.fd, "cgroup.subtree_control", before, sizeof(before)), 0);
	handed_out = cgroup_has_word(before, "hugetlb");
	cr_assert_eq(try_make(path_of("huge/pages"), &two, &cg, &e), 0, "%s", e.msg);
	if (faccessat(cg.fd, "hugetlb.2MB.max", F_OK, 0) == 0) {
		cr_expect_eq(io_read_value(cg.fd, "hugetlb.2MB.max", value, sizeof(value)), 0);
		cr_expect_str_eq(value, "4194304");
		cr_expect_eq(io_read_value(cg.fd, "hugetlb.2MB.rsvd.max", value, sizeof(value)), 0);
		cr_expect_str_eq(value, "4194304");
		cr_assert_eq(cgroup_plan_update(&a, &host, &less, &plan, &e), 0, "%s", e.msg);
		cr_assert_eq(cgroup_apply(&cg, &plan, &e), 0, "%s", e.msg);
		cr_expect_eq(io_read_value(cg.fd, "hugetlb.2MB.max", value, sizeof(value)), 0);
		cr_expect_str_eq(value, "0");
	}
	destroy(&cg);
	cr_expect_eq(try_make(path_of("odd"), &odd, &none, &e), -ENOENT);
	cr_expect(strstr(e.msg, "linux.resources.hugepageLimits[0]: write \"4194304\" to ") ==
			  e.msg,
		  "%s", e.msg);
	if (!handed_out)
		cr_expect_leq(io_write_value(host.fd, "cgroup.subtree_control", "-hugetlb"), 0);
}

Test(cgroup_live, says_which_cgroup_withholds_a_controller)
{
	const struct spec_resources two = {
		.hugepage_limits = { (struct spec_hugepage_limit[]){ { "2MB", 0 } }, 1 },
	};
	auto_cgroup struct cgroup parent = make("p"), cg = CGROUP_CLOSED;
	pid_t pid = sleeper(&parent);
	struct err e = { 0 };
	char before[512], expected[512];

	if (!has_controller("hugetlb")) {
		destroy(&parent);
		cr_skip_test("needs the hugetlb controller in cgroup v2");
	}
	cr_assert_eq(io_read_value(host.fd, "cgroup.subtree_control", before, sizeof(before)), 0);
	cr_expect_eq(try_make(path_of("p/c"), &two, &cg, &e), -ENOENT);
	snprintf(expected, sizeof(expected),
		 "linux.resources.hugepageLimits[0]: cgroup %s does not get the hugetlb "
		 "controller: it "
		 "has processes of its own: write +hugetlb to %s/cgroup.subtree_control: device or "
		 "resource busy",
		 path_of("p/c"), path_of("p"));
	cr_expect_str_eq(e.msg, expected, "%s", e.msg);
	destroy(&parent);
	status_of(pid);
	if (!cgroup_has_word(before, "hugetlb"))
		cr_expect_leq(io_write_value(host.fd, "cgroup.subtree_control", "-hugetlb"), 0);
}

Test(cgroup_live, takes_an_empty_one_and_refuses_others)
{
	auto_cgroup struct cgroup first = make("c"), second = make("c"), third = CGROUP_CLOSED;
	struct err e = { 0 };
	char expected[256];
	pid_t pid;

	cr_expect_eq(second.made, 0);
	pid = sleeper(&first);
	cr_expect_eq(try_make(path_of("c"), NULL, &third, &e), -EBUSY);
	snprintf(expected, sizeof(expected),
		 "container's cgroup is not empty: 1 process(es) found in %s", path_of("c"));
	cr_expect_str_eq(e.msg, expected, "%s", e.msg);
	cr_assert_eq(cgroup_kill(&first, &e), 0, "%s", e.msg);
	status_of(pid);
	cr_assert_eq(cgroup_freeze(&first, true, &e), 0, "%s", e.msg);
	cr_expect_eq(try_make(path_of("c"), NULL, &third, &e), -EBUSY);
	snprintf(expected, sizeof(expected), "container's cgroup unexpectedly frozen: %s",
		 path_of("c"));
	cr_expect_str_eq(e.msg, expected, "%s", e.msg);
	/* One below it would be as frozen; it must not stay there. */
	cr_expect_eq(try_make(path_of("c/below"), NULL, &third, &e), -EBUSY);
	cr_expect_not(exists(path_of("c/below")));
	destroy(&first);
}

Test(cgroup_live, freezes_thaws_and_kills_what_is_frozen)
{
	auto_cgroup struct cgroup cg = make("");
	struct err e = { 0 };
	pid_t pid = sleeper(&cg);
	int status;

	cr_expect_eq(cgroup_populated(&cg, &e), 1);
	cr_expect_eq(cgroup_is_frozen(&cg, &e), 0);
	for (int i = 0; i < 5; i++) {
		cr_assert_eq(cgroup_freeze(&cg, true, &e), 0, "%s", e.msg);
		cr_expect_eq(cgroup_is_frozen(&cg, &e), 1);
		cr_assert_eq(cgroup_freeze(&cg, false, &e), 0, "%s", e.msg);
		cr_expect_eq(cgroup_is_frozen(&cg, &e), 0);
	}
	cr_assert_eq(cgroup_freeze(&cg, true, &e), 0, "%s", e.msg);
	cr_assert_eq(cgroup_kill(&cg, &e), 0, "%s", e.msg);
	cr_assert_eq(cgroup_wait_empty(&cg, 5000, &e), 0, "%s", e.msg);
	status = status_of(pid);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	cr_expect_eq(cgroup_populated(&cg, &e), 0);
	destroy(&cg);
}

Test(cgroup_live, answers_for_one_that_is_gone)
{
	auto_cgroup struct cgroup cg = make(""), gone = CGROUP_CLOSED;
	auto_arena struct arena a = { 0 };
	struct cgroup_pids pids = { 0 };
	struct err e = { 0 };

	cr_assert_eq(cgroup_open(&host, path_of(""), &gone, &e), 0);
	destroy(&cg);
	cr_expect_eq(cgroup_populated(&gone, &e), 0);
	cr_expect_eq(cgroup_is_frozen(&gone, &e), 0);
	cr_expect_eq(cgroup_kill(&gone, &e), 0, "%s", e.msg);
	cr_expect_eq(cgroup_wait_empty(&gone, 1000, &e), -ENOENT);
	cr_expect_eq(cgroup_pids(&gone, &a, &pids, &e), 0, "%s", e.msg);
	cr_expect_eq(pids.n, 0);
	cr_expect_lt(cgroup_freeze(&gone, true, &e), 0);
	destroy(&gone);
}

Test(cgroup_live, signals_and_times_out)
{
	auto_cgroup struct cgroup cg = make("");
	struct err e = { 0 };
	pid_t pid = sleeper(&cg);
	int status;

	cr_expect_eq(cgroup_wait_empty(&cg, 30, &e), -ETIMEDOUT);
	cr_expect_eq(cgroup_signal(&cg, SIGTERM, &e), 0, "%s", e.msg);
	status = status_of(pid);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	cr_expect_eq(cgroup_signal(&cg, SIGTERM, &e), 0, "%s", e.msg);
	destroy(&cg);
}

static void *wait_forever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

/* A process whose first thread lives in a threaded cgroup below `cg`. */
static pid_t threaded_sleeper(const struct cgroup *cg)
{
	int ready[2];
	char byte;
	pid_t pid;

	cr_assert_eq(mkdirat(cg->fd, "threads", 0755), 0);
	cr_assert_eq(io_write_value(cg->fd, "threads/cgroup.type", "threaded"), 0);
	cr_assert_eq(pipe(ready), 0);
	pid = fork_into(cg);
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, wait_forever, NULL) != 0 ||
		    io_write_value(cg->fd, "threads/cgroup.threads", "0") < 0 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		wait_forever(NULL);
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void expect_pids(const struct cgroup *cg, const pid_t *expected, size_t n)
{
	auto_arena struct arena a = { 0 };
	struct cgroup_pids pids = { 0 };
	struct err e = { 0 };

	cr_assert_eq(cgroup_pids(cg, &a, &pids, &e), 0, "%s", e.msg);
	cr_expect_eq(pids.n, n, "%zu", pids.n);
	for (size_t i = 0; i < pids.n; i++) {
		size_t found = 0;

		for (size_t k = 0; k < n; k++)
			found += expected[k] == pids.at[i];
		cr_expect_eq(found, 1, "%d", (int)pids.at[i]);
		cr_expect(i == 0 || pids.at[i - 1] < pids.at[i]);
	}
}

Test(cgroup_live, lists_processes_of_all_levels)
{
	auto_cgroup struct cgroup cg = make(""), sub = make("sub"), subsub = make("sub/sub");
	const pid_t pids[] = { sleeper(&subsub), sleeper(&subsub), sleeper(&sub), sleeper(&cg) };

	expect_pids(&cg, pids, 4);
	expect_pids(&sub, pids, 3);
	expect_pids(&subsub, pids, 2);
	destroy(&cg);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++)
		status_of(pids[i]);
}

Test(cgroup_live, lists_each_process_with_threads_elsewhere_once)
{
	auto_cgroup struct cgroup cg = make(""), threads = CGROUP_CLOSED;
	const pid_t pids[] = { threaded_sleeper(&cg), sleeper(&cg) };
	struct err e = { 0 };

	expect_pids(&cg, pids, 2);
	cr_assert_eq(cgroup_open(&host, path_of("threads"), &threads, &e), 0, "%s", e.msg);
	expect_pids(&threads, pids, 1); /* by the thread there, which is the first one */
	/* The kernel kills no threaded cgroup at once, so this goes the way of old kernels. */
	cr_assert_eq(cgroup_kill(&threads, &e), 0, "%s", e.msg);
	cr_expect(WIFSIGNALED(status_of(pids[0])));
	expect_pids(&cg, pids + 1, 1);
	destroy(&cg);
	status_of(pids[1]);
}

Test(cgroup_live, is_entered)
{
	auto_cgroup struct cgroup cg = make("");
	struct err e = { 0 };
	char path[PATH_MAX] = "";
	pid_t pid = fork();

	if (pid == 0)
		wait_forever(NULL);
	cr_assert_eq(cgroup_add_pid(&cg, pid, &e), 0, "%s", e.msg);
	cr_assert_eq(cgroup_of_pid(pid, path, sizeof(path)), 0);
	cr_expect_str_eq(path, top);
	cr_assert_eq(cgroup_kill(&cg, &e), 0, "%s", e.msg);
	status_of(pid);
	pid = fork();
	if (pid == 0)
		_exit(cgroup_move_self(&cg, NULL) == 0 &&
				      cgroup_of_pid(0, path, sizeof(path)) == 0 &&
				      strcmp(path, top) == 0
			      ? 0
			      : 1);
	cr_expect_eq(status_of(pid), 0);
	cr_expect_lt(cgroup_add_pid(&cg, pid, &e), 0);
	destroy(&cg);
}

/* Deeper than PATH_MAX, than the descriptors we may have, and with a process in the middle. */
Test(cgroup_live, destroys_whatever_was_put_below)
{
	enum { DEPTH = 1100 };
	auto_cgroup struct cgroup cg = make("");
	char wide[32];
	pid_t pid = -1;
	int at = dup(cg.fd);

	for (int i = 0; i < 50; i++) {
		snprintf(wide, sizeof(wide), "wide-%d", i);
		cr_assert_eq(mkdirat(cg.fd, wide, 0755), 0);
	}
	for (int i = 0; i < DEPTH; i++) {
		int next;

		cr_assert_eq(mkdirat(at, "deeper", 0755), 0);
		next = openat(at, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
		if (i == DEPTH / 2)
			pid = sleeper(&(struct cgroup){ .fd = at });
	}
	close(at);
	destroy(&cg);
	cr_expect(WIFSIGNALED(status_of(pid)));
}

/* All die at once, though each makes new ones as fast as it can. */
Test(cgroup_live, destroys_what_forks)
{
	auto_cgroup struct cgroup cg = make("bomb");
	pid_t pid;

	cr_assert_eq(io_write_value(cg.fd, "cgroup.max.depth", "1"), 0);
	pid = fork_into(&cg);
	if (pid == 0) {
		int alive = 1;

		for (;;) {
			pid_t child = alive < 50 ? fork() : 0;

			alive += child > 0;
			if (child == 0 && alive >= 50)
				usleep(100);
		}
	}
	usleep(20000);
	destroy(&cg);
	status_of(pid);
}

/* The exit status of a child in the cgroup that opens a node: 0, or errno. */
static int open_in(const struct cgroup *cg, const char *path, int flags)
{
	pid_t pid = fork_into(cg);

	cr_assert_geq(pid, 0, "%s", err_text(errno));
	if (pid == 0)
		_exit(open(path, flags) < 0 ? errno : 0);
	return WEXITSTATUS(status_of(pid));
}

static unsigned count_programs(const struct cgroup *cg)
{
	union bpf_attr attr = { 0 };
	uint32_t ids[64];

	attr.query.target_fd = (uint32_t)cg->fd;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = ARRAY_LEN(ids);
	cr_assert_eq(syscall(SYS_bpf, BPF_PROG_QUERY, &attr, sizeof(attr)), 0, "%s",
		     err_text(errno));
	return attr.query.prog_cnt;
}

static void replace_policy(const struct cgroup *cg, const struct spec_device_rule *rules, size_t n)
{
	auto_arena struct arena a = { 0 };
	struct devices_program program = { 0 };
	struct err e = { 0 };

	cr_assert_eq(devices_plan(&a, rules, n, &program, &e), 0, "%s", e.msg);
	cr_assert_eq(devices_attach(cg->fd, &program, false, &e), 0, "%s", e.msg);
}

Test(cgroup_live, polices_devices)
{
	static const struct spec_device_rule kmsg[] = { { true, 'c', SET(1), SET(11), "r" } };
	static const struct spec_device_rule all[] = { { true, 'a', { 0 }, { 0 }, "rwm" } };
	auto_cgroup struct cgroup cg = make("");
	char node[64], made[64];

	snprintf(node, sizeof(node), "/tmp/hull-test-%d.kmsg", (int)getpid());
	snprintf(made, sizeof(made), "/tmp/hull-test-%d.made", (int)getpid());
	cr_assert_eq(mknod(node, S_IFCHR | 0600, makedev(1, 11)), 0);

	cr_expect_eq(count_programs(&cg), 1);
	cr_expect_eq(open_in(&cg, "/dev/null", O_RDWR), 0);
	cr_expect_eq(open_in(&cg, "/dev/urandom", O_RDONLY), 0);
	cr_expect_eq(open_in(&cg, node, O_RDONLY), EPERM);
	cr_expect_eq(open_in(&cg, node, O_WRONLY), EPERM);

	replace_policy(&cg, kmsg, ARRAY_LEN(kmsg));
	cr_expect_eq(count_programs(&cg), 1);
	cr_expect_eq(open_in(&cg, node, O_RDONLY | O_NONBLOCK), 0);
	cr_expect_eq(open_in(&cg, node, O_WRONLY), EPERM);
	cr_expect_eq(open_in(&cg, node, O_RDWR), EPERM);

	replace_policy(&cg, all, ARRAY_LEN(all));
	cr_expect_eq(count_programs(&cg), 1);
	cr_expect_eq(open_in(&cg, node, O_RDWR | O_NONBLOCK), 0);

	replace_policy(&cg, NULL, 0);
	cr_expect_eq(open_in(&cg, node, O_RDONLY | O_NONBLOCK), EPERM);
	{
		pid_t pid = fork_into(&cg);

		if (pid == 0) /* making any node is allowed, as under runc */
			_exit(mknod(made, S_IFBLK | 0600, makedev(7, 0)) < 0 ? errno : 0);
		cr_expect_eq(WEXITSTATUS(status_of(pid)), 0);
	}
	cr_expect_eq(open_in(&cg, made, O_RDONLY), EPERM);
	unlink(node);
	unlink(made);
	destroy(&cg);
}

Test(cgroup_live, replaces_several_policies_by_one)
{
	auto_arena struct arena a = { 0 };
	auto_cgroup struct cgroup cg = make("");
	struct devices_program program = { 0 };
	struct err e = { 0 };

	cr_assert_eq(devices_plan(&a, NULL, 0, &program, &e), 0);
	cr_assert_eq(devices_attach(cg.fd, &program, true, &e), 0, "%s", e.msg);
	cr_expect_eq(count_programs(&cg), 2);
	replace_policy(&cg, NULL, 0);
	cr_expect_eq(count_programs(&cg), 1);
	destroy(&cg);
}

/* An update that fails at a limit, of a cgroup with no policy, with one, and with several. */
Test(cgroup_live, an_update_that_fails_leaves_the_device_policy)
{
	static const struct spec_device_rule kmsg[] = { { true, 'c', SET(1), SET(11), "r" } };
	static const struct spec_device_rule all[] = { { true, 'a', { 0 }, { 0 }, "rwm" } };
	struct spec_pair wrong[] = { { "cgroup.max.depth", "many" } };
	const struct spec_resources created = {
		.devices = { (struct spec_device_rule *)all, ARRAY_LEN(all) }
	};
	struct spec_resources update = {
		.devices = { (struct spec_device_rule *)kmsg, ARRAY_LEN(kmsg) }
	};
	auto_arena struct arena a = { 0 };
	struct cgroup_plan bad = { 0 }, good = { 0 };
	struct devices_program program = { 0 };
	struct err e = { 0 };

	cr_assert_eq(cgroup_plan_update(&a, &host, &update, &good, &e), 0, "%s", e.msg);
	cr_expect_gt(good.devices.n, 0);
	update.unified.at = wrong;
	update.unified.n = ARRAY_LEN(wrong);
	cr_assert_eq(cgroup_plan_update(&a, &host, &update, &bad, &e), 0, "%s", e.msg);
	cr_assert_eq(devices_plan(&a, NULL, 0, &program, &e), 0, "%s", e.msg);
	for (unsigned n = 0; n < 3; n++) {
		auto_cgroup struct cgroup cg = CGROUP_CLOSED;

		cr_assert_eq(try_make(path_of(""), &created, &cg, &e), 0, "%s", e.msg);
		cg.made = 0;
		for (unsigned i = 0; i < n; i++)
			cr_assert_eq(devices_attach(cg.fd, &program, true, &e), 0, "%s", e.msg);
		cr_expect_eq(open_in(&cg, "/dev/kmsg", O_RDONLY | O_NONBLOCK), n ? EPERM : 0);
		cr_expect_eq(cgroup_apply(&cg, &bad, &e), -EINVAL);
		cr_expect_eq(count_programs(&cg), n);
		cr_expect_eq(open_in(&cg, "/dev/kmsg", O_RDONLY | O_NONBLOCK), n ? EPERM : 0);
		cr_assert_eq(cgroup_apply(&cg, &good, &e), 0, "%s", e.msg);
		cr_expect_eq(count_programs(&cg), 1);
		cr_expect_eq(open_in(&cg, "/dev/kmsg", O_RDONLY | O_NONBLOCK), 0);
		cr_expect_eq(open_in(&cg, "/dev/kmsg", O_WRONLY), EPERM);
		destroy(&cg);
	}
}

/* The kernel takes the longest policy that a configuration may have. */
Test(cgroup_live, loads_the_longest_policy)
{
	static struct spec_device_rule rules[DEVICES_MAX];
	auto_cgroup struct cgroup cg = make("");

	for (int i = 0; i < DEVICES_MAX; i++)
		rules[i] = (struct spec_device_rule){ .allow = i % 3 != 0,
						      .type = i % 2 ? 'b' : 'c',
						      .major = { true, 200 + i / 100 },
						      .minor = { true, i },
						      .access = i % 5 ? "rw" : "w" };
	replace_policy(&cg, rules, ARRAY_LEN(rules));
	cr_expect_eq(open_in(&cg, "/dev/null", O_RDWR), 0);
	destroy(&cg);
}

Test(cgroup_live, needs_no_policy_to_allow_all)
{
	const struct spec_resources privileged = {
		.devices = { (struct spec_device_rule[]){ { true, 'a', { 0 }, { 0 }, "rwm" } }, 1 },
	};
	auto_cgroup struct cgroup cg = CGROUP_CLOSED;
	struct err e = { 0 };

	cr_assert_eq(try_make(path_of(""), &privileged, &cg, &e), 0, "%s", e.msg);
	cr_expect_eq(count_programs(&cg), 0);
	destroy(&cg);
}

/* Many at once below a parent that comes and goes with them. */
Test(cgroup_live, goes_in_parallel)
{
	enum { WORKERS = 64, ROUNDS = 20 };
	auto_cgroup struct cgroup above = make("");
	pid_t workers[WORKERS];

	for (int i = 0; i < WORKERS; i++) {
		workers[i] = fork();
		if (workers[i] != 0)
			continue;
		for (int round = 0; round < ROUNDS; round++) {
			struct cgroup cg = CGROUP_CLOSED;
			struct err e = { 0 };
			char name[32];
			pid_t pid;

			snprintf(name, sizeof(name), "hull/%d", i);
			if (try_make(path_of(name), NULL, &cg, &e) < 0) {
				fprintf(stderr, "make: %s\n", e.msg);
				_exit(1);
			}
			pid = fork_into(&cg);
			if (pid == 0)
				wait_forever(NULL);
			if (pid < 0 || cgroup_destroy(&cg, &e) < 0) {
				fprintf(stderr, "destroy: %s\n", e.msg);
				_exit(1);
			}
			waitpid(pid, NULL, 0);
		}
		_exit(0);
	}
	for (int i = 0; i < WORKERS; i++)
		cr_expect_eq(status_of(workers[i]), 0);
	cr_expect_not(exists(path_of("hull")));
	destroy(&above);
}

/* Runs `check` in a process of its own, which may give up rights; 0 is success. */
static int apart(int (*check)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(null, STDERR_FILENO); /* warnings are due */
		_exit(check());
	}
	return WEXITSTATUS(status_of(pid));
}

enum { NOBODY = 65534 };

static int drop_to_nobody(void)
{
	return setgid(NOBODY) < 0 || setuid(NOBODY) < 0 ? -1 : 0;
}

static int goes_without(void)
{
	static const struct spec_resources limit = { .pids_limit = SET(7) };
	struct cgroup cg = { .fd = 99 };
	struct cgroup_host own = CGROUP_HOST_NONE;

	if (drop_to_nobody() < 0 ||
	    cgroup_host_open(CGROUP_WANT_CONTROLLERS | CGROUP_WANT_OWN, &own, NULL) < 0 ||
	    !own.rootless)
		return 1;
	host = own;
	if (try_make(NULL, NULL, &cg, NULL) < 0 || cg.fd != -1 || cg.path)
		return 2;
	if (try_make(path_of("x/y"), &limit, &cg, NULL) < 0 || cg.fd != -1 || cg.path)
		return 3;
	return cgroup_destroy(&cg, NULL) < 0 ? 4 : 0;
}

Test(cgroup_live, goes_without_where_nothing_is_delegated)
{
	cr_expect_eq(apart(goes_without), 0);
	cr_expect_not(exists(path_of("")));
}

static int uses_delegation(void)
{
	struct cgroup_host own = CGROUP_HOST_NONE;
	struct cgroup cg = CGROUP_CLOSED;
	pid_t pid;

	if (drop_to_nobody() < 0 || cgroup_host_open(CGROUP_WANT_OWN, &own, NULL) < 0)
		return 1;
	host = own;
	if (strcmp(own.own, path_of("me")) != 0)
		return 2;
	if (try_make(NULL, NULL, &cg, NULL) < 0 || cg.fd < 0)
		return 3;
	if (strcmp(cg.path, path_of("hull/test")) != 0)
		return 4;
	pid = fork_into(&cg);
	if (pid == 0)
		wait_forever(NULL);
	if (pid < 0)
		return 5;
	return cgroup_destroy(&cg, NULL) < 0 || !WIFSIGNALED(status_of(pid)) ? 6 : 0;
}

static int uses_delegation_from_inside(void)
{
	struct cgroup me = CGROUP_CLOSED;

	if (cgroup_open(&host, path_of("me"), &me, NULL) < 0 || cgroup_move_self(&me, NULL) < 0)
		return 10;
	return uses_delegation();
}

Test(cgroup_live, uses_what_is_delegated)
{
	auto_cgroup struct cgroup above = make(""), me = make("me");

	cr_assert_eq(fchown(above.fd, NOBODY, NOBODY), 0);
	cr_assert_eq(fchownat(above.fd, "cgroup.procs", NOBODY, NOBODY, 0), 0);
	cr_assert_eq(fchownat(above.fd, "cgroup.subtree_control", NOBODY, NOBODY, 0), 0);
	cr_assert_eq(fchownat(me.fd, "cgroup.procs", NOBODY, NOBODY, 0), 0);
	cr_expect_eq(apart(uses_delegation_from_inside), 0);
	cr_expect_not(exists(path_of("hull")));
	destroy(&above);
}

static int knows_a_user_namespace(void)
{
	struct cgroup_host seen = CGROUP_HOST_NONE;

	if (unshare(CLONE_NEWUSER) < 0 ||
	    io_write_value(AT_FDCWD, "/proc/self/uid_map", "0 0 1") < 0 || geteuid() != 0)
		return 1;
	return cgroup_host_open(0, &seen, NULL) < 0 || !seen.rootless ? 2 : 0;
}

Test(cgroup_live, takes_root_of_a_user_namespace_for_rootless)
{
	cr_expect_eq(apart(knows_a_user_namespace), 0);
}
