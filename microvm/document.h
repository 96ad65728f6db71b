/*
 * document.h - what CREATE and EXEC carry: a JSON text and a compiled seccomp filter.
 *
 * The text is config.json, or a bare process; the guest parses it, the host's
 * libseccomp has compiled the filter.
 */
#ifndef HULL_MICROVM_DOCUMENT_H
#define HULL_MICROVM_DOCUMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "security/seccomp.h"

struct document {
	const char *text;
	size_t size;
	struct seccomp_filter filter; /* at NULL: none */
};

void document_write(const struct document *d, struct buf *ret);
/* -EPROTO: it is none. *ret points into `bytes` and, for the filter, into `a`. */
int document_read(const void *bytes, size_t size, struct arena *a, struct document *ret);

#endif
