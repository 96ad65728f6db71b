/* What registries say of credentials: a header, and behind a NUL a token server's answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/fetch/challenge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	char *text = arena_strndup(&a, (const char *)data, size);
	const char *token = NULL;
	struct challenge c;
	struct err e = { 0 };
	size_t len = strnlen((const char *)data, size);

	if (challenge_parse(text, &a, &c, &e) == 0 && c.kind == CHALLENGE_BEARER && !c.realm)
		abort();
	if (len < size &&
	    challenge_token((const char *)data + len + 1, size - len - 1, &a, &token, &e) == 0)
		for (const char *t = token; *t; t++)
			if ((unsigned char)*t <= 0x20)
				abort();
	return 0;
}
