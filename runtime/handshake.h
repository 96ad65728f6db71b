/*
 * handshake.h - what hull and the process that it makes say to each other.
 *
 * One SOCK_SEQPACKET pair, one datagram per message; a death on either side
 * reads as end of file. The rows in brackets are sent only where there is
 * something to wait for, and both sides know that from the plan.
 *
 *	init (child)                     hull (parent)
 *	                                 clone3
 *	                      <- GO        [id maps written]
 *	  namespaces, mounts, devices
 *	  PREPARED ->                      [hooks prestart, createRuntime; rlimits]
 *	                      <- GO        [...]
 *	  CONSOLE + descriptor ->          [terminal: passed on, or kept for the relay]
 *	  pivot, masks, user, capabilities
 *	  CREATED ->                       state.json says `created`, pid file
 *	                      <- RECORDED  from here on init outlives hull
 *	  waits for start                  (create ends here; start comes by start.sock)
 *	                      <- GO        [run, exec: start comes at once]
 *	  LISTENER ->                      [SCMP_ACT_NOTIFY: listener.h]
 *	                      <- GO        [...]
 *	  FAILED + error, at any time      the error, with the step that failed
 *	  end of file: execve(2) succeeded
 */
#ifndef HULL_RUNTIME_HANDSHAKE_H
#define HULL_RUNTIME_HANDSHAKE_H

#include <stdint.h>

#include "base/err.h"

enum say {
	SAY_GO = 1,
	SAY_PREPARED,
	SAY_CONSOLE,
	SAY_CREATED,
	SAY_RECORDED,
	SAY_CHILD,
	SAY_LISTENER,
	SAY_FAILED
};

struct message {
	uint32_t say;
	int32_t value;  /* SAY_CHILD: a pid; SAY_LISTENER: a descriptor of the process */
	struct err err; /* SAY_FAILED */
};

/* `fd` goes along unless it is -1. */
int handshake_send(int sock, enum say say, int32_t value, int fd, struct err *e) MUST_CHECK;

/* Tells the other side why we are giving up; it may be gone already. */
void handshake_fail(int sock, const struct err *why);

/*
 * Receives `expect`; the other side's SAY_FAILED becomes *e and its code, its
 * death is -EPIPE. ret_value and ret_fd may be NULL.
 */
int handshake_expect(int sock, enum say expect, int32_t *ret_value, int *ret_fd, struct err *e)
	MUST_CHECK;

/* Waits for end of file, which is success; SAY_FAILED is the error. */
int handshake_expect_end(int sock, struct err *e) MUST_CHECK;

#endif
