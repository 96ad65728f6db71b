/*
 * buf.h - a string that grows.
 *
 * A zeroed struct is an empty buffer. The text is always terminated, and
 * `text` is never NULL once something (even nothing) was added.
 */
#ifndef HULL_BASE_BUF_H
#define HULL_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/util.h"

struct buf {
	char *text;
	size_t len, size;
};

void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
char *buf_reserve(struct buf *b,
		  size_t len); /* room for len more bytes; the caller adds to b->len */
void buf_clear(struct buf *b); /* keeps the memory */
void buf_done(struct buf *b);

#define auto_buf __attribute__((cleanup(buf_done)))

#endif
