/* What is stored about a container, and where. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"
#include "base/util.h"
#include "runtime/gate.h"
#include "runtime/process_stat.h"
#include "runtime/store.h"

static char root_path[] = "/tmp/test_state.XXXXXX";
static int root = -1;

static void set_up(void)
{
	struct err e = { 0 };

	cr_assert(mkdtemp(root_path));
	root = store_open_root(root_path, false, &e);
	cr_assert_geq(root, 0, "%s", e.msg);
}

static void tear_down(void)
{
	close(root);
	cr_expect_eq(io_remove_tree(AT_FDCWD, root_path), 0);
}

static struct state example(void)
{
	static const char *limit = "8:0 rbps=1";
	static struct spec_pair pairs[] = { { "a", "b" }, { "quote\"", "\xc3\xa4" } };

	return (struct state){
		.id = "one",
		.oci_version = "1.3.0",
		.bundle = "/b",
		.rootfs = "/b/rootfs",
		.created = "2026-01-02T03:04:05.000000006Z",
		.cgroup = "/hull/one",
		.rdt = { .name = "gold", .monitor = "one", .made = true },
		.cgroup_driver = "systemd",
		.unit = "hull-one.scope",
		.unit_user = { true, true },
		.cgroup_inode = 1234567890123ULL,
		.cgroup_made = 3,
		.owner = 1000,
		.pid = 4711,
		.pid_start = 18446744073709551615ULL,
		.ready = true,
		.annotations = { pairs, 2 },
		.last_oom = { { true, 1 }, { true, 2 }, { true, 3 } },
		.last_held = { .refused = { true, 4 },
			       .pids_limit = { true, UINT64_MAX },
			       .quota = UINT64_MAX,
			       .period = 5,
			       .io_limits = { &limit, 1 } },
	};
}

Test(state, comes_back_as_it_was)
{
	auto_buf struct buf text = { 0 };
	auto_state struct state s = { 0 };
	struct state was = example();
	struct err e = { 0 };

	state_encode(&was, &text);
	cr_assert_eq(state_decode(&text, &s, &e), 0, "%s", e.msg);
	cr_expect_str_eq(s.id, was.id);
	cr_expect_str_eq(s.bundle, was.bundle);
	cr_expect_str_eq(s.rootfs, was.rootfs);
	cr_expect_str_eq(s.created, was.created);
	cr_expect_str_eq(s.cgroup, was.cgroup);
	cr_expect_str_eq(s.rdt.name, was.rdt.name);
	cr_expect_str_eq(s.rdt.monitor, was.rdt.monitor);
	cr_expect(s.rdt.made);
	cr_expect_str_eq(s.cgroup_driver, was.cgroup_driver);
	cr_expect_str_eq(s.unit, was.unit);
	cr_expect(s.unit_user.set && s.unit_user.value);
	cr_expect_eq(s.cgroup_inode, was.cgroup_inode);
	cr_expect_eq(s.cgroup_made, was.cgroup_made);
	cr_expect_eq(s.owner, was.owner);
	cr_expect_eq(s.pid, was.pid);
	cr_expect_eq(s.pid_start, was.pid_start);
	cr_expect(s.ready);
	cr_assert_eq(s.annotations.n, 2);
	cr_expect_str_eq(s.annotations.at[1].key, "quote\"");
	cr_expect_str_eq(s.annotations.at[1].value, "\xc3\xa4");
	cr_expect_eq(s.last_oom.kills.value, 1);
	cr_expect_eq(s.last_oom.limit.value, 2);
	cr_expect_eq(s.last_oom.peak.value, 3);
	cr_expect_eq(s.last_held.refused.value, 4);
	cr_expect_eq(s.last_held.pids_limit.value, UINT64_MAX);
	cr_expect_not(s.last_held.throttled.set);
	cr_expect_eq(s.last_held.quota, UINT64_MAX);
	cr_expect_eq(s.last_held.period, 5);
	cr_assert_eq(s.last_held.io_limits.n, 1);
	cr_expect_str_eq(s.last_held.io_limits.at[0], "8:0 rbps=1");
}

static const struct {
	const char *text, *message;
} bad[] = {
	{ "", "state.json: the document is empty" },
	{ "{\"version\":2}", "state.json has version 2 and this hull knows 1" },
	{ "{}", "state.json:1:1: version: missing" },
	{ "{\"version\":1,\"id\":5}", "state.json:1:19: id: expected a string" },
	{ "{\"version\":1,\"id\":\"x\"}", "ociVersion: missing" },
};

Test(state, bad_ones_are_refused)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_buf struct buf text = { 0 };
		auto_state struct state s = { 0 };
		struct err e = { 0 };

		buf_str(&text, bad[i].text);
		cr_expect_lt(state_decode(&text, &s, &e), 0, "%s", bad[i].text);
		cr_expect(strstr(e.msg, bad[i].message), "%s: %s", bad[i].text, e.msg);
	}
}

/* The document of runtime.md: hooks read it. A container without a process has no pid. */
Test(state, hooks_get_the_specified_document)
{
	auto_buf struct buf text = { 0 };
	struct state s = example();

	s.status = STATE_CREATED;
	s.annotations.n = 1;
	state_encode_oci(&s, &text);
	cr_expect_str_eq(text.text,
			 "{\"ociVersion\":\"1.3.0\",\"id\":\"one\",\"status\":\"created\","
			 "\"pid\":4711,\"bundle\":\"/b\",\"annotations\":{\"a\":\"b\"}}");
	buf_clear(&text);
	s.pid = 0;
	s.annotations.n = 0;
	s.status = STATE_STOPPED;
	state_encode_oci(&s, &text);
	cr_expect_str_eq(text.text,
			 "{\"ociVersion\":\"1.3.0\",\"id\":\"one\",\"status\":\"stopped\","
			 "\"bundle\":\"/b\"}");
}

static const struct {
	const char *id;
	int result;
} ids[] = {
	{ "a", 0 },         { "A-b_c.d+1", 0 }, { "..a", 0 },
	{ "", -EINVAL },    { ".", -EINVAL },   { "..", -EINVAL },
	{ "a/b", -EINVAL }, { "a b", -EINVAL }, { "\xc3\xa4", -EINVAL },
	{ "a\n", -EINVAL },
};

Test(store, ids)
{
	char longest[258];

	for (size_t i = 0; i < ARRAY_LEN(ids); i++)
		cr_expect_eq(store_check_id(ids[i].id, NULL), ids[i].result, "\"%s\"", ids[i].id);
	memset(longest, 'x', sizeof(longest));
	longest[255] = '\0';
	cr_expect_eq(store_check_id(longest, NULL), 0);
	longest[255] = 'x';
	longest[256] = '\0';
	cr_expect_eq(store_check_id(longest, NULL), -ENAMETOOLONG);
}

Test(store, reserves_an_id_once, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };
	auto_fd int dir = store_reserve(root, "one", &e);
	struct stat st;

	cr_assert_geq(dir, 0, "%s", e.msg);
	cr_expect_eq(store_reserve(root, "one", &e), -EEXIST);
	cr_expect_str_eq(e.msg, "container with given ID already exists: one");
	cr_assert_eq(fstat(dir, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	cr_expect_eq(store_open(root, "two", &e), -ENOENT);
	cr_expect_str_eq(e.msg, "container does not exist");
	cr_expect_eq(store_remove(root, "one", &e), 0);
	cr_expect_eq(store_open(root, "one", &e), -ENOENT);
}

/* Whoever waited for the lock of a container that was then removed learns that it is gone. */
Test(store, a_lock_on_what_was_removed, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };
	auto_fd int dir = store_reserve(root, "one", &e);
	auto_fd int other = store_open(root, "one", &e);

	cr_assert_geq(other, 0, "%s", e.msg);
	cr_expect_eq(store_remove(root, "one", &e), 0);
	close_fd(&dir);
	cr_expect_eq(store_lock(other, "one", &e), -ENOENT);
	cr_expect_str_eq(e.msg, "container does not exist");
}

Test(store, a_lock_goes_with_its_process, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };
	auto_fd int dir = -1;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(store_reserve(root, "one", &e) < 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0);
	dir = store_open(root, "one", &e);
	cr_expect_eq(store_lock(dir, "one", &e), 0, "%s", e.msg);
}

Test(store, lists_in_order_and_skips_strangers, .init = set_up, .fini = tear_down)
{
	auto_arena struct arena a = { 0 };
	struct strings list;
	struct err e = { 0 };

	cr_assert_eq(mkdirat(root, "b", 0700), 0);
	cr_assert_eq(mkdirat(root, "a", 0700), 0);
	cr_assert_eq(mkdirat(root, "no id", 0700), 0);
	cr_assert_eq(store_list(root, &a, &list, &e), 0, "%s", e.msg);
	cr_assert_eq(list.n, 2);
	cr_expect_str_eq(list.at[0], "a");
	cr_expect_str_eq(list.at[1], "b");
}

Test(store, keeps_a_state, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };
	auto_fd int dir = store_reserve(root, "one", &e);
	auto_state struct state s = { 0 };
	struct state was = example();

	cr_expect_eq(store_load_state(dir, "one", &s, &e), -ENOENT);
	cr_assert_eq(store_save_state(dir, &was, &e), 0, "%s", e.msg);
	cr_assert_eq(store_load_state(dir, "one", &s, &e), 0, "%s", e.msg);
	cr_expect_str_eq(s.bundle, "/b");
	state_done(&s);
	cr_expect_lt(store_load_state(dir, "two", &s, &e), 0);
	cr_expect_str_eq(e.msg, "container two: its state is of another container");
}

Test(process_stat, knows_itself_from_another)
{
	struct process_stat st;
	auto_fd int fd = -1;

	cr_assert_eq(process_stat_read(getpid(), &st), 0);
	cr_expect_neq(st.start, 0);
	fd = process_open(getpid(), st.start);
	cr_expect_geq(fd, 0);
	cr_expect_eq(process_open(getpid(), st.start + 1), -ESRCH);
	cr_expect_eq(process_open(0, 0), -ESRCH);
	cr_expect_eq(process_open(-5, 0), -ESRCH);
}

Test(process_stat, a_zombie_has_ended)
{
	struct process_stat st;
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	cr_assert_eq(process_stat_read(pid, &st), 0);
	cr_expect_eq(st.state, 'Z');
	cr_expect_eq(process_open(pid, st.start), -ESRCH);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

static void *stay(void *unused)
{
	pause();
	return unused;
}

static _Noreturn void end_first_thread(void)
{
	pthread_t other;

	if (pthread_create(&other, NULL, stay, NULL) != 0)
		_exit(1);
	pthread_exit(NULL);
}

/* /proc says zombie of the whole process then, and its pidfd that it lives. */
Test(process_stat, a_process_without_its_first_thread_lives)
{
	const struct timespec step = { .tv_nsec = 1000 * 1000 };
	struct process_stat st = { 0 };
	auto_fd int fd = -1;
	pid_t pid = fork();

	if (pid == 0)
		end_first_thread();
	for (int i = 0; i < 10000 && st.state != 'Z'; i++) {
		cr_assert_eq(process_stat_read(pid, &st), 0);
		nanosleep(&step, NULL);
	}
	cr_expect_eq(st.state, 'Z');
	fd = process_open(pid, st.start);
	cr_expect_geq(fd, 0, "%d", fd);
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

/* Another create may have the name by the time that ours, removed by a delete, comes to lock it. */
Test(store, what_another_has_taken_is_not_claimed, .init = set_up, .fini = tear_down)
{
	static const char *const files[] = { "config.json", "state.json" };
	struct err e = { 0 };
	int dir;

	cr_assert_eq(mkdirat(root, "one", 0700), 0);
	dir = store_claim(root, "one", &e);
	cr_assert_geq(dir, 0, "%s", e.msg);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		cr_assert_eq(io_replace_file(dir, files[i], "{}", 2, &e), 0, "%s", e.msg);
		close(dir);
		cr_expect_eq(store_claim(root, "one", &e), -EEXIST);
		cr_expect_str_eq(e.msg, "container with given ID already exists: one");
		dir = openat(root, "one", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cr_assert_geq(dir, 0);
		cr_expect_eq(unlinkat(dir, files[i], 0), 0, "%s is gone", files[i]);
	}
	close(dir);
}

/* Annotations may be as long as config.json, of which they are a part. */
Test(store, keeps_long_annotations_and_refuses_longer, .init = set_up, .fini = tear_down)
{
	struct err e = { 0 };
	auto_fd int dir = store_reserve(root, "one", &e);
	auto_state struct state s = { 0 };
	struct state was = example();
	struct spec_pair pair = { .key = "long" };
	char *value = calloc(1, JSON_MAX_SIZE + 1);

	cr_assert(value);
	pair.value = memset(value, 'x', 2 * 1024 * 1024);
	was.annotations.at = &pair;
	was.annotations.n = 1;
	cr_assert_eq(store_save_state(dir, &was, &e), 0, "%s", e.msg);
	cr_assert_eq(store_load_state(dir, "one", &s, &e), 0, "%s", e.msg);
	cr_assert_eq(s.annotations.n, 1);
	cr_expect_str_eq(s.annotations.at[0].value, value);
	memset(value, 'x', JSON_MAX_SIZE);
	cr_expect_eq(store_save_state(dir, &was, &e), -E2BIG);
	cr_expect_eq(strncmp(e.msg, "save the state of container one: with its annotations it has ",
			     61),
		     0, "%s", e.msg);
	free(value);
}

/* A command that has no descriptor left, or cannot get the lock, leaves no directory. */
Test(store, a_reservation_that_fails_leaves_nothing, .init = set_up, .fini = tear_down)
{
	struct rlimit old, none;
	struct err e = { 0 };
	int r;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){ 0, old.rlim_max };
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = store_reserve(root, "c", &e);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	cr_expect_eq(r, -EMFILE, "%d", r);
	cr_expect_str_eq(e.msg, "open the state of container c: too many open files");
	cr_expect_eq(faccessat(root, "c", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	r = store_reserve(root, "c", &e);
	cr_expect_geq(r, 0, "%s", e.msg);
	close(r);
}
