#include "image/digest.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	size_t bytes;
} algorithms[DIGEST_ALGORITHMS] = {
	[DIGEST_SHA256] = { "sha256", SHA256_SIZE },
	[DIGEST_SHA512] = { "sha512", SHA512_SIZE },
};

/* Why it is none, as the end of a sentence; NULL: it is one. */
static const char *objection(const char *text)
{
	const char *colon = strchr(text, ':');
	size_t i = 0, hex;

	if (!colon)
		return "expected ALGORITHM:HEX";
	while (i < DIGEST_ALGORITHMS &&
	       (strlen(algorithms[i].name) != (size_t)(colon - text) ||
		memcmp(algorithms[i].name, text, (size_t)(colon - text)) != 0))
		i++;
	if (i == DIGEST_ALGORITHMS)
		return "the algorithm is not sha256 or sha512";
	hex = strspn(colon + 1, "0123456789abcdef");
	if (colon[1 + hex] != '\0')
		return "expected lower-case hexadecimal digits behind the colon";
	if (hex != 2 * algorithms[i].bytes)
		return i == DIGEST_SHA256 ? "expected 64 hexadecimal digits behind sha256:"
					  : "expected 128 hexadecimal digits behind sha512:";
	return NULL;
}

int digest_parse(const char *text, struct digest *ret, struct err *e)
{
	const char *why = objection(text);

	if (why)
		return err_set(e, EINVAL, "digest %s: %s", json_quote(text).text, why);
	*ret = (struct digest){ 0 };
	memcpy(ret->text, text, strlen(text));
	return 0;
}

bool digest_is_set(const struct digest *d)
{
	return d->text[0] != '\0';
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

const char *digest_hex(const struct digest *d)
{
	return strchr(d->text, ':') + 1;
}

enum digest_algorithm digest_algorithm(const struct digest *d)
{
	return d->text[3] == '5' ? DIGEST_SHA512 : DIGEST_SHA256;
}

const char *digest_algorithm_name(const struct digest *d)
{
	return algorithms[digest_algorithm(d)].name;
}

struct digest_short digest_shorten(const struct digest *d)
{
	struct digest_short ret = { "" };

	if (digest_is_set(d))
		memcpy(ret.text, digest_hex(d), DIGEST_SHORT);
	return ret;
}

void digest_begin(struct digest_state *s, enum digest_algorithm algorithm)
{
	s->algorithm = algorithm;
	if (algorithm == DIGEST_SHA512)
		sha512_begin(&s->hash);
	else
		sha256_begin(&s->hash);
}

void digest_update(struct digest_state *s, const void *bytes, size_t len)
{
	sha2_update(&s->hash, bytes, len);
}

struct digest digest_end(struct digest_state *s)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[SHA512_SIZE];
	struct digest ret = { "" };
	char *to = ret.text;

	sha2_end(&s->hash, bytes);
	memcpy(to, algorithms[s->algorithm].name, 6);
	to[6] = ':';
	to += 7;
	for (size_t i = 0; i < algorithms[s->algorithm].bytes; i++) {
		*to++ = hex[bytes[i] >> 4];
		*to++ = hex[bytes[i] & 15];
	}
	return ret;
}

struct digest digest_of(enum digest_algorithm algorithm, const void *bytes, size_t len)
{
	struct digest_state s;

	digest_begin(&s, algorithm);
	digest_update(&s, bytes, len);
	return digest_end(&s);
}

int digest_of_fd(enum digest_algorithm algorithm, int fd, struct digest *ret, uint64_t *ret_size)
{
	char bytes[64 * 1024];
	struct digest_state s;
	uint64_t size = 0;
	ssize_t n;

	digest_begin(&s, algorithm);
	for (;;) {
		n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		digest_update(&s, bytes, (size_t)n);
		size += (uint64_t)n;
	}
	*ret = digest_end(&s);
	if (ret_size)
		*ret_size = size;
	return 0;
}

static int decode_digest(struct json_decoder *d, const struct json *v,
			 const struct json_field *f UNUSED, void *out)
{
	const char *why = objection(v->text);

	if (why)
		return json_fail(d->doc, v, NULL, d->err, "%s is not a digest: %s",
				 json_quote(v->text).text, why);
	memcpy(out, v->text, strlen(v->text) + 1);
	return 0;
}

static int decode_digests(struct json_decoder *d, const struct json *v, const struct json_field *f,
			  void *out)
{
	struct digest *at = arena_array(d->arena, v->count, sizeof(*at));
	LIST(struct digest) list = { at, v->count };

	for (const struct json *item = v->first; item; item = item->next, at++) {
		if (item->type != JSON_STRING)
			return json_fail(d->doc, item, NULL, d->err, "expected a string, found %s",
					 json_type_name(item->type));
		TRY(decode_digest(d, item, f, at));
	}
	memcpy(out, &list, sizeof(list));
	return 0;
}

const struct json_kind json_kind_digest = { JSON_STRING, decode_digest, "" };
const struct json_kind json_kind_digests = { JSON_ARRAY, decode_digests, "[]" };
