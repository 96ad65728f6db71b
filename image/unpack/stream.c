/* SHA256_Init() and its like have neither providers nor configuration files, which EVP loads. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "image/unpack/stream.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"
#include "image/unpack/decompressor.h"

enum { IN_BYTES = 64 * 1024, OUT_BYTES = 128 * 1024, MAGIC_BYTES = 6 };

/* How a stream is packed. step() moves bytes from s->in to s->out; true: it stands at an end. */
struct packing {
	const char *name;
	size_t magic_len;
	unsigned char magic[MAGIC_BYTES];
	int (*begin)(struct stream *s, struct err *e);
	int (*step)(struct stream *s, size_t *out, struct err *e);
	void (*end)(struct stream *s);
};

struct stream {
	int fd;
	const struct decompressor *decompressor; /* who has unpacked it; NULL: it is done here */
	const struct packing *packing;
	bool whole;    /* the compressed data may end here */
	bool in_ended; /* nothing comes after what is in `in` */
	size_t in_at, in_len;
	uint64_t size, nonzero, max;
	z_stream zlib;
	ZSTD_DCtx *zstd;
	SHA256_CTX sha;
	unsigned char in[IN_BYTES], out[OUT_BYTES];
};

/* Keeps what is there and reads as much as there is room for, at least one byte. */
static int refill(struct stream *s, struct err *e)
{
	ssize_t n;

	if (s->in_ended)
		return 0;
	memmove(s->in, s->in + s->in_at, s->in_len - s->in_at);
	s->in_len -= s->in_at;
	s->in_at = 0;
	do
		n = read(s->fd, s->in + s->in_len, sizeof(s->in) - s->in_len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read the layer");
	s->in_ended = n == 0;
	s->in_len += (size_t)n;
	return 0;
}

static int plain_step(struct stream *s, size_t *out, struct err *e UNUSED)
{
	size_t n = s->in_len - s->in_at;

	if (n > sizeof(s->out))
		n = sizeof(s->out);
	memcpy(s->out, s->in + s->in_at, n);
	s->in_at += n;
	*out = n;
	return true;
}

static int gzip_begin(struct stream *s, struct err *e)
{
	if (inflateInit2(&s->zlib, MAX_WBITS + 16) != Z_OK)
		return err_set(e, ENOMEM, "start decompressing gzip");
	return 0;
}

static int gzip_step(struct stream *s, size_t *out, struct err *e)
{
	int r;

	if (s->whole) { /* another member, or something else */
		while (s->in_len - s->in_at < 2 && !s->in_ended)
			TRY(refill(s, e));
		if (s->in_len - s->in_at < 2 || s->in[s->in_at] != 0x1f ||
		    s->in[s->in_at + 1] != 0x8b)
			return err_set(e, EINVAL,
				       "something that is not gzip follows the gzip data");
		inflateReset(&s->zlib);
	}
	s->zlib.next_in = s->in + s->in_at;
	s->zlib.avail_in = (unsigned)(s->in_len - s->in_at);
	s->zlib.next_out = s->out;
	s->zlib.avail_out = sizeof(s->out);
	r = inflate(&s->zlib, Z_NO_FLUSH);
	s->in_at = s->in_len - s->zlib.avail_in;
	*out = sizeof(s->out) - s->zlib.avail_out;
	if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
		return err_set(e, EINVAL, "the gzip data is damaged (%s)",
			       s->zlib.msg ? s->zlib.msg : zError(r));
	return r == Z_STREAM_END;
}

static void gzip_end(struct stream *s)
{
	inflateEnd(&s->zlib);
}

static int zstd_begin(struct stream *s, struct err *e)
{
	s->zstd = ZSTD_createDCtx();
	if (!s->zstd ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax, STREAM_WINDOW_LOG)))
		return err_set(e, ENOMEM, "start decompressing zstd");
	return 0;
}

static int zstd_step(struct stream *s, size_t *out, struct err *e)
{
	ZSTD_inBuffer in = { s->in, s->in_len, s->in_at };
	ZSTD_outBuffer to = { s->out, sizeof(s->out), 0 };
	size_t r = ZSTD_decompressStream(s->zstd, &to, &in);

	s->in_at = in.pos;
	*out = to.pos;
	if (ZSTD_isError(r))
		return err_set(e, EINVAL, "the zstd data is damaged (%s)", ZSTD_getErrorName(r));
	return r == 0;
}

static void zstd_end(struct stream *s)
{
	ZSTD_freeDCtx(s->zstd);
}

/* The first row that fits; without `step` it is only there to be refused by name. */
static const struct packing packings[] = {
	{ "gzip", 2, { 0x1f, 0x8b }, gzip_begin, gzip_step, gzip_end },
	{ "zstd", 4, { 0x28, 0xb5, 0x2f, 0xfd }, zstd_begin, zstd_step, zstd_end },
	{ "xz", 6, { 0xfd, '7', 'z', 'X', 'Z', 0 }, NULL, NULL, NULL },
	{ "bzip2", 3, { 'B', 'Z', 'h' }, NULL, NULL, NULL },
	{ "lz4", 4, { 0x04, 0x22, 0x4d, 0x18 }, NULL, NULL, NULL },
	{ "plain", 0, { 0 }, NULL, plain_step, NULL },
};

/* A zstd stream may begin with a skippable frame: 0x184D2A50 to 5F, little-endian. */
static bool is_skippable(const unsigned char *b, size_t len)
{
	return len >= 4 && (b[0] & 0xf0) == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18;
}

static const struct packing *find_packing(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0;; i++) {
		const struct packing *p = &packings[i];

		if (len >= p->magic_len && memcmp(bytes, p->magic, p->magic_len) == 0)
			return p;
		if (p->step == zstd_step && is_skippable(bytes, len))
			return p;
	}
}

int stream_open(int fd, uint64_t max_bytes, struct stream **ret, struct err *e)
{
	struct stream *s = mem_zalloc(sizeof(*s));
	int r = 0;

	s->fd = fd;
	s->max = max_bytes;
	SHA256_Init(&s->sha);
	while (r == 0 && s->in_len < MAGIC_BYTES && !s->in_ended)
		r = refill(s, e);
	if (r == 0) {
		const struct packing *p = find_packing(s->in, s->in_len);

		if (!p->step)
			r = err_set(e, EINVAL,
				    "the layer is compressed with %s; gzip and zstd can be read",
				    p->name);
		else if (p->begin)
			r = p->begin(s, e);
		s->whole = !p->begin;
		if (r == 0)
			s->packing = p;
	}
	if (r < 0) {
		stream_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct stream *stream_open_pipe(int fd, const struct decompressor *d, uint64_t max_bytes)
{
	struct stream *s = mem_zalloc(sizeof(*s));

	s->fd = fd;
	s->decompressor = d;
	s->max = max_bytes;
	SHA256_Init(&s->sha);
	return s;
}

void stream_close(struct stream *s)
{
	if (s && s->packing && s->packing->end)
		s->packing->end(s);
	free(s);
}

static void note(struct stream *s, size_t n)
{
	size_t last = n;

	SHA256_Update(&s->sha, s->out, n);
	while (last > 0 && s->out[last - 1] == 0)
		last--;
	if (last > 0)
		s->nonzero = s->size + last;
	s->size += n;
}

/* A step took nothing and gave nothing: it wants more than there is. */
static int want_more(struct stream *s, struct err *e)
{
	if (s->in_ended || s->in_len - s->in_at == sizeof(s->in))
		return err_set(e, EINVAL, "the %s data ends early", s->packing->name);
	return refill(s, e);
}

/* What the decompressor has written. */
static ssize_t next_piped(struct stream *s, struct err *e)
{
	ssize_t n;

	do
		n = read(s->fd, s->out, sizeof(s->out));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "read the decompressed layer");
	return n > 0 ? n : decompressor_check(s->decompressor, e);
}

static ssize_t next_unpacked(struct stream *s, struct err *e)
{
	size_t n = 0;

	while (n == 0) {
		size_t had;
		int r;

		if (s->in_at == s->in_len)
			TRY(refill(s, e));
		had = s->in_len - s->in_at;
		if (had == 0 && s->whole)
			break;
		r = s->packing->step(s, &n, e);
		TRY(r);
		s->whole = r;
		if (n == 0 && !s->whole && had == s->in_len - s->in_at)
			TRY(want_more(s, e));
	}
	return (ssize_t)n;
}

ssize_t stream_next(struct stream *s, const void **ret, struct err *e)
{
	*ret = s->out;
	return s->decompressor ? next_piped(s, e) : next_unpacked(s, e);
}

ssize_t stream_read(struct stream *s, const void **ret, struct err *e)
{
	ssize_t n = stream_next(s, ret, e);

	if (n < 0)
		return n;
	if ((uint64_t)n > s->max - s->size)
		return err_set(e, EFBIG, "the layer has more than %llu bytes",
			       (unsigned long long)s->max);
	note(s, (size_t)n);
	return n;
}

uint64_t stream_size(const struct stream *s)
{
	return s->size;
}

uint64_t stream_nonzero(const struct stream *s)
{
	return s->nonzero;
}

struct stream_digest stream_digest(struct stream *s)
{
	struct stream_digest d = { "sha256:" };
	unsigned char md[SHA256_DIGEST_LENGTH];

	SHA256_Final(md, &s->sha);
	for (size_t i = 0; i < sizeof(md); i++)
		snprintf(d.text + strlen("sha256:") + 2 * i, 3, "%02x", md[i]);
	return d;
}
