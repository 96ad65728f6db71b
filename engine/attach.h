/*
 * attach.h - others at a detached container's standard streams.
 *
 * The keeper listens on attach.sock in the container's directory, a
 * SOCK_SEQPACKET socket. The first byte of each packet says what it is:
 *
 *	keeper:  '1' standard output, '2' standard error, 'x' exit status (a byte)
 *	guest:   '0' standard input (nothing behind it: its end), 'w' window size
 */
#ifndef HULL_ENGINE_ATTACH_H
#define HULL_ENGINE_ATTACH_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum {
	ATTACH_MAX = 16, /* guests at a time */
	ATTACH_PACKET = 32 * 1024 + 1,
	ATTACH_STDIN = '0',
	ATTACH_STDOUT = '1',
	ATTACH_STDERR = '2',
	ATTACH_WINDOW = 'w',
	ATTACH_EXIT = 'x',
};

struct attach_server {
	int listener;
	int guests[ATTACH_MAX];
	size_t n;
	bool terminal;
	/* Input that the program does not take yet; no more of it is heard until it has. */
	char waiting[ATTACH_PACKET];
	size_t from, end;
};
/* clang-format off */
#define ATTACH_SERVER_NONE { .listener = -1 }
/* clang-format on */

/* The keeper's side. */
int attach_listen(int dir, bool terminal, struct attach_server *ret, struct err *e) MUST_CHECK;
int attach_listener(const struct attach_server *s);
/* Appends an entry for each guest; returns how many. */
int attach_fill(const struct attach_server *s, struct pollfd *fds);
/* The entry for input that waits. `in` and `master` do not block. */
struct pollfd attach_input(const struct attach_server *s, int in, int master);
/* Hands on as much of it as is taken now. */
void attach_push(struct attach_server *s, int *in, int master);
/* Sends to all guests; one that does not read loses what it misses. */
void attach_send(struct attach_server *s, char stream, const void *bytes, size_t len);
/* Takes newcomers, and what guests type: to the pipe *in, or the terminal `master`. */
void attach_attend(struct attach_server *s, short newcomers, const struct pollfd *fds, int n,
		   int *in, int master);
void attach_ended(struct attach_server *s, int status);
void attach_close(struct attach_server *s, int dir);

/*
 * The guest's side: our standard streams are the container's until it ends
 * (*ret_status), or until Ctrl-P Ctrl-Q in a terminal (-1).
 */
int attach_run(int dir, bool terminal, bool input, int *ret_status, struct err *e) MUST_CHECK;
/* Only connects, for who must not miss the first output: the descriptor for attach_run_on(). */
int attach_connect(int dir, struct err *e) MUST_CHECK;
int attach_run_on(int fd, bool terminal, bool input, int *ret_status, struct err *e) MUST_CHECK;
/* Only waits for the container's end, of a connection that attach_connect() has made. */
int attach_wait(int fd, int *ret_status, struct err *e) MUST_CHECK;

#endif
