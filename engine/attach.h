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
#include <signal.h>
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
	/*
	 * The guest whose run this is, -1 without: it misses nothing. While it has not taken what is
	 * held for it, no more output is read.
	 */
	int first;
	char *late;  /* ATTACH_PACKET bytes, as `waiting` has: not in here, or they would be touched */
	size_t held; /* bytes of `late`, 0: none */
	/* Input that the program does not take yet; no more of it is heard until it has. */
	char *waiting;
	size_t from, end;
};
/* clang-format off */
#define ATTACH_SERVER_NONE { .listener = -1, .first = -1 }
/* clang-format on */

/* The keeper's side. */
int attach_listen(int dir, bool terminal, struct attach_server *ret, struct err *e) MUST_CHECK;
int attach_listener(const struct attach_server *s);
/* Takes in the first guest, by its end of a socket pair. */
void attach_welcome(struct attach_server *s, int fd);
/* 0, or how many milliseconds to wait at most for that one to take what is held for it. */
int attach_patience(const struct attach_server *s);
/* Appends an entry for each guest; returns how many. */
int attach_fill(const struct attach_server *s, struct pollfd *fds);
/* The entry for input that waits. `in` and `master` do not block. */
struct pollfd attach_input(const struct attach_server *s, int in, int master);
/* Hands on as much of it as is taken now. */
void attach_push(struct attach_server *s, int *in, int master);
/* Sends to all guests; one that does not read loses what it misses, but for the first. */
void attach_send(struct attach_server *s, char stream, const void *bytes, size_t len);
/* Takes newcomers, and what guests type: to the pipe *in, or the terminal `master`. */
void attach_attend(struct attach_server *s, short newcomers, const struct pollfd *fds, int n,
		   int *in, int master);
void attach_ended(struct attach_server *s, int status);
void attach_close(struct attach_server *s, int dir);

/* The keys that leave a container running, typed one after the other; none: nothing does. */
struct attach_keys {
	char at[16];
	size_t n;
};
/* "ctrl-p,ctrl-q", "a,ctrl-[": letters, or ctrl- and a letter or one of @[\]^_; "": none. NULL: Docker's. */
int attach_keys_parse(const char *text, struct attach_keys *ret, struct err *e) MUST_CHECK;

/* How the guest's side takes part. */
struct attach_wish {
	bool terminal;       /* the program has one */
	bool in, out, error; /* which of our standard streams are the program's */
	struct attach_keys keys;
	/* Gets the signals that are for the program, which do not end us then; NULL: they do. */
	void (*signal)(void *ctx, int sig);
	void *ctx;
};

/* How it ended. */
struct attach_end {
	bool left; /* the program runs: the keys were typed, or a signal came that is not its own */
	int status; /* the program's exit status; who left because of a signal has 128 + that, else 0 */
};

/* Only connects; -ENOTCONN: it does not run detached. */
int attach_connect(int dir, struct err *e) MUST_CHECK;
/* Signals are blocked and read here until it is over; *before is the mask that it was. */
void attach_block_signals(const struct attach_wish *how, sigset_t *before);
/* Our standard streams are the container's until it ends or is left. `before` from attach_block_signals(). */
int attach_run(int fd, const struct attach_wish *how, const sigset_t *before,
	       struct attach_end *ret, struct err *e) MUST_CHECK;
/* Only waits for the container's end, of a connection that attach_connect() has made. */
int attach_wait(int fd, int *ret_status, struct err *e) MUST_CHECK;

#endif
