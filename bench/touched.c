/*
 * touched.c - which of a program's code is executed.
 *
 *	touched PAYLOAD CMD [ARG...]
 *
 * Runs CMD, and all processes that it makes, one instruction at a time under ptrace(2), and prints
 * where they have been: offsets from the beginning of the program, in hexadecimal, in order, one for
 * each piece of 16 bytes. A process that executes the PAYLOAD (a base name as in /proc/PID/exe) is the
 * container's program and is let go. Addresses outside of the program are left out. The exit status is CMD's.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__

enum { PIECE = 16, PIECES = 1 << 20 };

static uintptr_t base; /* the same in all its processes: they are clones */
static bool touched[PIECES];

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "touched: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool executes(pid_t pid, const char *name)
{
	char path[64], target[PATH_MAX];
	const char *last;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	last = strrchr(target, '/');
	return strcmp(last ? last + 1 : target, name) == 0;
}

/* Right after execve(2) the program is what lies lowest. */
static uintptr_t base_of(pid_t pid)
{
	char path[64];
	unsigned long ret = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%lx", &ret) != 1)
		fail(path);
	fclose(file);
	return ret;
}

static void note(pid_t tid)
{
	struct user_regs_struct regs;

	if (base == 0 || ptrace(PTRACE_GETREGS, tid, 0, &regs) < 0)
		return;
	if (regs.rip >= base && (regs.rip - base) / PIECE < PIECES)
		touched[(regs.rip - base) / PIECE] = true;
}

/* The signal to go on with; -1 when the task is let go. */
static int stopped(pid_t tid, int status, const char *payload)
{
	int signal = WSTOPSIG(status);

	if (status >> 16 == PTRACE_EVENT_EXEC) {
		if (executes(tid, payload)) {
			ptrace(PTRACE_DETACH, tid, 0, 0);
			return -1;
		}
		if (base == 0)
			base = base_of(tid);
		return 0;
	}
	note(tid);
	return status >> 16 || signal == SIGTRAP || signal == SIGSTOP ? 0 : signal;
}

static pid_t start(char *argv[])
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(argv[0], argv);
		fail(argv[0]);
	}
	if (waitpid(pid, NULL, __WALL) < 0)
		fail("waitpid");
	if (ptrace(PTRACE_SETOPTIONS, pid, 0,
		   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			   PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) < 0)
		fail("ptrace");
	ptrace(PTRACE_CONT, pid, 0, 0);
	return pid;
}

int main(int argc, char *argv[])
{
	int status, result = 1, signal;
	pid_t first, tid;

	if (argc < 3) {
		fprintf(stderr, "usage: touched PAYLOAD CMD [ARG...]\n");
		return 2;
	}
	first = start(argv + 2);
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (tid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status)
							   : 128 + WTERMSIG(status);
			continue;
		}
		signal = stopped(tid, status, argv[1]);
		if (signal >= 0)
			ptrace(PTRACE_SINGLESTEP, tid, 0, signal);
	}
	for (unsigned i = 0; i < PIECES; i++)
		if (touched[i])
			printf("%x\n", i * PIECE);
	return result;
}

#else

int main(void)
{
	fprintf(stderr, "touched: knows the registers of x86_64 alone\n");
	return 1;
}

#endif
