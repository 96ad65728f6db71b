/*
 * What registries say: a header, whole and as a WWW-Authenticate, and behind a NUL a token server's answer.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/fetch/challenge.h"
#include "image/fetch/headers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const struct buf *value)
{
	if (value->len > HEADER_MAX + 2 || (value->len && strlen(value->text) != value->len))
		abort();
}

/* Lines as they come, ended by a line feed or not. */
static void check_headers(const char *text, size_t size)
{
	struct headers h = { 0 };

	while (size) {
		const char *end = memchr(text, '\n', size);
		size_t len = end ? (size_t)(end - text) + 1 : size;

		headers_add(&h, text, len);
		text += len;
		size -= len;
	}
	check_value(&h.type);
	check_value(&h.challenge);
	check_value(&h.location);
	check_value(&h.retry_after);
	headers_wait(&h);
	headers_done(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	char *text = arena_strndup(&a, (const char *)data, size);
	const char *token = NULL;
	struct challenge c;
	struct err e = { 0 };
	size_t len = strnlen((const char *)data, size);

	check_headers((const char *)data, size);
	if (challenge_parse(text, &a, &c, &e) == 0 && c.kind == CHALLENGE_BEARER && !c.realm)
		abort();
	if (len < size &&
	    challenge_token((const char *)data + len + 1, size - len - 1, &a, &token, &e) == 0)
		for (const char *t = token; *t; t++)
			if ((unsigned char)*t <= 0x20)
				abort();
	return 0;
}
