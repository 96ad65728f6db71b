#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/spawn.h"
#include "tests/unit/test_child.h"
#include "tests/unit/test_dir.h"

TestSuite(spawn, .init = dir_make, .fini = dir_remove, .timeout = 10);

/* Runs a script of sh(1); what it is given besides comes from `more`. */
static int run_sh(const char *script, const struct spawn_request *more, struct buf *output,
		  struct err *e)
{
	const char *const argv[] = { "sh", "-c", script, NULL };
	struct spawn_request req = more ? *more : (struct spawn_request){ 0 };

	req.path = "/bin/sh";
	req.argv = argv;
	return spawn_run(&req, output, e);
}

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
 * How programs end
 */

Test(spawn, says_how_a_program_ended)
{
	static const struct {
		const char *script;
		int r;
		const char *message, *output;
	} rows[] = {
		{ "exit 0", 0, "", "" },
		{ "echo hello", 0, "", "hello" },
		{ "echo out; echo err >&2", 0, "", "out\nerr" },
		{ "printf 'no newline'", 0, "", "no newline" },
		{ "printf '\\n\\n'", 0, "", "" },
		{ "exit 1", -ECHILD, "/bin/sh ended with exit status 1", "" },
		{ "exit 127", -ECHILD, "/bin/sh ended with exit status 127", "" },
		{ "exit 255", -ECHILD, "/bin/sh ended with exit status 255", "" },
		{ "echo no such hook; exit 3", -ECHILD,
		  "/bin/sh ended with exit status 3, it said: no such hook", "no such hook" },
		{ "echo one; echo two >&2; exit 3", -ECHILD,
		  "/bin/sh ended with exit status 3, it said: one two", "one\ntwo" },
		{ "kill -TERM $$", -ECHILD, "/bin/sh was killed by signal 15", "" },
		{ "echo oh; kill -KILL $$", -ECHILD, "/bin/sh was killed by signal 9, it said: oh",
		  "oh" },
		{ "ulimit -c 0; kill -SEGV $$", -ECHILD, "/bin/sh was killed by signal 11", "" },
	};
	size_t fds = count_fds();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf output = { 0 };
		struct err e = { 0 };

		cr_expect_eq(run_sh(rows[i].script, NULL, &output, &e), rows[i].r, "%s",
			     rows[i].script);
		cr_expect_str_eq(e.msg, rows[i].message, "%s: %s", rows[i].script, e.msg);
		cr_expect_str_eq(output.text ? output.text : "", rows[i].output);
		/* without a buffer for the output, the message is the same */
		e.msg[0] = '\0';
		cr_expect_eq(run_sh(rows[i].script, NULL, NULL, &e), rows[i].r);
		cr_expect_str_eq(e.msg, rows[i].message, "%s: %s", rows[i].script, e.msg);
	}
	cr_expect_eq(run_sh("exit 1", NULL, NULL, NULL), -ECHILD);
	cr_expect_eq(count_fds(), fds);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
}

Test(spawn, says_why_a_program_does_not_start)
{
	static const char *const argv[] = { "it", NULL };
	static const struct {
		const char *path, *message;
		int code;
	} rows[] = {
		{ "/nowhere/it", "execute /nowhere/it: no such file or directory", ENOENT },
		{ "/tmp", "execute /tmp: permission denied", EACCES },
		{ "/dev/null", "execute /dev/null: permission denied", EACCES },
		{ "/etc/passwd/it", "execute /etc/passwd/it: not a directory", ENOTDIR },
		{ "", "execute : no such file or directory", ENOENT },
	};
	auto_buf struct buf output = { 0 };
	struct spawn_request req = { .argv = argv };
	struct err e = { 0 };
	char expected[200];
	size_t fds = count_fds();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		req.path = rows[i].path;
		cr_expect_eq(spawn_run(&req, &output, &e), -rows[i].code, "%s", rows[i].path);
		cr_expect_str_eq(e.msg, rows[i].message, "%s: %s", rows[i].path, e.msg);
	}

	dir_file("text", "neither a program nor a script");
	cr_assert_eq(fchmodat(dir_fd, "text", 0755, 0), 0);
	req.path = dir_at("text");
	cr_expect_eq(spawn_run(&req, &output, &e), -ENOEXEC);
	snprintf(expected, sizeof(expected), "execute %s: exec format error", req.path);
	cr_expect_str_eq(e.msg, expected);
	cr_expect_eq(output.len, 0);
	cr_expect_eq(count_fds(), fds);
	cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a child is left");
}

/* It is the directory that is missing, not the program. */
Test(spawn, says_which_directory_it_cannot_enter)
{
	struct spawn_request req = { .cwd = "/nowhere" };
	struct err e = { 0 };

	cr_expect_eq(run_sh("exit 0", &req, NULL, &e), -ENOENT);
	cr_expect_not_null(strstr(e.msg, "/nowhere"), "%s", e.msg);
}

static void ignores_its_children(void *arg UNUSED)
{
	struct err e = { 0 };
	int r;

	signal(SIGCHLD, SIG_IGN);
	r = run_sh("exit 0", NULL, NULL, &e);
	CHILD_ASSERT(r == 0, "%s", e.msg);
	r = run_sh("exit 3", NULL, NULL, &e);
	CHILD_ASSERT(r < 0, "its failure was lost");
	CHILD_STR_EQ(e.msg, "/bin/sh ended with exit status 3");
}

/* SIGCHLD may have been ignored by whoever started us, which execve(2) keeps. */
Test(spawn, learns_how_it_ended_even_where_children_are_ignored)
{
	expect_child(ignores_its_children, NULL);
}

static void waits_for_its_own(void *arg UNUSED)
{
	pid_t other = fork();
	struct err e = { 0 };
	int status = 0;

	if (other == 0)
		_exit(7);
	CHILD_ASSERT(run_sh("exit 0", NULL, NULL, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(waitpid(other, &status, 0) == other, "errno %d", errno);
	CHILD_ASSERT(WEXITSTATUS(status) == 7, "%#x", status);
}

Test(spawn, takes_no_other_child)
{
	expect_child(waits_for_its_own, NULL);
}

/*
 * Time
 */

Test(spawn, kills_what_takes_too_long)
{
	auto_buf struct buf output = { 0 };
	struct spawn_request req = { .timeout = 1 };
	struct err e = { 0 };
	int64_t start = io_now_us(), took;
	char pid[32];

	cr_expect_eq(run_sh("trap '' TERM; echo $$; exec sleep 60", &req, &output, &e), -ETIME);
	took = io_now_us() - start;
	cr_expect_str_eq(e.msg, "/bin/sh did not end within 1 s and was killed");
	cr_expect(took >= 1000000 && took < 3000000, "%lld", (long long)took);
	snprintf(pid, sizeof(pid), "%d", atoi(output.text));
	cr_expect_eq(kill(atoi(pid), 0), -1, "%s lives", pid);
}

Test(spawn, does_not_wait_for_the_timeout)
{
	struct spawn_request req = { .timeout = 60 };
	struct err e = { 0 };
	int64_t start = io_now_us();

	cr_expect_eq(run_sh("exit 0", &req, NULL, &e), 0, "%s", e.msg);
	req.timeout = ~0U;
	cr_expect_eq(run_sh("exit 0", &req, NULL, &e), 0, "%s", e.msg);
	cr_expect_lt(io_now_us() - start, 2000000);
}

/* Neither one that prints without end gets around it. */
Test(spawn, kills_what_talks_too_long)
{
	auto_buf struct buf output = { 0 };
	struct spawn_request req = { .timeout = 1 };
	struct err e = { 0 };

	cr_expect_eq(run_sh("while :; do echo y; done", &req, &output, &e), -ETIME);
	cr_expect_eq(output.len, 16 * 1024);
}

/* A grandchild keeps the pipes open, and nobody waits for it. */
Test(spawn, is_not_held_by_a_grandchild)
{
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };
	int64_t start = io_now_us();
	pid_t pid;

	cr_expect_eq(run_sh("sleep 60 & echo $!", NULL, &output, &e), 0, "%s", e.msg);
	cr_expect_lt(io_now_us() - start, 2000000);
	pid = atoi(output.text);
	cr_assert_gt(pid, 1);
	cr_expect_eq(kill(pid, SIGKILL), 0, "it was killed");
}

/*
 * Input and output
 */

struct input {
	char *bytes;
	size_t len;
};

static struct input make_input(size_t len)
{
	struct input in = { malloc(len), len };

	for (size_t i = 0; i < len; i++)
		in.bytes[i] = (char)('a' + i % 23);
	return in;
}

Test(spawn, gives_input)
{
	static const size_t sizes[] = { 0, 1, 4096, 65536, 65537, 300000 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct input in = make_input(sizes[i]);
		struct spawn_request req = { .input = in.bytes, .input_len = in.len };
		auto_buf struct buf output = { 0 };
		struct err e = { 0 };

		cr_expect_eq(run_sh("wc -c", &req, &output, &e), 0, "%s", e.msg);
		cr_expect_eq((size_t)atoi(output.text), sizes[i], "%s", output.text);
		buf_clear(&output);
		cr_expect_eq(run_sh("cat", &req, &output, &e), 0, "%s", e.msg);
		cr_expect_eq(output.len, sizes[i] < 16 * 1024 ? sizes[i] : 16 * 1024);
		cr_expect_eq(memcmp(output.text ? output.text : "", in.bytes, output.len), 0);
		free(in.bytes);
	}
}

Test(spawn, gives_no_input)
{
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	cr_expect_eq(run_sh("cat; echo end", NULL, &output, &e), 0, "%s", e.msg);
	cr_expect_str_eq(output.text, "end");
}

/* As hooks do that are scripts: `jq ... /dev/stdin`. */
Test(spawn, gives_input_that_can_be_opened)
{
	struct spawn_request req = { .input = "{}", .input_len = 2 };
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	cr_expect_eq(run_sh("cat /dev/stdin", &req, &output, &e), 0, "%s", e.msg);
	cr_expect_str_eq(output.text ? output.text : "", "{}");
}

/* A program need not read; we neither wait for that nor get SIGPIPE. */
Test(spawn, input_may_stay_unread)
{
	static const char *const scripts[] = { "exit 0", "exec <&-; sleep 0.1; echo x",
					       "head -c 10 >/dev/null; exec <&-; sleep 0.1; echo x",
					       "sleep 0.1; echo x" };
	struct input in = make_input(1000000);
	struct spawn_request req = { .input = in.bytes, .input_len = in.len };

	signal(SIGPIPE, SIG_DFL);
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		auto_buf struct buf output = { 0 };
		struct err e = { 0 };

		cr_expect_eq(run_sh(scripts[i], &req, &output, &e), 0, "%s: %s", scripts[i], e.msg);
		cr_expect_str_eq(output.text ? output.text : "", i ? "x" : "");
	}
	free(in.bytes);
}

/* A program that reads and prints at the same time, both more than pipes hold. */
Test(spawn, gives_and_takes_at_once)
{
	struct input in = make_input(500000);
	struct spawn_request req = { .input = in.bytes, .input_len = in.len, .timeout = 5 };
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	cr_expect_eq(run_sh("tee /dev/stderr; cat", &req, &output, &e), 0, "%s", e.msg);
	cr_expect_eq(output.len, 16 * 1024);
	free(in.bytes);
}

Test(spawn, keeps_the_first_of_a_long_output)
{
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	cr_expect_eq(run_sh("echo start; yes | head -c 300000", NULL, &output, &e), 0, "%s", e.msg);
	cr_expect_eq(strncmp(output.text, "start\ny\ny\n", 10), 0);
	cr_expect_geq(output.len, 16 * 1024 - 1);
	cr_expect_leq(output.len, 16 * 1024);
}

/* What a program says at last is why it failed. */
Test(spawn, says_the_last_of_what_a_program_said)
{
	struct err e = { 0 };

	cr_expect_eq(run_sh("yes x | head -n 600; echo the reason; exit 1", NULL, NULL, &e),
		     -ECHILD);
	cr_expect_not_null(strstr(e.msg, "x x the reason"), "%s", e.msg);
	cr_expect_lt(strlen(e.msg), 600);
	cr_expect_eq(run_sh("yes x | head -n 60000; echo the reason; exit 1", NULL, NULL, &e),
		     -ECHILD);
	cr_expect_not_null(strstr(e.msg, "x x the reason"), "after much: %s", e.msg);
	cr_expect_lt(strlen(e.msg), 600);
}

Test(spawn, adds_to_the_output)
{
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	buf_str(&output, "before\n");
	cr_expect_eq(run_sh("exit 0", NULL, &output, &e), 0, "%s", e.msg);
	cr_expect_str_eq(output.text, "before\n");
	cr_expect_eq(run_sh("echo said; exit 1", NULL, &output, &e), -ECHILD);
	cr_expect_str_eq(output.text, "before\nsaid");
	cr_expect_str_eq(e.msg, "/bin/sh ended with exit status 1, it said: said");

	buf_clear(&output);
	memset(buf_reserve(&output, 20000), 'x', 20000);
	output.len = 20000;
	cr_expect_eq(run_sh("echo said", NULL, &output, &e), 0, "%s", e.msg);
	cr_expect_eq(output.len, 20004);
}

Test(spawn, what_a_program_said_is_one_line_of_the_message)
{
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	cr_expect_eq(run_sh("printf 'a\\nb\\033[1m\\tc\\0d%%s\\377'; exit 1", NULL, &output, &e),
		     -ECHILD);
	cr_expect_eq(strpbrk(e.msg, "\n\t\033"), NULL);
	cr_expect_eq(strncmp(e.msg, "/bin/sh ended with exit status 1, it said: a b [1m c", 52), 0,
		     "%s", e.msg);
	cr_expect_eq(output.len, 14);
	cr_expect_eq(memcmp(output.text, "a\nb\033[1m\tc\0d%s\377", 14), 0);
}

/*
 * What programs get of us
 */

Test(spawn, gives_the_environment_of_the_request)
{
	static const char *const some[] = { "A=1", "B=two words", NULL };
	static const char *const argv[] = { "env", NULL };
	struct spawn_request req = { .path = "/usr/bin/env", .argv = argv };
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	setenv("SECRET", "1", 1);
	cr_expect_eq(spawn_run(&req, &output, &e), 0, "%s", e.msg);
	cr_expect_str_eq(output.text ? output.text : "", "");
	req.envp = some;
	cr_expect_eq(spawn_run(&req, &output, &e), 0, "%s", e.msg);
	cr_expect_str_eq(output.text, "A=1\nB=two words");
}

Test(spawn, gives_the_arguments_as_they_are)
{
	static const char *const argv[] = { "a name", "-c", "echo $0 $#; printf '<%s>' \"$@\"",
					    "x",      "",   "a b",
					    "*",      NULL };
	struct spawn_request req = { .path = "/bin/sh", .argv = argv };
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	cr_expect_eq(spawn_run(&req, &output, &e), 0, "%s", e.msg);
	cr_expect_str_eq(output.text, "x 3\n<><a b><*>");
}

Test(spawn, starts_in_the_directory_of_the_request)
{
	struct spawn_request req = { .cwd = "/" };
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	cr_assert_eq(fchdir(dir_fd), 0);
	cr_expect_eq(run_sh("pwd -P", &req, &output, &e), 0, "%s", e.msg);
	cr_expect_str_eq(output.text, "/");
	buf_clear(&output);
	req.cwd = NULL;
	cr_expect_eq(run_sh("pwd -P", &req, &output, &e), 0, "%s", e.msg);
	cr_expect_str_eq(output.text, dir_path);
}

Test(spawn, leaks_no_descriptor)
{
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	/* neither low nor high ones, though they are not close-on-exec */
	cr_assert_geq(dup(dir_fd), 0);
	cr_assert_eq(dup2(dir_fd, 200), 200);
	cr_expect_eq(run_sh("ls /proc/$$/fd", NULL, &output, &e), 0, "%s", e.msg);
	cr_expect_str_eq(output.text, "0\n1\n2");
}

static void ignores_signals(void *arg UNUSED)
{
	auto_buf struct buf output = { 0 };
	static const unsigned long ignore[4] = { (unsigned long)SIG_IGN };
	struct err e = { 0 };
	sigset_t all;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sig != SIGCHLD)
			signal(sig, SIG_IGN);
	/* one that glibc doesn't let us set, but its posix_spawn does */
	CHILD_ASSERT(syscall(SYS_rt_sigaction, 32, ignore, NULL, 8) == 0, "errno %d", errno);
	sigfillset(&all);
	CHILD_ASSERT(sigprocmask(SIG_SETMASK, &all, NULL) == 0, "errno %d", errno);
	CHILD_ASSERT(run_sh("exec cat /proc/self/status", NULL, &output, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(strstr(output.text, "\nSigBlk:\t0000000000000000\n"
					 "SigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n"),
		     "%s", output.text);
}

Test(spawn, starts_with_default_signals)
{
	expect_child(ignores_signals, NULL);
}

static void resets_signals(void *arg UNUSED)
{
	struct sigaction action;
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		signal(sig, SIG_IGN);
	spawn_reset_signals();
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sigaction(sig, NULL, &action) == 0)
			CHILD_ASSERT(action.sa_handler == SIG_DFL, "signal %d", sig);
	sigprocmask(SIG_SETMASK, NULL, &set);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		CHILD_ASSERT(sigismember(&set, sig) == 0, "signal %d", sig);
}

Test(spawn, resets_signals)
{
	expect_child(resets_signals, NULL);
}

/* A signal that we handle meanwhile does not end the wait. */

static void on_alarm(int sig UNUSED)
{
}

static void is_interrupted(void *arg UNUSED)
{
	struct sigaction action = { .sa_handler = on_alarm }; /* no SA_RESTART */
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } };
	struct spawn_request req = { .input = "x", .input_len = 1, .timeout = 5 };
	auto_buf struct buf output = { 0 };
	struct err e = { 0 };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	CHILD_ASSERT(run_sh("sleep 0.2; cat", &req, &output, &e) == 0, "%s", e.msg);
	CHILD_STR_EQ(output.text, "x");
}

Test(spawn, waits_through_signals)
{
	expect_child(is_interrupted, NULL);
}

static void has_no_descriptors_left(void *arg UNUSED)
{
	struct rlimit few = { (rlim_t)(size_t)arg, 1024 };
	struct err e = { 0 };
	size_t before = count_fds();
	int r;

	CHILD_ASSERT(setrlimit(RLIMIT_NOFILE, &few) == 0, "errno %d", errno);
	r = run_sh("exit 0", NULL, NULL, &e);
	few.rlim_cur = 1024;
	CHILD_ASSERT(setrlimit(RLIMIT_NOFILE, &few) == 0, "errno %d", errno);
	CHILD_ASSERT(r == -EMFILE, "%d: %s", r, e.msg);
	CHILD_ASSERT(strstr(e.msg, " /bin/sh: too many open files") != NULL, "%s", e.msg);
	CHILD_ASSERT(count_fds() == before, "leaks");
}

/* However far it comes: nothing is left. */
Test(spawn, says_that_there_are_no_descriptors)
{
	int lowest = dup(dir_fd);

	cr_assert_geq(lowest, 0);
	for (int fd = lowest; fd < 64; fd++)
		dup2(dir_fd, fd);
	for (int room = 0; room <= 6; room++)
		expect_child(has_no_descriptors_left, (void *)(size_t)(64 + room));
}

/*
 * Descriptors
 */

Test(spawn, hands_on_the_descriptors_that_were_asked_for_and_no_others)
{
	auto_buf struct buf said = { 0 };
	struct spawn_fd fds[2];
	struct err e = { 0 };
	int a, b;

	dir_file("a", "from a\n");
	dir_file("b", "from b\n");
	a = openat(dir_fd, "a", O_RDONLY | O_CLOEXEC);
	b = openat(dir_fd, "b", O_RDONLY | O_CLOEXEC);
	/* Crosswise: the number of each is where the other goes, or standard input. */
	fds[0] = (struct spawn_fd){ a, STDIN_FILENO };
	fds[1] = (struct spawn_fd){ b, a };
	{
		char script[128];
		struct spawn_request more = { .fds = fds, .fds_n = 2, .dies_with_us = true };

		snprintf(script, sizeof(script),
			 "cat; cat /proc/self/fd/%d; ls /proc/self/fd | wc -l", a);
		cr_assert_eq(run_sh(script, &more, &said, &e), 0, "%s", e.msg);
	}
	/* ls(1) has 0, 1, 2, ours and the directory that it reads. */
	cr_assert_str_eq(said.text, "from a\nfrom b\n5");
}

Test(spawn, fails_when_a_descriptor_cannot_be_handed_on)
{
	const struct spawn_fd fds[] = { { 1000, 5 } };
	struct spawn_request more = { .fds = fds, .fds_n = 1 };
	struct err e = { 0 };

	cr_assert_eq(run_sh("exit 0", &more, NULL, &e), -EBADF);
	cr_assert_str_eq(e.msg, "execute /bin/sh: bad file descriptor");
}

Test(spawn, keeps_the_answer_apart)
{
	auto_buf struct buf answer = { 0 }, kept = { 0 };
	int status = -1;
	struct spawn_request req = { .answer = &answer,
				     .answer_max = 200000,
				     .wait_status = &status };
	struct err e = { 0 };

	cr_expect_eq(run_sh("echo out; echo err >&2", &req, &kept, &e), 0, "%s", e.msg);
	cr_expect_str_eq(kept.text, "err");
	cr_expect_str_eq(answer.text, "out\n");
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	/* What it says on standard error is what a message has. */
	cr_expect_eq(run_sh("echo out; echo err >&2; exit 3", &req, &kept, &e), -ECHILD);
	cr_expect_not_null(strstr(e.msg, "ended with exit status 3, it said: err"));
	cr_expect_null(strstr(e.msg, "out"));
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	cr_expect_eq(run_sh("kill -9 $$", &req, NULL, &e), -ECHILD);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == 9);
	/* All of it, of a program that ends at once, and up to the limit. */
	buf_clear(&answer);
	cr_expect_eq(run_sh("head -c 200000 /dev/zero", &req, NULL, &e), 0, "%s", e.msg);
	cr_expect_eq(answer.len, 200000);
}

/* While it writes: it never ends by itself, nor does what it leaves behind. */
Test(spawn, ends_a_program_that_answers_too_much)
{
	static const char *const scripts[] = {
		"exec cat /dev/zero",
		"cat /dev/zero & wait",
		"head -c 1001 /dev/zero; exit 3",
	};
	size_t fds = count_fds();

	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		auto_buf struct buf answer = { 0 };
		struct spawn_request req = { .answer = &answer, .answer_max = 1000 };
		struct err e = { 0 };

		cr_expect_eq(run_sh(scripts[i], &req, NULL, &e), -EFBIG, "%s", scripts[i]);
		cr_expect_str_eq(e.msg, "/bin/sh answered with more than 1000 bytes");
		cr_expect_leq(answer.len, 1000);
	}
	cr_expect_eq(count_fds(), fds);
}

/*
 * A program that is to die with us
 */

/* From now on, whoever calls prctl(2) waits for our answer. */
static int watch_prctl(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_prctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { ARRAY_LEN(code), code };

	CHILD_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "errno %d", errno);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &filter);
}

/* Its maker dies after it was made, and before it could ask to be told of that. */
static void is_killed_between(void *arg UNUSED)
{
	struct spawn_request req = { .dies_with_us = true };
	struct seccomp_notif asked = { 0 };
	struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	int listener, status = 0;
	pid_t maker;

	CHILD_ASSERT(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0, "errno %d", errno);
	listener = watch_prctl();
	CHILD_ASSERT(listener >= 0, "errno %d", errno);
	maker = fork();
	if (maker == 0)
		_exit(run_sh("echo it runs >ran", &req, NULL, NULL) == 0 ? 0 : 1);
	CHILD_ASSERT(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) == 0, "errno %d", errno);
	CHILD_ASSERT((pid_t)asked.pid != maker && asked.data.args[0] == PR_SET_PDEATHSIG,
		     "prctl(%d)", (int)asked.data.args[0]);
	kill(maker, SIGKILL);
	CHILD_ASSERT(waitpid(maker, &status, 0) == maker, "errno %d", errno);
	answer.id = asked.id;
	CHILD_ASSERT(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0, "errno %d", errno);
	CHILD_ASSERT(waitpid((pid_t)asked.pid, &status, 0) > 0, "errno %d", errno);
	CHILD_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 127, "wait status %#x", status);
}

Test(spawn, a_program_that_is_to_die_with_us_does_so_from_its_first_moment)
{
	cr_assert_eq(fchdir(dir_fd), 0);
	expect_child(is_killed_between, NULL);
	cr_expect_eq(faccessat(dir_fd, "ran", F_OK, 0), -1);
}
