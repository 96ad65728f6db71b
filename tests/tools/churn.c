/*
 * churn - creates, starts and deletes many containers, some at the same time.
 *
 *	churn CYCLES PARALLEL PREFIX HULL-COMMAND... -- BUNDLE
 *
 * Runs `HULL-COMMAND create --bundle BUNDLE PREFIX-N`, `... start PREFIX-N` and
 * `... delete --force PREFIX-N` for each N, and prints as JSON, for the first and
 * the last tenth of the cycles, the median time of one in microseconds, the most
 * memory that a hull had in KiB, and the median of a yardstick: what three calls of
 * `HULL-COMMAND --version` took between the verbs, which says how busy the machine
 * was just then. The exit status is 1 if any hull failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ARGS = 32, VERBS = 3, YARDSTICK = VERBS };

struct cycle {
	long time_us, yardstick_us, peak_kib;
};

static char *args[MAX_ARGS];
static int n_args;
static char *bundle, *prefix;
static int null;

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* One hull to its end; its peak memory, or -1 if it failed. */
static long run_hull(int verb, char *id)
{
	static char *const words[VERBS + 1][3] = { { "create", "--bundle", NULL },
						   { "start", NULL, NULL },
						   { "delete", "--force", NULL },
						   [YARDSTICK] = { "--version", NULL, NULL } };
	char *argv[MAX_ARGS + 8];
	struct rusage usage;
	int n = n_args, status;
	pid_t pid;

	memcpy(argv, args, sizeof(*args) * (size_t)n);
	for (int i = 0; i < 3 && words[verb][i]; i++)
		argv[n++] = words[verb][i];
	if (verb == 0)
		argv[n++] = bundle;
	if (verb != YARDSTICK)
		argv[n++] = id;
	argv[n] = NULL;
	pid = vfork();
	if (pid == 0) {
		if (verb == YARDSTICK)
			dup2(null, STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return -1;
	if (status != 0) {
		fprintf(stderr, "churn: %s %s: wait status %#x\n", words[verb][0], id,
			(unsigned)status);
		return -1;
	}
	return usage.ru_maxrss;
}

static void run_cycle(int number, int report)
{
	struct {
		int number;
		struct cycle cycle;
	} r = { .number = number };
	char id[256];

	snprintf(id, sizeof(id), "%s-%d", prefix, number);
	for (int verb = 0; verb < VERBS; verb++) {
		long begin = now_us(), middle, peak = run_hull(verb, id);

		middle = now_us();
		if (peak < 0 || run_hull(YARDSTICK, id) < 0)
			_exit(1);
		if (peak > r.cycle.peak_kib)
			r.cycle.peak_kib = peak;
		r.cycle.time_us += middle - begin;
		r.cycle.yardstick_us += now_us() - middle;
	}
	_exit(write(report, &r, sizeof(r)) == sizeof(r) ? 0 : 1);
}

static int by_time(const void *a, const void *b)
{
	long x = ((const struct cycle *)a)->time_us, y = ((const struct cycle *)b)->time_us;

	return x < y ? -1 : x > y;
}

static int by_yardstick(const void *a, const void *b)
{
	long x = ((const struct cycle *)a)->yardstick_us;
	long y = ((const struct cycle *)b)->yardstick_us;

	return x < y ? -1 : x > y;
}

static void print_tenth(const char *name, struct cycle *at, int n)
{
	long peak = 0, yardstick;

	qsort(at, (size_t)n, sizeof(*at), by_yardstick);
	yardstick = at[n / 2].yardstick_us;
	qsort(at, (size_t)n, sizeof(*at), by_time);
	for (int i = 0; i < n; i++)
		if (at[i].peak_kib > peak)
			peak = at[i].peak_kib;
	printf("\"%s\": {\"median_us\": %ld, \"yardstick_us\": %ld, \"peak_kib\": %ld}", name,
	       at[n / 2].time_us, yardstick, peak);
}

int main(int argc, char **argv)
{
	int cycles, parallel, running = 0, failed = 0, report[2], tenth;
	struct {
		int number;
		struct cycle cycle;
	} r;
	struct cycle *all;

	if (argc < 7 || argc - 4 > MAX_ARGS || strcmp(argv[argc - 2], "--") != 0) {
		fprintf(stderr, "usage: churn CYCLES PARALLEL PREFIX HULL... -- BUNDLE\n");
		return 2;
	}
	cycles = atoi(argv[1]);
	parallel = atoi(argv[2]);
	prefix = argv[3];
	bundle = argv[argc - 1];
	n_args = argc - 6;
	memcpy(args, argv + 4, sizeof(*args) * (size_t)n_args);
	all = calloc((size_t)cycles + 1, sizeof(*all));
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!all || null < 0 || pipe2(report, O_CLOEXEC) < 0)
		return 2;
	for (int started = 0; started < cycles || running > 0;) {
		int status;

		if (started < cycles && running < parallel) {
			pid_t pid = fork();

			if (pid == 0)
				run_cycle(started, report[1]);
			if (pid < 0)
				return 2;
			started++;
			running++;
			continue;
		}
		if (wait(&status) < 0)
			return 2;
		running--;
		if (status != 0)
			failed++;
		else if (read(report[0], &r, sizeof(r)) == sizeof(r))
			all[r.number] = r.cycle;
	}
	tenth = cycles >= 10 ? cycles / 10 : 1;
	/* The first and last ones have fewer beside them; so a tenth from within each end. */
	if (cycles >= 4 * parallel && cycles - 2 * parallel >= 2 * tenth) {
		printf("{\"failed\": %d, ", failed);
		print_tenth("first", all + parallel, tenth);
		printf(", ");
		print_tenth("last", all + cycles - parallel - tenth, tenth);
	} else {
		printf("{\"failed\": %d, ", failed);
		print_tenth("first", all, tenth);
		printf(", ");
		print_tenth("last", all + cycles - tenth, tenth);
	}
	printf("}\n");
	return failed > 0;
}
