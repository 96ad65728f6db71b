/*
 * fuzz_image_settings.c - anything at all as a file of credentials, a helper's
 * answer, a registries.conf and base64.
 *
 * A file that is wrong is named, and messages hold nothing of a credential file's text
 * that could be a secret: only where it is wrong.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/auth.h"
#include "image/base64.h"
#include "image/registries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_auth(const char *text, size_t size, struct arena *a)
{
	static const char *const registries[] = { "r.io", "docker.io" };
	struct auth_credentials c;
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(registries); i++) {
		int r = auth_parse("f", text, size, registries[i], "t/a", a, &c, &e);

		require(r == 0 || r == -ENOENT || (r == -EINVAL && strncmp(e.msg, "f:", 2) == 0));
		if (r == 0)
			require((c.username == NULL) == (c.password == NULL) &&
				(c.username || c.identity_token || c.helper) &&
				(!c.helper || !strchr(c.helper, '/')));
	}
	if (auth_parse_answer("h", text, size, a, &c, &e) < 0)
		require(strncmp(e.msg, "h:", 2) == 0);
}

static void check_base64(const char *text, size_t size)
{
	auto_buf struct buf plain = { 0 }, coded = { 0 };

	if (base64_decode(text, size, &plain) < 0)
		return;
	base64_encode(plain.text, plain.len, &coded);
	require(coded.len == size && memcmp(coded.text, text, size) == 0);
}

static void check_registries(const char *text, size_t size, struct arena *a)
{
	static const char *const names[] = { "debian", "r.io/team/a:1", "a.wild.io/x" };
	struct registries r = { 0 };
	struct err e = { 0 };

	if (registries_parse(&r, "f", text, size, &e) < 0) {
		require(strncmp(e.msg, "f:", 2) == 0);
		registries_done(&r);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct references list;
		struct registry_endpoints endpoints;
		struct reference ref;

		require(reference_parse(names[i], &ref, &e) == 0);
		if (registries_short_names(&r, &ref, a, &list, &e) < 0)
			continue;
		require(list.n > 0);
		for (size_t k = 0; k < list.n && k < 4; k++)
			if (registries_endpoints(&r, &list.at[k], a, &endpoints, &e) == 0)
				require(endpoints.n > 0);
	}
	registries_done(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	const char *text = (const char *)data;

	check_auth(text, size, &a);
	check_base64(text, size);
	check_registries(text, size, &a);
	return 0;
}
