/* Locks that are waited for until a deadline. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/lock.h"
#include "tests/unit/test_child.h"
#include "tests/unit/test_dir.h"

TestSuite(lock, .init = dir_make, .fini = dir_remove, .timeout = 30);

enum { LONG = 20 /* seconds: longer than any of this takes */, HERE = 7 /* a byte */ };

static int open_file(void)
{
	int fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	return fd;
}

static int whole(int fd, unsigned seconds)
{
	return lock_file(fd, seconds);
}

static int byte(int fd, unsigned seconds)
{
	return lock_byte(fd, HERE, seconds);
}

static int (*const kinds[])(int fd, unsigned seconds) = { whole, byte };

Test(lock, is_one_descriptions_until_that_is_closed)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int first = open_file(), second = open_file();

		cr_expect_eq(kinds[i](first, LONG), 0);
		cr_expect_eq(kinds[i](first, LONG), 0, "it has it already");
		cr_expect_eq(kinds[i](second, 0), -ETIMEDOUT);
		close(first);
		cr_expect_eq(kinds[i](second, 0), 0);
		close(second);
	}
	cr_expect_eq(kinds[0](-1, LONG), -EBADF);
	cr_expect_eq(kinds[1](-1, LONG), -EBADF);
}

Test(lock, bytes_are_apart)
{
	auto_fd int first = open_file(), second = open_file();

	cr_expect_eq(lock_byte(first, HERE, 0), 0);
	cr_expect_eq(lock_byte(second, HERE + 1, 0), 0);
	cr_expect_eq(lock_byte(second, HERE, 0), -ETIMEDOUT);
	cr_expect_eq(lock_byte(second, INT64_MAX, 0), 0);
}

/* The deadline is kept, and whoever waited in our place is gone then. */
Test(lock, is_given_up_at_the_deadline)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		auto_fd int first = open_file(), second = open_file();
		int64_t began;

		cr_assert_eq(kinds[i](first, 0), 0);
		began = io_now_us();
		cr_expect_eq(kinds[i](second, 1), -ETIMEDOUT);
		cr_expect_geq(io_now_us() - began, 1000000);
		cr_expect_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1, "a child is left");
		/* Nor does it come by the lock later. */
		close_fd(&first);
		first = open_file();
		cr_expect_eq(kinds[i](first, 0), 0);
	}
}

struct held {
	int fd, ready, go;
	size_t kind;
};

/* Another process has the lock, and lets go of it when it is told to. */
static void holds(void *arg)
{
	const struct held *h = arg;
	int fd = openat(dir_fd, "lock", O_RDWR);
	char byte;

	CHILD_ASSERT(kinds[h->kind](fd, 0) == 0, "errno %d", errno);
	CHILD_ASSERT(write(h->ready, "", 1) == 1, "errno %d", errno);
	CHILD_ASSERT(read(h->go, &byte, 1) == 1, "errno %d", errno);
}

static void on_signal(int sig UNUSED)
{
}

static void waits(void *arg)
{
	const struct held *h = arg;

	/* Ignored children, as some shells hand on: its end is still seen. */
	signal(SIGCHLD, SIG_IGN);
	/* What the whole group gets, as by Control-C, is ours to handle. */
	signal(SIGINT, on_signal);
	CHILD_ASSERT(setpgid(0, 0) == 0, "errno %d", errno);
	CHILD_ASSERT(kinds[h->kind](h->fd, LONG) == 0, "it was not given");
	CHILD_ASSERT(write(h->ready, "", 1) == 1, "errno %d", errno);
}

/* Until it has one: that which waits in its place. */
static void wait_for_child(pid_t pid)
{
	char path[64], children[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	if (access(path, R_OK) < 0)
		cr_skip_test("needs a kernel with CONFIG_PROC_CHILDREN");
	while (io_read_value(AT_FDCWD, path, children, sizeof(children)) == 0 && !children[0])
		usleep(1000);
}

Test(lock, is_waited_for)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		int ready[2], go[2], got[2], reports[2], status;
		auto_fd int other = open_file();
		struct held holder, waiter;
		pid_t pids[2];
		char byte;

		cr_assert(pipe2(ready, O_CLOEXEC) == 0 && pipe2(go, O_CLOEXEC) == 0 &&
			  pipe2(got, O_CLOEXEC) == 0);
		holder = (struct held){ -1, ready[1], go[0], i };
		waiter = (struct held){ open_file(), got[1], -1, i };
		pids[0] = child_start(holds, &holder, &reports[0]);
		cr_assert_eq(read(ready[0], &byte, 1), 1);
		pids[1] = child_start(waits, &waiter, &reports[1]);
		wait_for_child(pids[1]);
		cr_assert_eq(kill(-pids[1], SIGINT), 0, "errno %d", errno);
		cr_assert_eq(write(go[1], "", 1), 1);
		cr_assert_eq(read(got[0], &byte, 1), 1);
		/* It is the waiter's descriptor that has it, and we have that too. */
		for (size_t k = 0; k < ARRAY_LEN(pids); k++) {
			cr_assert_eq(waitpid(pids[k], &status, 0), pids[k]);
			cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			close(reports[k]);
		}
		cr_expect_eq(kinds[i](other, 0), -ETIMEDOUT);
		close(waiter.fd);
		cr_expect_eq(kinds[i](other, 0), 0);
		for (int k = 0; k < 2; k++)
			close(ready[k]), close(go[k]), close(got[k]);
	}
}

/* clone3(2) fails for the calling process from now on, as where no process may be made any more. */
static void forbid_processes(void)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { ARRAY_LEN(steps), steps };

	CHILD_ASSERT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "errno %d", errno);
	CHILD_ASSERT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "errno %d", errno);
}

static void waits_itself(void *arg UNUSED)
{
	int first = open_file(), second = open_file(), r;

	CHILD_ASSERT(whole(first, 0) == 0, "errno %d", errno);
	if (fork() == 0) { /* has the lock, too, until it ends */
		usleep(300 * 1000);
		_exit(0);
	}
	close(first);
	forbid_processes();
	r = whole(second, LONG);
	CHILD_ASSERT(r == 0, "%d", r);
	first = open_file();
	r = whole(first, 1);
	CHILD_ASSERT(r == -ETIMEDOUT, "%d", r);
}

Test(lock, is_waited_for_where_no_process_can_be_made)
{
	expect_child(waits_itself, NULL);
}
