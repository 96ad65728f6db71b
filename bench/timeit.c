/*
 * timeit.c - runs commands of several programs in turns and times each.
 *
 *	timeit WARMUP ROUNDS <PLAN
 *
 * The plan has a line for each thing to do, its words separated by tabs:
 *
 *	subject	NAME			begins a program's part
 *	step	LABEL	CMD	ARG...	runs a command; LABEL "-": not timed
 *	reap	PIDFILE			waits for the process named there
 *
 * A round goes through all subjects, beginning with another one each time, so
 * that whatever the machine does meanwhile hits all of them alike. "@" in a
 * word stands for a number that no other round has. A command that fails ends
 * everything.
 *
 * Each timed command prints: subject, label, nanoseconds from before its
 * start to after its end, microseconds of user and system time, and the
 * largest resident set in KiB of it and the children that it waited for.
 *
 * This program is small, allocates nothing in the loop and starts commands by
 * posix_spawn(3), which shares its memory until the exec: what it costs is
 * the same few dozen microseconds for everyone. It is the subreaper of what
 * the commands leave, as an engine's monitor would be.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINES 128
#define MAX_WORDS 48
#define MAX_PLAN 65536

enum kind { SUBJECT, STEP, REAP };

struct line {
	enum kind kind;
	const char *name;                /* of the subject, of the step, of the file */
	const char *word[MAX_WORDS + 1]; /* the command */
};

static char plan[MAX_PLAN];
static struct line lines[MAX_LINES];
static size_t n_lines;
static size_t subjects[MAX_LINES]; /* the lines where they begin */
static size_t n_subjects;

static _Noreturn void fail(const char *what, const char *name)
{
	fprintf(stderr, "timeit: %s: %s: %s\n", what, name, strerror(errno));
	exit(1);
}

static _Noreturn void bad_plan(const char *why)
{
	fprintf(stderr, "timeit: line %zu of the plan: %s\n", n_lines + 1, why);
	exit(2);
}

static void parse_line(char *text)
{
	struct line *l = &lines[n_lines];
	const char *kind = strsep(&text, "\t");
	size_t n = 0;

	if (n_lines == MAX_LINES)
		bad_plan("too many lines");
	l->name = strsep(&text, "\t");
	if (!l->name)
		bad_plan("too few words");
	if (strcmp(kind, "subject") == 0) {
		l->kind = SUBJECT;
		subjects[n_subjects++] = n_lines;
	} else if (strcmp(kind, "step") == 0 && text) {
		l->kind = STEP;
		for (; text && n < MAX_WORDS; n++)
			l->word[n] = strsep(&text, "\t");
		if (text)
			bad_plan("too many words");
	} else if (strcmp(kind, "reap") == 0) {
		l->kind = REAP;
	} else {
		bad_plan("neither subject, step CMD nor reap");
	}
	n_lines++;
}

static void parse_plan(void)
{
	size_t size = fread(plan, 1, sizeof(plan) - 1, stdin);
	char *rest = plan, *text;

	if (size == sizeof(plan) - 1)
		bad_plan("too long");
	while ((text = strsep(&rest, "\n")))
		if (*text)
			parse_line(text);
	if (n_subjects == 0 || subjects[0] != 0)
		bad_plan("no subject");
}

/* Writes the word to `buffer` with each "@" replaced; returns where the next one goes. */
static char *expand(char *buffer, const char *word, const char *number)
{
	for (; *word; word++) {
		if (*word == '@')
			buffer = stpcpy(buffer, number);
		else
			*buffer++ = *word;
	}
	*buffer++ = '\0';
	return buffer;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static long microseconds(struct timeval t)
{
	return t.tv_sec * 1000000L + t.tv_usec;
}

static void step(const char *subject, const struct line *l, const char *number, int print)
{
	static char buffer[MAX_PLAN];
	char *argv[MAX_WORDS + 1] = { NULL };
	char *next = buffer;
	struct rusage usage;
	double start, end;
	int status;
	pid_t pid;

	for (size_t i = 0; l->word[i]; i++) {
		argv[i] = next;
		next = expand(next, l->word[i], number);
	}
	start = now();
	errno = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (errno)
		fail(subject, argv[0]);
	if (wait4(pid, &status, 0, &usage) < 0)
		fail(subject, "wait4");
	end = now();
	if (status != 0) {
		fprintf(stderr, "timeit: %s failed (%s %d):", subject,
			WIFEXITED(status) ? "exit status" : "signal",
			WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		for (size_t i = 0; argv[i]; i++)
			fprintf(stderr, " %s", argv[i]);
		fputc('\n', stderr);
		exit(1);
	}
	if (print && strcmp(l->name, "-") != 0)
		dprintf(3, "%s\t%s\t%.0f\t%ld\t%ld\t%ld\n", subject, l->name, end - start,
			microseconds(usage.ru_utime), microseconds(usage.ru_stime),
			usage.ru_maxrss);
}

static void reap(const char *subject, const char *path, const char *number)
{
	char name[4096];
	int pid = 0;
	FILE *file;

	expand(name, path, number);
	file = fopen(name, "re");
	if (!file)
		fail(subject, name);
	if (fscanf(file, "%d", &pid) != 1 || waitpid(pid, NULL, 0) != pid)
		fail(subject, name);
	fclose(file);
}

static void do_subject(size_t first, const char *number, int print)
{
	const char *subject = lines[first].name;

	for (size_t i = first + 1; i < n_lines && lines[i].kind != SUBJECT; i++) {
		if (lines[i].kind == STEP)
			step(subject, &lines[i], number, print);
		else
			reap(subject, lines[i].name, number);
	}
}

int main(int argc, char *argv[])
{
	long warmup = argc == 3 ? atol(argv[1]) : -1;
	long rounds = argc == 3 ? atol(argv[2]) : -1;
	int null;

	if (warmup < 0 || rounds < 1) {
		fprintf(stderr, "usage: timeit WARMUP ROUNDS <PLAN\n");
		return 2;
	}
	parse_plan();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* The commands' own standard streams; results leave by descriptor 3. */
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup3(STDOUT_FILENO, 3, O_CLOEXEC) < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		fail("open", "/dev/null");
	for (long r = 0; r < warmup + rounds; r++) {
		char number[24];

		snprintf(number, sizeof(number), "%ld", r);
		for (size_t i = 0; i < n_subjects; i++)
			do_subject(subjects[((size_t)r + i) % n_subjects], number, r >= warmup);
	}
	return 0;
}
