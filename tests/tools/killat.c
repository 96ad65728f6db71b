/*
 * killat - runs hull and kills it, or its child, at a given moment.
 *
 *	killat WHO:STEP LOG COMMAND [ARG...]
 *	killat syscall:N - COMMAND [ARG...]
 *
 * COMMAND is a hull that writes trace lines to LOG: "create: STEP" before each
 * step of the parent, "init: STEP" before each of the child (base/log.h). WHO is
 *
 *	create   kills hull at the parent's step STEP
 *	init     kills hull when the child is at STEP
 *	child    kills the child itself at STEP
 *	syscall  kills hull after its Nth system call
 *
 * All are stopped by ptrace(2) at that moment, so the step has not begun. The
 * exit status is 0 if hull was killed, hull's own if its child was (255 in place
 * of a signal), and 99 if hull ended before that.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_REACHED = 99 };

static const long OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			    PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

static const char *log_path;
static char line[512]; /* what ends the awaited line: " create: STEP\n" */
static long calls_left;
static bool kills_writer;

static void die(const char *what)
{
	fprintf(stderr, "killat: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* Whether the log has the line, looking only at what was not there the last time. */
static bool log_has_line(void)
{
	static char text[1 << 20];
	static size_t seen;
	int fd = open(log_path, O_RDONLY | O_CLOEXEC);
	size_t len = strlen(line), from = seen > len ? seen - len : 0;
	ssize_t n;

	if (fd < 0)
		return false;
	n = pread(fd, text + from, sizeof(text) - from, (off_t)from);
	close(fd);
	if (n <= 0)
		return false;
	seen = from + (size_t)n;
	return memmem(text + from, (size_t)n, line, len) != NULL;
}

/* By PTRACE_SEIZE: what we leave behind when we end is not stopped. */
static pid_t start(char **argv)
{
	int gate[2];
	pid_t pid;

	if (pipe2(gate, O_CLOEXEC) < 0)
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		char c;

		close(gate[1]);
		if (read(gate[0], &c, 1) < 0)
			die("wait");
		execvp(argv[0], argv);
		die(argv[0]);
	}
	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) < 0 ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0 || waitpid(pid, NULL, 0) != pid ||
	    ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0)
		die("trace");
	close(gate[0]);
	close(gate[1]);
	return pid;
}

/* Whether this stop of `pid` is the moment. */
static bool is_moment(pid_t pid, pid_t hull)
{
	static bool inside = true; /* hull is in a system call */

	if (!line[0]) {
		if (pid != hull)
			return false;
		inside = !inside;
		return !inside && --calls_left == 0;
	}
	/* The writer comes to a stop right after it has written. */
	return !(kills_writer && pid == hull) && log_has_line();
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* Follows all until hull ends; at the moment kills whom it is to kill. */
static int follow(pid_t hull)
{
	bool killed = false;

	for (;;) {
		int status, sig = 0;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0)
			die("wait");
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (pid == hull)
				return !killed        ? NOT_REACHED
				       : kills_writer ? exit_status(status)
						      : 0;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			if (!killed && is_moment(pid, hull)) {
				killed = true;
				kill(kills_writer ? pid : hull, SIGKILL);
			}
		} else if (status >> 16 == 0) {
			sig = WSTOPSIG(status);
		}
		/* It may have been killed meanwhile. */
		ptrace(PTRACE_SYSCALL, pid, NULL, sig);
	}
}

int main(int argc, char **argv)
{
	char *who = argc > 3 ? strtok(argv[1], ":") : NULL, *what = who ? strtok(NULL, "") : NULL;

	if (!what) {
		fprintf(stderr, "usage: killat create|init|child|syscall:STEP LOG COMMAND...\n");
		return 125;
	}
	log_path = argv[2];
	kills_writer = strcmp(who, "child") == 0;
	if (strcmp(who, "syscall") == 0)
		calls_left = atol(what);
	else
		snprintf(line, sizeof(line), " %s: %s\n", kills_writer ? "init" : who, what);
	return follow(start(argv + 3));
}
