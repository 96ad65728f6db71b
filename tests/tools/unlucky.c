/*
 * unlucky.c - to be preloaded (LD_PRELOAD): memory that is not there, a clock that jumps.
 *
 *	UNLUCKY_MEMORY=N       the Nth allocation of each process fails with ENOMEM, the others do not;
 *	                       who was forked goes on counting where his parent was
 *	UNLUCKY_MEMORY=N+      ... and all after it
 *	UNLUCKY_CLOCK=SECONDS  each time that CLOCK_REALTIME is read it is this much later, or earlier,
 *	                       than it is, in turn
 *	UNLUCKY_REPORT=FILE    gets a line, "memory", when an allocation has failed, and "clock" when a
 *	                       process has looked at the clock first
 *
 * Only programs whose name begins with "hull" are unlucky; those that they call are not. The C
 * library's own look at the clock is not reached, and no static program is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);

static unsigned long allocations, failing;
static bool from_then_on;
static long jump;
static const char *report;

__attribute__((constructor)) static void begin(void)
{
	const char *memory = getenv("UNLUCKY_MEMORY"), *clock = getenv("UNLUCKY_CLOCK");
	char *end;

	if (strncmp(program_invocation_short_name, "hull", 4) != 0)
		return;
	report = getenv("UNLUCKY_REPORT");
	jump = clock ? strtol(clock, NULL, 10) : 0;
	allocations = 0;
	failing = memory ? strtoul(memory, &end, 10) : 0;
	from_then_on = memory && *end == '+';
}

static void tell(const char *line)
{
	int fd = report ? open(report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;

	if (fd >= 0 && write(fd, line, strlen(line)) != (ssize_t)strlen(line))
		abort();
	if (fd >= 0)
		close(fd);
}

static bool fails(void)
{

	allocations++;
	if (!failing || allocations < failing || (allocations > failing && !from_then_on))
		return false;
	if (allocations == failing)
		tell("memory\n");
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, bytes);
}

/* The jumps of one process: later, earlier, later ... */
static long jumped(void)
{
	static unsigned long times;

	if (jump && times == 0)
		tell("clock\n");
	return jump ? (times++ % 2 ? -jump : jump) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ts);

	if (r == 0 && clock == CLOCK_REALTIME)
		ts->tv_sec += jumped();
	return r;
}

time_t time(time_t *ret)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (ret)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}
