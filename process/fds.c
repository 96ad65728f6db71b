#include "process/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/util.h"

enum { FIRST = 3 };

int fds_check(unsigned n, struct err *e)
{
	if (n > INT_MAX - FIRST)
		return err_set(e, EINVAL, "%u descriptors are more than there can be", n);
	for (unsigned i = 0; i < n; i++)
		if (fcntl((int)(FIRST + i), F_GETFD) < 0)
			return err_sys(e, "keep descriptor %u (%u of %u)", FIRST + i, i + 1, n);
	return 0;
}

static bool is_null(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

/* Opened for what it is open for. O_NONBLOCK: what lies there may be a FIFO. */
static int replace_null(int stream, struct err *e)
{
	static const char *const names[] = { "input", "output", "error" };
	int mode = fcntl(stream, F_GETFL);
	auto_fd int fd = -1;

	if (mode < 0)
		return err_sys(e, "standard %s", names[stream]);
	fd = open("/dev/null", (mode & O_ACCMODE) | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(
			e, "standard %s is the host's /dev/null; open the container's in its place",
			names[stream]);
	if (!is_null(fd))
		return err_set(
			e, EINVAL,
			"standard %s is the host's /dev/null, and the container's /dev/null, "
			"which has to take its place, is another file",
			names[stream]);
	if (fcntl(fd, F_SETFL, mode) < 0 || dup2(fd, stream) < 0)
		return err_sys(e, "standard %s: take the container's /dev/null", names[stream]);
	return 0;
}

int fds_own_null(struct err *e)
{
	for (int stream = 0; stream < FIRST; stream++)
		if (is_null(stream))
			TRY(replace_null(stream, e));
	return 0;
}

int fds_close_on_exec(unsigned kept, struct err *e)
{
	if (close_range(FIRST + kept, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return err_sys(e, "mark descriptors from %u on as close-on-exec", FIRST + kept);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

int fds_close_others(unsigned first, int *keep, size_t n, struct err *e)
{
	qsort(keep, n, sizeof(*keep), by_value);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)first)
			continue;
		if (keep[i] > (int)first && close_range(first, (unsigned)keep[i] - 1, 0) < 0)
			return err_sys(e, "close the descriptors that are not needed");
		first = (unsigned)keep[i] + 1;
	}
	if (close_range(first, ~0U, 0) < 0)
		return err_sys(e, "close the descriptors that are not needed");
	return 0;
}
