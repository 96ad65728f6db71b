/*
 * fuzz_image_reference.c - anything at all as an image's name, a digest, a platform.
 *
 * What is taken as a name is printed as one that means the same, and its parts
 * are safe as parts of a path; a failure always has words.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "image/platform.h"
#include "image/reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_reference(const char *text)
{
	struct reference r, again;
	struct reference_text printed;
	struct err e = { 0 };

	if (reference_parse(text, &r, &e) < 0) {
		require(e.code == EINVAL && e.msg[0]);
		return;
	}
	require(r.registry[0] && r.repository[0] && !strstr(r.repository, "..") &&
		!strstr(r.repository, "//") && !strchr(r.registry, '/'));
	printed = reference_print(&r);
	require(reference_parse(printed.text, &again, &e) == 0 && !again.is_short);
	require(strcmp(reference_print(&again).text, printed.text) == 0);
	require(reference_parse(reference_familiar(&r).text, &again, &e) == 0);
	require(strcmp(reference_name(&again).text, reference_name(&r).text) == 0);
	reference_default_tag(&r);
	require(r.tag[0] || digest_is_set(&r.digest));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	char *text = arena_strndup(&a, (const char *)data, size);
	struct transport_place place;
	struct platform p, again;
	struct digest d;
	struct err e = { 0 };

	check_reference(text);
	if (digest_parse(text, &d, &e) == 0)
		require(strcmp(d.text, text) == 0 && strlen(digest_hex(&d)) >= 64);
	if (platform_parse(text, &a, &p, &e) == 0) {
		require(platform_parse(platform_print(&p, &a), &a, &again, &e) == 0);
		require(platform_score(&p, &again) > 0 && platform_score(&again, &p) > 0);
	}
	if (transport_parse(text, &place, &e) == 0)
		require(place.transport == TRANSPORT_REGISTRY || place.path[0]);
	return 0;
}
