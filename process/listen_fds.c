#include "process/listen_fds.h"

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"

/* Digits only, and not more than `limit`. */
static bool number(const char *s, unsigned limit, unsigned *ret)
{
	unsigned value = 0;

	if (!s || *s == '\0')
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		value = value * 10 + (unsigned)(*s - '0');
		if (value > limit)
			return false;
	}
	*ret = value;
	return true;
}

unsigned listen_fds_count(pid_t self)
{
	const unsigned pid_limit = 1U << 22;     /* PID_MAX_LIMIT of linux/threads.h */
	const char *whom = getenv("LISTEN_PID"); /* NOLINT(concurrency-mt-unsafe) */
	const char *fds = getenv("LISTEN_FDS");  /* NOLINT(concurrency-mt-unsafe) */
	unsigned pid, n;

	if (!number(whom, pid_limit, &pid) || pid != (unsigned)self ||
	    !number(fds, LISTEN_FDS_MAX, &n))
		return 0;
	for (unsigned i = 0; i < n; i++)
		if (fcntl(LISTEN_FDS_START + (int)i, F_GETFD) < 0)
			return 0;
	return n;
}

size_t listen_fds_env(unsigned n, const char *names, pid_t inside, struct arena *a,
		      const char *ret[LISTEN_FDS_ENV_MAX])
{
	size_t entries = 0;

	if (n == 0)
		return 0;
	if (!names)
		names = getenv("LISTEN_FDNAMES"); /* NOLINT(concurrency-mt-unsafe) */
	ret[entries++] = arena_printf(a, "LISTEN_FDS=%u", n);
	ret[entries++] = arena_printf(a, "LISTEN_PID=%d", inside);
	if (names)
		ret[entries++] = arena_printf(a, "LISTEN_FDNAMES=%s", names);
	return entries;
}

int listen_fds_above(unsigned n, int *fd, struct err *e)
{
	int moved;

	if (*fd < LISTEN_FDS_START || *fd >= LISTEN_FDS_START + (int)n)
		return 0;
	moved = fcntl(*fd, F_DUPFD_CLOEXEC, LISTEN_FDS_START + (int)n);
	if (moved < 0)
		return err_sys(e, "make room for the program's sockets");
	close(*fd);
	*fd = moved;
	return 0;
}

/* First all of them above their places: one may stand in another's. */
int listen_fds_place(const int *fds, unsigned n, struct err *e)
{
	int above[LISTEN_FDS_PLACED_MAX];

	assert(n <= LISTEN_FDS_PLACED_MAX);
	for (unsigned i = 0; i < n; i++) {
		above[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, LISTEN_FDS_START + (int)n);
		if (above[i] < 0)
			return err_sys(e, "keep the program's socket %u", i + 1);
	}
	for (unsigned i = 0; i < n; i++) {
		if (dup3(above[i], LISTEN_FDS_START + (int)i, O_CLOEXEC) < 0)
			return err_sys(e, "place the program's socket %u", i + 1);
		close(above[i]);
	}
	return 0;
}
