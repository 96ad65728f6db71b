/*
 * peak.c - the most memory that each process of a runtime has of its own.
 *
 *	peak PAYLOAD CMD [ARG...]
 *
 * Runs CMD under ptrace(2), with all its children, and reads smaps_rollup at
 * the entry of every system call. Memory grows by page faults in between and
 * can only shrink by a system call, so no peak is missed. A process that
 * executes the PAYLOAD (a base name as in /proc/PID/exe) is the container's
 * program, not the runtime's, and is let go at that moment.
 *
 * Prints for each process of the runtime, in the order of their appearance:
 * its name (comm), and in KiB the peaks of what is private to it (of no other
 * process's memory at that moment), of the written part of that, and of its
 * resident set. The exit status is CMD's.
 *
 * Being traced makes everything slow but not larger.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/traced.h"

#define MAX_TASKS 4096
#define NAME_SIZE 32

/* A thread as ptrace sees it, and the process that it belongs to. */
struct task {
	pid_t tid;
	size_t process;
};

struct process {
	pid_t pid;
	char name[NAME_SIZE];
	long private, dirty, resident;
};

static struct task tasks[MAX_TASKS];
static size_t n_tasks;
static struct process processes[MAX_TASKS];
static size_t n_processes;

/* What the kernel calls it: runtimes that execute a copy of themselves have no path. */
static void name_read(pid_t pid, char ret[NAME_SIZE])
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(ret, NAME_SIZE, file))
		ret[0] = '\0';
	if (file)
		fclose(file);
	ret[strcspn(ret, "\n")] = '\0';
}

static pid_t process_of(pid_t tid)
{
	char path[64], line[256];
	pid_t pid = tid;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Tgid: %d", &pid) == 1)
			break;
	if (file)
		fclose(file);
	return pid;
}

static struct task *task_find(pid_t tid)
{
	for (size_t i = 0; i < n_tasks; i++)
		if (tasks[i].tid == tid)
			return &tasks[i];
	return NULL;
}

static struct task *task_add(pid_t tid)
{
	pid_t pid = process_of(tid);
	size_t p;

	if (n_tasks == MAX_TASKS || n_processes == MAX_TASKS) {
		errno = E2BIG;
		traced_fail("too many tasks");
	}
	for (p = 0; p < n_processes && processes[p].pid != pid; p++)
		;
	if (p == n_processes) {
		processes[p].pid = pid;
		name_read(pid, processes[p].name);
		n_processes++;
	}
	tasks[n_tasks] = (struct task){ tid, p };
	return &tasks[n_tasks++];
}

static void task_remove(pid_t tid)
{
	struct task *t = task_find(tid);

	if (t)
		*t = tasks[--n_tasks];
}

static void sample(const struct task *t)
{
	struct process *p = &processes[t->process];
	long private = 0, dirty = 0, resident = 0, kib;
	char path[64], line[256];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", t->tid);
	file = fopen(path, "re");
	if (!file)
		return; /* it has no memory any more */
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Rss: %ld", &kib) == 1)
			resident = kib;
		else if (sscanf(line, "Private_Clean: %ld", &kib) == 1)
		private += kib;
		else if (sscanf(line, "Private_Dirty: %ld", &kib) == 1) private += kib, dirty = kib;
	}
	fclose(file);
	p->private = private > p->private ? private : p->private;
	p->dirty = dirty > p->dirty ? dirty : p->dirty;
	p->resident = resident > p->resident ? resident : p->resident;
}

/* One stop of a task. Returns the signal to go on with, -1 once it is let go. */
static int stopped(struct task *t, int status, const char *payload)
{
	struct __ptrace_syscall_info info;
	int event = status >> 16, signal = WSTOPSIG(status);

	if (signal == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) > 0 &&
		    info.op == PTRACE_SYSCALL_INFO_ENTRY)
			sample(t);
		return 0;
	}
	switch (event) {
	case PTRACE_EVENT_EXEC:
		if (traced_executes(t->tid, payload)) {
			ptrace(PTRACE_DETACH, t->tid, 0, 0);
			task_remove(t->tid);
			return -1;
		}
		/* The same pid, another memory: a process of its own to us. */
		if (n_processes == MAX_TASKS)
			return 0;
		processes[t->process].pid = 0;
		t->process = n_processes;
		processes[n_processes].pid = t->tid;
		name_read(t->tid, processes[n_processes++].name);
		return 0;
	case 0:
		/* New tasks begin with a SIGSTOP, which is ptrace's own. */
		return signal == SIGSTOP || signal == SIGTRAP ? 0 : signal;
	default:
		return 0;
	}
}

int main(int argc, char *argv[])
{
	int status, result = 1, signal;
	struct task *t;
	pid_t first, tid;

	if (argc < 3) {
		fprintf(stderr, "usage: peak PAYLOAD CMD [ARG...]\n");
		return 2;
	}
	first = traced_start(argv + 2, PTRACE_O_TRACESYSGOOD);
	task_add(first);
	n_processes = 1;
	ptrace(PTRACE_SYSCALL, first, 0, 0);
	while (n_tasks > 0 && (tid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (tid == first)
				result = WIFEXITED(status) ? WEXITSTATUS(status)
							   : 128 + WTERMSIG(status);
			task_remove(tid);
			continue;
		}
		t = task_find(tid);
		if (!t)
			t = task_add(tid);
		signal = stopped(t, status, argv[1]);
		if (signal >= 0)
			ptrace(PTRACE_SYSCALL, tid, 0, signal);
	}
	/* The first is peak itself until the exec. */
	for (size_t i = 1; i < n_processes; i++)
		printf("%s\t%ld\t%ld\t%ld\n", processes[i].name, processes[i].private,
		       processes[i].dirty, processes[i].resident);
	return result;
}
