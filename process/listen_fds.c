#include "process/listen_fds.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

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

size_t listen_fds_env(unsigned n, pid_t inside, struct arena *a,
		      const char *ret[LISTEN_FDS_ENV_MAX])
{
	const char *names = getenv("LISTEN_FDNAMES"); /* NOLINT(concurrency-mt-unsafe) */
	size_t entries = 0;

	if (n == 0)
		return 0;
	ret[entries++] = arena_printf(a, "LISTEN_FDS=%u", n);
	ret[entries++] = arena_printf(a, "LISTEN_PID=%d", inside);
	if (names)
		ret[entries++] = arena_printf(a, "LISTEN_FDNAMES=%s", names);
	return entries;
}
