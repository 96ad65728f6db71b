/*
 * attempt.h - what a helper must not be able to do once it is shut in: it tries, for its --self-test.
 *
 * Each attempt returns what the system call does: negative, with errno, if it was refused.
 */
#ifndef HULL_SECURITY_ATTEMPT_H
#define HULL_SECURITY_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json_write.h"

struct attempt {
	const char *name;
	long (*make)(void);
};

/* Makes each of them; its name says in JSON why it was refused, or "possible". True: all were. */
bool attempts_refused(const struct attempt *list, size_t n, struct json_writer *w);

long attempt_exec(void);
long attempt_fork(void);
long attempt_ptrace(void);
long attempt_userns(void);

#endif
