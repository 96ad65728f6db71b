#include "process/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>

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
