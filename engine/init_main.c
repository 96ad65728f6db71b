/*
 * init_main.c - hull-init PROGRAM [ARG...]: the first process of a container with --init.
 *
 * It runs PROGRAM as its child, in a process group of its own that has the
 * terminal; hands on what signals it gets, takes the orphans that fall to
 * it, and ends as PROGRAM ends: with its exit status, or 128 and the number of
 * the signal. It is static, because it runs on whatever root file system the
 * container has, and knows nothing of hull.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_EXECUTE = 126, NOT_FOUND = 127, FAILED = 125, BY_SIGNAL = 128 };

static int fail(int status, const char *what, const char *on)
{
	fprintf(stderr, "hull-init: %s%s: %s\n", what, on, strerror(errno));
	return status;
}

/* All that can wait; what a fault of our own raises can't. */
static void block(sigset_t *ret_before)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
	sigset_t set;

	sigfillset(&set);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&set, faults[i]);
	sigprocmask(SIG_SETMASK, &set, ret_before);
}

/* In the child. SIGTTOU is still blocked, so that the terminal may be taken from the background. */
static int execute(char **argv, const sigset_t *mask)
{
	char pid[16];

	if (setpgid(0, 0) == 0)
		tcsetpgrp(STDIN_FILENO, getpid()); /* no terminal is no failure */
	sigprocmask(SIG_SETMASK, mask, NULL);
	/* The sockets that we got are its own, and who takes them looks for itself (sd_listen_fds(3)). */
	if (getenv("LISTEN_PID")) {
		snprintf(pid, sizeof(pid), "%d", (int)getpid());
		if (setenv("LISTEN_PID", pid, 1) < 0)
			return fail(FAILED, "set LISTEN_PID", "");
	}
	execvp(argv[0], argv);
	return fail(errno == ENOENT ? NOT_FOUND : CANNOT_EXECUTE, "exec: ", argv[0]);
}

/* Whether the program has ended; *ret_status says how. */
static int reap(pid_t program, int *ret_status)
{
	int status, ended = 0;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != program)
			continue;
		ended = 1;
		*ret_status =
			WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return ended;
}

static int attend(pid_t program)
{
	sigset_t all;
	int status = 0;

	sigfillset(&all);
	for (;;) {
		int signal = sigwaitinfo(&all, NULL);

		if (signal == SIGCHLD && reap(program, &status))
			return status;
		/* The terminal's word to those in its background is for us, and means nothing. */
		if (signal > 0 && signal != SIGCHLD && signal != SIGTTIN && signal != SIGTTOU)
			kill(program, signal);
	}
}

int main(int argc, char **argv)
{
	sigset_t mask;
	pid_t program;

	if (argc < 2) {
		fputs("usage: hull-init PROGRAM [ARG...]\n", stderr);
		return FAILED;
	}
	/* With the host's PID namespace it is not the first process, and orphans have to be sent to it. */
	if (getpid() != 1 && prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL) < 0)
		return fail(FAILED, "become the parent of orphans", "");
	/* Ignored, dead children would vanish, and with them the exit status. */
	signal(SIGCHLD, SIG_DFL);
	block(&mask);
	program = fork();
	if (program < 0)
		return fail(FAILED, "fork", "");
	if (program == 0)
		return execute(argv + 1, &mask);
	return attend(program);
}
