/*
 * gate.h - where a created container waits for `start`.
 *
 * A listening socket in the state directory, ROOT/ID/start.sock, whose
 * descriptor init inherited: nothing has to be found by path from inside the
 * container, and unlike a FIFO it carries an answer. `start` connects; init
 * takes that as the word to go, and the connection closes by itself when
 * execve(2) succeeds, or brings a SAY_FAILED when it does not. That the socket
 * file exists is what makes a container `created` and not `running`.
 */
#ifndef HULL_RUNTIME_GATE_H
#define HULL_RUNTIME_GATE_H

#include "base/err.h"

/* Makes the socket in the state directory `dir`; returns the listening descriptor. */
int gate_make(int dir, struct err *e) MUST_CHECK;
/* 1: it does, 0: it does not. */
int gate_exists(int dir, struct err *e) MUST_CHECK;
int gate_remove(int dir, struct err *e) MUST_CHECK;

/*
 * In init: waits for `start`, returns the connection. Until `sock`, the
 * handshake with create, brought SAY_RECORDED, its end means that create was
 * killed: -EPIPE.
 */
int gate_wait(int gate, int sock, struct err *e) MUST_CHECK;

/*
 * In `start`: lets init go; returns the connection, at which the answer comes
 * (handshake_expect_end()). Init's death is success: it did go.
 */
int gate_open(int dir, struct err *e) MUST_CHECK;

#endif
