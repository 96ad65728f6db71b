/*
 * mux.h - the streams of sessions, between descriptors and frames.
 *
 * Both ends use it: the VMM between an engine's pipes and frames, the agent
 * between frames and the program's pipes. A stream goes one way. Its sender
 * has credit for MUX_WINDOW bytes and gets more as the receiver writes them
 * out, so a reader that is slow stops its writer and no one else. CLOSE is the
 * end of file; BREAK says that nobody reads any more.
 *
 * Descriptors may be blocking: they are read and written only when poll(2)
 * says so, and at most PIPE_BUF is written at a time.
 */
#ifndef HULL_MICROVM_MUX_H
#define HULL_MICROVM_MUX_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "microvm/frame.h"

enum {
	MUX_SESSIONS = 64,
	MUX_STREAMS = 3, /* standard input, output, error */
	MUX_WINDOW = 64 * 1024,
	MUX_POLL_MAX = MUX_SESSIONS * MUX_STREAMS,
	MUX_ANSWERS_MAX = 1024 * 1024,
	MUX_OUT_MAX = 256 * 1024, /* more is not read while so much waits for the other side */
};

struct stream {
	int fd;             /* -1: closed, or none */
	bool sends;         /* from fd to frames, else the other way */
	bool ended;         /* receiver: CLOSE came; what is pending is still written */
	bool idle;          /* sender: there was nothing to read when last asked */
	uint32_t credit;    /* sender: bytes it may send; receiver: that may still come */
	struct buf pending; /* receiver */
	size_t at;
};

struct session {
	uint16_t id; /* 0: free */
	bool over; /* its process has ended with `status`; what it wrote may still be on its way */
	uint32_t status;
	struct stream streams[MUX_STREAMS];
};

struct mux {
	struct session sessions[MUX_SESSIONS];
	struct buf
		out; /* frames for the other side; whoever sends them takes them from `sent` on */
	size_t sent;
	/* what the last mux_poll() was about */
	struct stream *polled[MUX_POLL_MAX];
	uint16_t polled_session[MUX_POLL_MAX];
	uint8_t polled_stream[MUX_POLL_MAX];
	size_t n_polled;
};

void mux_done(struct mux *m);

/*
 * A session with these descriptors, which it owns; -1: no such stream. In the
 * agent (`inside`) stream 0 goes to its descriptor, else it comes from it.
 * NULL if there are MUX_SESSIONS already.
 */
struct session *mux_open(struct mux *m, uint16_t id, const int fds[MUX_STREAMS], bool inside);
struct session *mux_find(struct mux *m, uint16_t id);
void mux_close(struct session *s);

/* Adds what is to be polled; at most MUX_POLL_MAX. Returns how many. */
size_t mux_poll(struct mux *m, struct pollfd *fds);
/* Moves bytes after poll(2). */
void mux_move(struct mux *m, const struct pollfd *fds);

/* DATA, CLOSE, CREDIT, BREAK; of a session that is no more: nothing. -EPROTO: the other side is wrong. */
int mux_frame(struct mux *m, const struct frame *f);

/* Nothing is left to be written out, respectively to be read at the moment. */
bool mux_flushed(const struct session *s);
bool mux_drained(const struct session *s);

/* What is to be sent: after `n` bytes of it went. */
static inline size_t mux_waiting(const struct mux *m)
{
	return m->out.len - m->sent;
}
void mux_sent(struct mux *m, size_t n);

/* The other side talks and does not listen: it is not to be heard until some of that has gone. */
static inline bool mux_is_full(const struct mux *m)
{
	return mux_waiting(m) > MUX_ANSWERS_MAX;
}

#endif
