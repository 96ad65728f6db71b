/*
 * traced.h - a command under ptrace(2), with all that it starts.
 */
#ifndef HULL_BENCH_TRACED_H
#define HULL_BENCH_TRACED_H

#include <stdbool.h>
#include <sys/types.h>

/* Ends this program: "PROGRAM: WHAT: errno's text". */
_Noreturn void traced_fail(const char *what);

/* Whether the process executes a program of this base name. */
bool traced_executes(pid_t pid, const char *name);

/*
 * Starts it, stopped before its execve(2): new tasks and execve are told as events, and all of it dies with us.
 * `options` are further PTRACE_O_*.
 */
pid_t traced_start(char *argv[], int options);

#endif
