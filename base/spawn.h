/*
 * spawn.h - runs another program to its end: a hook, newuidmap, a helper.
 *
 * The program gets nothing that was not asked for: the environment and
 * directory of the request, default signal dispositions, no descriptor above
 * 2 but those of the request. Its standard input is `input`; what it prints is kept for the message if
 * it fails. A program that leaves a child holding the pipe does not hold us.
 */
#ifndef HULL_BASE_SPAWN_H
#define HULL_BASE_SPAWN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* A descriptor of ours and its number in the program; 0 takes the place of `input`. */
struct spawn_fd {
	int ours, theirs;
};

enum { SPAWN_FDS_MAX = 4 };

struct spawn_request {
	const char *path;        /* what execve(2) is given */
	const char *const *argv; /* NULL-terminated */
	const char *const *envp; /* NULL-terminated; NULL: an empty environment */
	const char *cwd;         /* NULL: stay */
	const void *input;       /* bytes for standard input; NULL: /dev/null's answer */
	size_t input_len;
	unsigned timeout;           /* seconds after which it is killed, 0: never */
	const struct spawn_fd *fds; /* handed on besides; at most SPAWN_FDS_MAX */
	size_t fds_n;
	struct buf
		*answer; /* gets all of its standard output, apart from what is kept; NULL: kept */
	size_t answer_max; /* bytes; a program that writes more to it is killed */
	int *wait_status;  /* how it ended, as waitpid(2) has it; NULL: not asked for */
	bool dies_with_us; /* killed as well when the calling thread ends */
};

/*
 * Runs it and waits. Succeeds when it exits with 0; otherwise the error says
 * how it ended and the last of what it printed (-ETIME, -EFBIG for its answer,
 * -ECHILD, or the errno of what could not be done). The first 16 KiB of its
 * output are added to *output unless that is NULL.
 */
int spawn_run(const struct spawn_request *req, struct buf *output, struct err *e) MUST_CHECK;

/* Gives a new process default signal handling and an empty mask. */
void spawn_reset_signals(void);

#endif
