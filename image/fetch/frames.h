/*
 * frames.h - what hull and hull-fetch say to each other over a stream socket.
 *
 *	hull:        one line for each request
 *	               auth USER:PASSWORD      before the others, if there are any
 *	               identity TOKEN          the same, for its token server
 *	               manifest REFERENCE      a tag or digest
 *	               blob DIGEST
 *	               has DIGEST              fails with ENOENT if the registry has no such blob
 *	               mount DIGEST REPOSITORY fails with ENOENT if the registry does not take it from there
 *	               put-blob DIGEST SIZE    so many bytes follow
 *	               put-manifest REFERENCE SIZE TYPE
 *	hull-fetch:  frames: a byte that says what, four bytes length (little-endian), bytes
 *	               'H' the answer's header: "TYPE\n", the Content-Type
 *	               'D' content
 *	               'E' the end of it
 *	               'F' failure: four bytes errno, and a sentence
 */
#ifndef HULL_IMAGE_FETCH_FRAMES_H
#define HULL_IMAGE_FETCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "base/util.h"

enum {
	FRAME_HEADER = 'H',
	FRAME_DATA = 'D',
	FRAME_END = 'E',
	FRAME_FAILURE = 'F',
	FRAME_MAX = 64 * 1024, /* bytes behind the five */
	FRAME_LINE_MAX = 4096,
	FRAME_FD = 3, /* the helper's end */
};

struct frame {
	char what;
	uint32_t len;
	unsigned char bytes[FRAME_MAX];
};

/* Negative errno. */
int frame_send(int fd, char what, const void *bytes, size_t len) MUST_CHECK;
/* -EPROTO: it is no frame; -ECONNRESET: the other side has gone. */
int frame_receive(int fd, struct frame *ret) MUST_CHECK;

#endif
