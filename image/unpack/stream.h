/*
 * stream.h - the layer's bytes: read, decompressed, counted and digested as they pass.
 *
 * Plain, gzip (members one after the other) and zstd (frames, skippable ones too), told apart by
 * their first bytes. What follows the compressed data or is missing from it is an error.
 *
 * zlib and libzstd are used directly and not by way of libarchive: its gzip reader does not check
 * sums and passes over what follows, and its zstd reader has no limit for the window that we set.
 */
#ifndef HULL_IMAGE_UNPACK_STREAM_H
#define HULL_IMAGE_UNPACK_STREAM_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Of zstd, 2^n bytes. Frames of levels up to 19 want at most 2^23; other packers go up to 2^25
 * (klauspost's best), and --long up to this.
 */
enum { STREAM_WINDOW_LOG = 27 };

struct stream;
struct decompressor;

/* Looks at the first bytes of `fd`. More than max_bytes of uncompressed data are an error. */
int stream_open(int fd, uint64_t max_bytes, struct stream **ret, struct err *e) MUST_CHECK;
/* `fd` is what a decompressor, which is borrowed, writes to: the bytes as they are. */
struct stream *stream_open_pipe(int fd, const struct decompressor *d, uint64_t max_bytes);
void stream_close(struct stream *s);

/* The next uncompressed bytes, which live until the next call; 0 at the end. */
ssize_t stream_read(struct stream *s, const void **ret, struct err *e) MUST_CHECK;

/* The same, neither counted nor digested: for who only hands them on. */
ssize_t stream_next(struct stream *s, const void **ret, struct err *e) MUST_CHECK;

/* Uncompressed bytes so far, and where the last one that is not 0 ended. */
uint64_t stream_size(const struct stream *s);
uint64_t stream_nonzero(const struct stream *s);

/* "sha256:HEX" of all that stream_read() has returned. Once, at the end. */
struct stream_digest {
	char text[sizeof("sha256:") + 64];
};
struct stream_digest stream_digest(struct stream *s);

#endif
