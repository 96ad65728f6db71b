/*
 * headers.h - what hull-fetch wants to know of the header of an answer. Pure.
 *
 *	struct headers h = { 0 };
 *
 *	headers_add(&h, line, len); each line as it came; a status line begins a new answer
 *	headers_done(&h);
 */
#ifndef HULL_IMAGE_FETCH_HEADERS_H
#define HULL_IMAGE_FETCH_HEADERS_H

#include <stddef.h>

#include "base/buf.h"

enum { HEADER_MAX = 16 * 1024 }; /* what is longer was not there */

struct headers {
	struct buf type, challenge, location, retry_after; /* empty: there was none */
};

void headers_add(struct headers *h, const char *line, size_t len);
/* The seconds of Retry-After (RFC 9110, 10.2.3); 0: none, or a date, which is not read. */
unsigned long headers_wait(const struct headers *h);
void headers_done(struct headers *h);

#endif
