/*
 * digest.h - "sha256:hex" and "sha512:hex": what names content, and the hashing of it.
 *
 *	struct digest_state state;
 *
 *	digest_begin(&state, DIGEST_SHA256);
 *	digest_update(&state, bytes, n);
 *	struct digest d = digest_end(&state);
 *
 * The hash functions are our own (image/sha2.h says why, with numbers). A
 * zeroed struct digest is "none". Only lower-case hex of the exact length is
 * a digest, so its text is also a safe file name, and equal content has equal text.
 */
#ifndef HULL_IMAGE_DIGEST_H
#define HULL_IMAGE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json_decode.h"
#include "image/sha2.h"

enum digest_algorithm { DIGEST_SHA256, DIGEST_SHA512, DIGEST_ALGORITHMS };

enum {
	DIGEST_TEXT_MAX = 7 + 128,
	DIGEST_SHORT = 12, /* characters of hex that people are shown */
};

struct digest {
	char text[DIGEST_TEXT_MAX + 1]; /* "sha256:..." */
};

/* `text` as a whole is a digest; -EINVAL and a sentence otherwise. */
int digest_parse(const char *text, struct digest *ret, struct err *e) MUST_CHECK;

bool digest_is_set(const struct digest *d);
bool digest_equal(const struct digest *a, const struct digest *b);
/* Behind the colon; and before it: "sha256". Both of a digest that is set. */
const char *digest_hex(const struct digest *d);
const char *digest_algorithm_name(const struct digest *d);
enum digest_algorithm digest_algorithm(const struct digest *d);
/* The first DIGEST_SHORT characters of hex. */
struct digest_short {
	char text[DIGEST_SHORT + 1];
};
struct digest_short digest_shorten(const struct digest *d);

struct digest_state {
	enum digest_algorithm algorithm;
	struct sha2 hash;
};
void digest_begin(struct digest_state *s, enum digest_algorithm algorithm);
void digest_update(struct digest_state *s, const void *bytes, size_t len);
struct digest digest_end(struct digest_state *s);

struct digest digest_of(enum digest_algorithm algorithm, const void *bytes, size_t len);
/* Of all from the descriptor's position to its end; *ret_size may be NULL. Negative errno. */
int digest_of_fd(enum digest_algorithm algorithm, int fd, struct digest *ret, uint64_t *ret_size)
	MUST_CHECK;

/* A member of a document that is a digest (base/json_decode.h); a list of them. */
extern const struct json_kind json_kind_digest, json_kind_digests;
#define FIELD_DIGEST(T, k, m, fl) FIELD_(k, digest, JSON_AT_(T, m, struct digest), fl)
#define FIELD_DIGESTS(T, k, m, fl) \
	FIELD_(k, digests,         \
	       JSON_LIST_(T, m) + JSON_CHECK_(JSON_IS_(JSON_ELEMENT_(T, m), struct digest)), fl)

#endif
