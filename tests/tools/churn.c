/*
 * churn - creates, starts and deletes many containers, some at the same time.
 *
 *	churn CYCLES PARALLEL PREFIX HULL-COMMAND... -- BUNDLE
 *
 * Runs `HULL-COMMAND create --bundle BUNDLE PREFIX-N`, `... start PREFIX-N` and
 * `... delete --force PREFIX-N` for each N. Then some more, one at a time, in turns
 * with the state directory of those before (the word behind --root) and with one
 * of its own, "DIRECTORY.fresh": if what was there before made hull slower, these
 * differ, whatever else the machine does. Prints as JSON the median times of the
 * two in microseconds, and the most memory that a hull had in KiB in the first and
 * the last tenth of the cycles. The exit status is 1 if any hull failed.
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

enum { MAX_ARGS = 32, VERBS = 3, TURNS = 41 };

struct cycle {
	long time_us, peak_kib;
};

static char *args[MAX_ARGS];
static int n_args;
static char *bundle, *prefix;

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* One hull to its end; its peak memory, or -1 if it failed. */
static long run_hull(int verb, char *id)
{
	static char *const words[VERBS][3] = { { "create", "--bundle", NULL },
					       { "start", NULL, NULL },
					       { "delete", "--force", NULL } };
	char *argv[MAX_ARGS + 8];
	struct rusage usage;
	int n = n_args, status;
	pid_t pid;

	memcpy(argv, args, sizeof(*args) * (size_t)n);
	for (int i = 0; i < 3 && words[verb][i]; i++)
		argv[n++] = words[verb][i];
	if (verb == 0)
		argv[n++] = bundle;
	argv[n++] = id;
	argv[n] = NULL;
	pid = vfork();
	if (pid == 0) {
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
	long begin = now_us();
	char id[256];

	snprintf(id, sizeof(id), "%s-%d", prefix, number);
	for (int verb = 0; verb < VERBS; verb++) {
		long peak = run_hull(verb, id);

		if (peak < 0)
			_exit(1);
		if (peak > r.cycle.peak_kib)
			r.cycle.peak_kib = peak;
	}
	r.cycle.time_us = now_us() - begin;
	_exit(write(report, &r, sizeof(r)) == sizeof(r) ? 0 : 1);
}

static long most_memory(const struct cycle *at, int n)
{
	long peak = 0;

	for (int i = 0; i < n; i++)
		if (at[i].peak_kib > peak)
			peak = at[i].peak_kib;
	return peak;
}

static int by_value(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

static char **root_word(void)
{
	for (int i = 0; i < n_args - 1; i++)
		if (strcmp(args[i], "--root") == 0)
			return &args[i + 1];
	return NULL;
}

/* One cycle with that state directory; its time, or -1. */
static long time_cycle(int number, char *root, int pipe[2])
{
	struct {
		int number;
		struct cycle cycle;
	} r;
	int status;
	pid_t pid;

	*root_word() = root;
	pid = fork();
	if (pid == 0)
		run_cycle(number, pipe[1]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 ||
	    read(pipe[0], &r, sizeof(r)) != sizeof(r))
		return -1;
	return r.cycle.time_us;
}

static int take_turns(int number, int pipe[2], long *ret_used, long *ret_fresh)
{
	long used[TURNS], fresh[TURNS];
	char *root = *root_word(), other[4096];

	snprintf(other, sizeof(other), "%s.fresh", root);
	for (int i = 0; i < TURNS; i++) {
		used[i] = time_cycle(number++, root, pipe);
		fresh[i] = time_cycle(number++, other, pipe);
		if (used[i] < 0 || fresh[i] < 0)
			return -1;
	}
	qsort(used, TURNS, sizeof(*used), by_value);
	qsort(fresh, TURNS, sizeof(*fresh), by_value);
	*ret_used = used[TURNS / 2];
	*ret_fresh = fresh[TURNS / 2];
	return 0;
}

int main(int argc, char **argv)
{
	int cycles, parallel, running = 0, failed = 0, report[2], tenth;
	long used = 0, fresh = 0;
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
	if (!root_word())
		return 2;
	all = calloc((size_t)cycles + 1, sizeof(*all));
	if (!all || pipe2(report, O_CLOEXEC) < 0)
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
	if (failed || take_turns(cycles, report, &used, &fresh) < 0)
		failed++;
	tenth = cycles >= 10 ? cycles / 10 : 1;
	printf("{\"failed\": %d, \"used_us\": %ld, \"fresh_us\": %ld, \"first_peak_kib\": %ld, "
	       "\"last_peak_kib\": %ld}\n",
	       failed, used, fresh, most_memory(all, tenth),
	       most_memory(all + cycles - tenth, tenth));
	return failed > 0;
}
