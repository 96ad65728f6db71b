/*
 * control.h - how commands reach a machine that runs: ROOT/ID/vm.sock, in the state directory.
 *
 * Packets. The first says what is wanted, with descriptors; answers follow.
 *
 *	hull                            VMM
 *	EXEC + document, in, out, err ->
 *	                             <- STARTED, or FAILED
 *	SIGNAL, SIZE ->
 *	                             <- EXITED, a status of wait(2)
 *	SIGNAL_ALL ->                <- DONE
 *	NETWORK ->                   <- DONE: whether there is one, when it is made
 *	NETWORK + network, taps ->   <- DONE, or FAILED, and the machine ends
 *	LIST + out ->                <- EXITED, or FAILED; what of, is frame.h's LIST_*
 *	LIMIT ->                     <- EXITED, or FAILED
 *	BALLOON, pages ->            <- DONE, with the pages that it holds (balloon.h)
 */
#ifndef HULL_MICROVM_CONTROL_H
#define HULL_MICROVM_CONTROL_H

#include <stdint.h>

#include "base/err.h"

enum control_say {
	CONTROL_EXEC = 1,
	CONTROL_SIGNAL,
	CONTROL_SIGNAL_ALL,
	CONTROL_SIZE,
	CONTROL_LIST,
	CONTROL_LIMIT,
	CONTROL_BALLOON,
	CONTROL_STARTED,
	CONTROL_FAILED,
	CONTROL_EXITED,
	CONTROL_DONE,
	CONTROL_NETWORK,
};

struct control_message {
	uint32_t say;
	/* a signal, a status; EXEC, NETWORK: whether there is a terminal, a network; LIMIT: processes */
	uint32_t value;
	uint16_t rows, columns;
	struct err err; /* FAILED */
};

enum { CONTROL_FDS = 5 };

/* In the state directory `dir`. */
int control_make(int dir, struct err *e) MUST_CHECK;
int control_open(int dir, struct err *e) MUST_CHECK;

#endif
