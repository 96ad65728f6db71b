/*
 * relay.h - what a foreground run or exec does until its program ends.
 *
 * It passes signals on, and with a terminal also bytes and window sizes:
 *
 *	auto_relay struct relay r = RELAY_NONE;
 *
 *	TRY(relay_prepare(&r, e));           before the program is made
 *	relay_set_up_terminal(master);       before the program runs
 *	r.pid = ..., r.pidfd = ..., r.master = ...;
 *	TRY(relay_run(&r, &status, e));
 *
 *	standard input --> master --> standard output
 *
 * Without a terminal the program has our standard streams itself, and there
 * are only signals to pass on. Between relay_prepare() and relay_done()
 * signals are blocked, here and in what is forked; a program gets rid of that
 * by spawn_reset_signals().
 */
#ifndef HULL_PROCESS_RELAY_H
#define HULL_PROCESS_RELAY_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/notify.h"

struct relay {
	bool subreaper;        /* take in and reap orphans; to be set before relay_prepare() */
	pid_t pid;             /* the program: a child of ours */
	int pidfd;             /* of pid; borrowed, -1: the relay opens one */
	int master;            /* of the program's console; borrowed, -1: no terminal */
	struct notify *notify; /* attended until READY=1; NULL without */
	/*
	 * A file of the kernel's that says when it has changed; NULL without, -1 no more. on_event is
	 * called then, and on_end when the program has ended and nothing else was done.
	 */
	const int *events;
	void (*on_event)(void *ctx);
	void (*on_end)(void *ctx);
	void *ctx;
	/* In a terminal: keys that, typed one after the other, end the relay and not the program. */
	const char *leave;
	size_t n_leave;
	bool left;   /* they were typed: the program runs */
	int signals; /* a signalfd, -1: not prepared */
	sigset_t mask_before;
	struct sigaction child_before;
};

/* clang-format off */
#define RELAY_NONE { .pidfd = -1, .master = -1, .signals = -1 }
/* clang-format on */

/* From here on no signal is lost. Fork the program afterwards. */
int relay_prepare(struct relay *r, struct err *e) MUST_CHECK;

/*
 * Gives the program's terminal the size of the person's, and plain newlines if
 * our standard output is none. relay_run() does it too, but the program should
 * find it so: best as soon as the master is there, before the program runs.
 */
void relay_set_up_terminal(int master);

/*
 * Until the program has ended and been reaped, and what it left in its
 * terminal was written. The person's terminal is raw meanwhile. *ret_status is
 * the exit status, or 128 + the signal; 0 of one that was left. Nobody reading our standard output,
 * the end of our standard input or a hang-up of the terminal don't end it.
 */
int relay_run(struct relay *r, int *ret_status, struct err *e) MUST_CHECK;

/* Signals are as before; what was still waiting for the program is dropped. */
void relay_done(struct relay *r);

#define auto_relay __attribute__((cleanup(relay_done)))

#endif
