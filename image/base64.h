/* base64.h - RFC 4648 base64, the plain alphabet, with padding and nothing else in between. */
#ifndef HULL_IMAGE_BASE64_H
#define HULL_IMAGE_BASE64_H

#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"

void base64_encode(const void *bytes, size_t len, struct buf *ret);
/* Appends the bytes; -EINVAL for anything that base64_encode() would not have made. */
int base64_decode(const char *text, size_t len, struct buf *ret) MUST_CHECK;

#endif
