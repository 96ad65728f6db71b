#include <criterion/criterion.h>

#include "process/fds.h"
#include "test_child.h"

static void keeps_what_is_asked_for(void *arg)
{
	struct err e = { 0 };

	(void)arg;
	child_report = fcntl(child_report, F_DUPFD_CLOEXEC, 100);
	for (int fd = 3; fd < 100; fd++)
		close(fd);
	for (int fd = 3; fd < 7; fd++)
		CHILD_ASSERT(dup2(STDIN_FILENO, fd) == fd, "errno %d", errno);
	CHILD_ASSERT(fds_check(0, &e) == 0 && fds_check(4, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(fds_check(5, &e) == -EBADF, "no error");
	CHILD_STR_EQ(e.msg, "keep descriptor 7 (5 of 5): bad file descriptor");
	CHILD_ASSERT(fds_check(~0U, &e) == -EINVAL, "no error");
	CHILD_STR_EQ(e.msg, "4294967295 descriptors are more than there can be");
	CHILD_ASSERT(fds_close_on_exec(2, &e) == 0, "%s", e.msg);
	for (int fd = 0; fd < 7; fd++)
		CHILD_ASSERT(fcntl(fd, F_GETFD) == (fd < 5 ? 0 : FD_CLOEXEC), "descriptor %d", fd);
}

Test(fds, are_kept_or_closed)
{
	expect_child(keeps_what_is_asked_for, NULL);
}

static void closes_others(void *arg)
{
	int keep[] = { -1, 9, 1, 5, -1 };
	struct err e = { 0 };

	(void)arg;
	for (int fd = 3; fd < 12; fd++)
		if (fd != child_report)
			CHILD_ASSERT(dup2(STDIN_FILENO, fd) == fd, "errno %d", errno);
	child_report = fcntl(child_report, F_DUPFD_CLOEXEC, 100);
	keep[4] = child_report;
	CHILD_ASSERT(fds_close_others(3, keep, ARRAY_LEN(keep), &e) == 0, "%s", e.msg);
	for (int fd = 0; fd < 200; fd++)
		CHILD_ASSERT((fcntl(fd, F_GETFD) >= 0) ==
				     (fd < 3 || fd == 5 || fd == 9 || fd == child_report),
			     "descriptor %d", fd);
}

Test(fds, others_are_closed)
{
	expect_child(closes_others, NULL);
}
