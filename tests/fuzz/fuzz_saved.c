/*
 * fuzz_saved.c - a state of a microVM that anybody may have written.
 *
 * Once as it is, once sealed with a right checksum. What is read of each part
 * must lie in it, and texts must end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "microvm/saved.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_part(struct saved_in in)
{
	const uint8_t *begin = in.at;
	char text[16];
	struct err e;
	size_t n;

	for (int i = 0; i < 64 && !in.bad && in.at < in.end; i++) {
		uint32_t what = saved_u32(&in);
		const uint8_t *at;

		switch (what & 3) {
		case 0:
			saved_u64(&in);
			break;
		case 1:
			saved_text(&in, text, sizeof(text));
			if (!memchr(text, '\0', sizeof(text)))
				abort();
			break;
		case 2:
			at = saved_counted(&in, what >> 2, &n);
			if (n > what >> 2 || (n && (at < begin || at + n > in.end)))
				abort();
			break;
		default:
			saved_take(&in, text, what >> 2 & 15);
		}
		if (in.at < begin || in.at > in.end)
			abort();
	}
	if (saved_end(&in, &e) == 0 && (in.bad || in.at != in.end))
		abort();
}

static void read_all(const uint8_t *bytes, size_t size)
{
	struct saved_in in;
	struct saved s;
	struct err e;

	if (saved_open(bytes, size, &s, &e) < 0)
		return;
	for (size_t i = 0; i < s.n; i++) {
		if (saved_part(&s, s.parts[i].kind, s.parts[i].number, &in, &e) < 0 ||
		    in.at < bytes || in.end > bytes + size)
			abort();
		read_part(in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;

	read_all(data, size);
	if (size < 24)
		return 0;
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	saved_seal(copy, size);
	read_all(copy, size);
	free(copy);
	return 0;
}
