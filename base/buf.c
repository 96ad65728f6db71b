#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

char *buf_reserve(struct buf *b, size_t len)
{
	size_t need;

	if (len > SIZE_MAX / 2 - b->len - 1)
		mem_exhausted();
	need = b->len + len + 1;
	if (need > b->size) {
		b->size = need > 2 * b->size ? need : 2 * b->size;
		b->text = mem_grow(b->text, b->size, 1);
		b->text[b->len] = '\0';
	}
	return b->text + b->len;
}

void buf_add(struct buf *b, const void *bytes, size_t len)
{
	char *at = buf_reserve(b, len);

	if (len)
		memcpy(at, bytes, len);
	b->len += len;
	b->text[b->len] = '\0';
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_char(struct buf *b, char c)
{
	*buf_reserve(b, 1) = c;
	b->text[++b->len] = '\0';
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	char *at = buf_reserve(b, 0);
	size_t room = b->size - b->len;
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(at, room, fmt, again);
	va_end(again);
	if (len < 0)
		mem_exhausted();
	if ((size_t)len >= room)
		vsnprintf(buf_reserve(b, (size_t)len), (size_t)len + 1, fmt, ap);
	b->len += (size_t)len;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	if (b->text)
		b->text[0] = '\0';
}

void buf_done(struct buf *b)
{
	free(b->text);
	*b = (struct buf){ 0 };
}
