/*
 * frame.h - what the VMM and the agent in the guest say to each other.
 *
 * Frames over one stream of bytes (the console device): eight bytes of head,
 * then `size` bytes. A session is a process with its streams: 1 is the
 * container's own, exec makes others. Numbers are little endian.
 *
 *	VMM                               agent
 *	                       <- HELLO   the guest is up
 *	CREATE 1 document ->              made, up to its execve(2)
 *	                       <- CREATED, or FAILED
 *	NETWORK ->                        (guest_network.h) if there is one
 *	                       <- NETWORK, or FAILED, of session 0
 *	GO 1 ->                           (exec: EXEC, which goes at once)
 *	                       <- STARTED, or FAILED
 *	DATA, CLOSE, CREDIT, BREAK <->    streams (mux.h)
 *	SIGNAL, SIZE ->
 *	                       <- EXITED  as wait(2) has it
 *	LIST, LIMIT ->         <- EXITED  when it is done, or FAILED; a session of their own,
 *	                                  LIST's with the lines of process_list.h as its output
 *
 * What comes from the guest is hostile: it is at most FRAME_FROM_GUEST bytes,
 * and each frame's text is copied and ended before anyone reads it.
 */
#ifndef HULL_MICROVM_FRAME_H
#define HULL_MICROVM_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum frame_type {
	FRAME_HELLO = 1,
	FRAME_CREATE,
	FRAME_CREATED,
	FRAME_GO,
	FRAME_EXEC,
	FRAME_STARTED,
	FRAME_FAILED,
	FRAME_EXITED,
	FRAME_DATA,
	FRAME_CLOSE,
	FRAME_CREDIT,
	FRAME_BREAK,
	FRAME_SIGNAL,
	FRAME_SIZE,
	FRAME_LIST,
	FRAME_LIMIT,
	FRAME_NETWORK,
	FRAME_TYPES
};

/* What LIST asks for, its number: the lines of process_list.h. */
enum frame_list { LIST_PROCESSES, LIST_COUNTS };

enum {
	FRAME_HEAD = 8,
	FRAME_FROM_GUEST = 64 * 1024,
	FRAME_FROM_HOST = 16 * 1024 * 1024,
	FRAME_DATA_MAX = 16 * 1024,
	FRAME_VERSION = 1, /* what HELLO says */
	SESSION_INIT = 1,
};

struct frame {
	enum frame_type type;
	uint16_t session;
	uint8_t stream;
	const uint8_t *bytes; /* until the reader is given more */
	size_t size;
};

/* Collects bytes into frames of at most `limit`. */
struct frame_reader {
	struct buf buf;
	size_t at, limit;
};

void frame_reader_init(struct frame_reader *r, size_t limit);
void frame_reader_done(struct frame_reader *r);
void frame_reader_add(struct frame_reader *r, const void *bytes, size_t size);
/* The next whole frame: 1, 0 if it has not come yet, -EPROTO if it is none of ours. */
int frame_reader_next(struct frame_reader *r, struct frame *ret);

/* Appends a frame. */
void frame_write(struct buf *out, enum frame_type type, uint16_t session, uint8_t stream,
		 const void *bytes, size_t size);
void frame_write_u32(struct buf *out, enum frame_type type, uint16_t session, uint8_t stream,
		     uint32_t value);
/* The number of a frame that is one; false if its size is another. */
bool frame_u32(const struct frame *f, uint32_t *ret);

#endif
