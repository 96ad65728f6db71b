/*
 * test_child.h - for tests that change the process they run in: its
 * namespaces, ids, signals. Such a part is a function that runs in a fork of
 * the test, and what it says there fails the test here:
 *
 *	static void joins(void *arg)
 *	{
 *		CHILD_ASSERT(setns(...) == 0, "errno %d", errno);
 *	}
 *
 *	Test(namespaces, joins)
 *	{
 *		need_root();
 *		expect_child(joins, NULL);
 *	}
 */
#ifndef HULL_TESTS_UNIT_TEST_CHILD_H
#define HULL_TESTS_UNIT_TEST_CHILD_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"

enum { CHILD_SECONDS = 10 };

static int child_report = -1;

/* Ends the child with this sentence. */
UNUSED _Noreturn PRINTF_LIKE(3, 4) static void child_fail(int line, const char *condition,
							  const char *fmt, ...)
{
	char text[2048];
	int len = snprintf(text, sizeof(text), "line %d: %s: ", line, condition);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + len, sizeof(text) - (size_t)len, fmt, ap);
	va_end(ap);
	_exit(write(child_report, text, strlen(text)) < 0 ? 98 : 99);
}

#define CHILD_ASSERT(condition, ...)                                   \
	do {                                                           \
		if (!(condition))                                      \
			child_fail(__LINE__, #condition, __VA_ARGS__); \
	} while (0)

#define CHILD_STR_EQ(got, expected) \
	CHILD_ASSERT(strcmp(got, expected) == 0, "\"%s\", not \"%s\"", got, expected)

/* Starts fn(arg); what it says comes out of *ret_report. */
UNUSED static pid_t child_start(void (*fn)(void *), void *arg, int *ret_report)
{
	int ends[2];
	pid_t pid;

	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child_report = ends[1];
		fn(arg);
		_exit(0);
	}
	close(ends[1]);
	*ret_report = ends[0];
	return pid;
}

/* The wait status of a child that says nothing and ends in time. */
UNUSED static int run_child(void (*fn)(void *), void *arg)
{
	char text[2048] = "";
	int report = -1, status = 0;
	pid_t pid = child_start(fn, arg, &report);
	struct pollfd end = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	bool ended = poll(&end, 1, CHILD_SECONDS * 1000) == 1;
	ssize_t n;

	if (!ended)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	fcntl(report, F_SETFL, O_NONBLOCK); /* a grandchild may live on */
	n = read(report, text, sizeof(text) - 1);
	close(report);
	close(end.fd);
	cr_assert(n <= 0, "%s", text);
	cr_assert(ended, "did not end within %d s", CHILD_SECONDS);
	return status;
}

UNUSED static void expect_child(void (*fn)(void *), void *arg)
{
	int status = run_child(fn, arg);

	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "wait status %#x", status);
}

/* Only at the start of a test. */
UNUSED static void need_root(void)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
}

/*
 * For the child: a mount namespace that the host never hears of, with an empty
 * /tmp, which goes away with it.
 */
UNUSED static void private_mounts(void)
{
	CHILD_ASSERT(unshare(CLONE_NEWNS) == 0, "errno %d", errno);
	CHILD_ASSERT(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0, "errno %d", errno);
	CHILD_ASSERT(mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") == 0, "errno %d", errno);
	CHILD_ASSERT(chdir("/tmp") == 0, "errno %d", errno);
}

/* For the child: another user's ids; readable in /proc, as an ordinary program is. */
UNUSED static void become_user(uid_t uid)
{
	CHILD_ASSERT(setgroups(0, NULL) == 0, "errno %d", errno);
	CHILD_ASSERT(setresgid(uid, uid, uid) == 0, "errno %d", errno);
	CHILD_ASSERT(setresuid(uid, uid, uid) == 0, "errno %d", errno);
	CHILD_ASSERT(prctl(PR_SET_DUMPABLE, 1) == 0, "errno %d", errno);
}

#endif
