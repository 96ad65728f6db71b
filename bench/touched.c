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

#include "bench/traced.h"

#ifdef __x86_64__

enum { PIECE = 16, PIECES = 1 << 20 };

static uintptr_t base; /* the same in all its processes: they are clones */
static bool touched[PIECES];

/* Right after execve(2) the program is what lies lowest. */
static uintptr_t base_of(pid_t pid)
{
	char path[64];
	unsigned long ret = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%lx", &ret) != 1)
		traced_fail(path);
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
		if (traced_executes(tid, payload)) {
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

int main(int argc, char *argv[])
{
	int status, result = 1, signal;
	pid_t first, tid;

	if (argc < 3) {
		fprintf(stderr, "usage: touched PAYLOAD CMD [ARG...]\n");
		return 2;
	}
	first = traced_start(argv + 2, 0);
	ptrace(PTRACE_CONT, first, 0, 0);
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
