/*
 * fuzz_resolv.c - anything at all as a resolv.conf. What comes out has nothing
 * but lines of the three kinds, and reads as the same again.
 *
 *	fuzz_resolv tests/fuzz/corpus-resolv
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "network/resolv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_lines(const char *text)
{
	static const char *const words[] = { "search ", "nameserver ", "options " };

	while (*text) {
		const char *end = strchr(text, '\n');
		bool known = false;

		require(end != NULL);
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			known = known || strncmp(text, words[i], strlen(words[i])) == 0;
		require(known);
		for (; text < end; text++)
			require((unsigned char)*text >= ' ' && (unsigned char)*text < 0x7f);
		text = end + 1;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	static const struct net_dns dns;
	struct resolv r = { 0 }, again = { 0 };
	const char *text;

	resolv_parse((const char *)data, size, &a, &r);
	text = resolv_text(&r, &dns, true, &a);
	check_lines(text);
	resolv_parse(text, strlen(text), &a, &again);
	require(strcmp(resolv_text(&again, &dns, true, &a), text) == 0);
	text = resolv_text(&r, &dns, false, &a);
	require(strncmp(text, "nameserver 127.", 15) != 0 && !strstr(text, "\nnameserver 127."));
	return 0;
}
