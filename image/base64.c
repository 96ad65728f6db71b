#include "image/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *bytes, size_t len, struct buf *ret)
{
	const unsigned char *at = bytes;

	buf_str(ret, "");
	for (size_t i = 0; i < len; i += 3) {
		uint32_t group = (uint32_t)at[i] << 16;

		if (i + 1 < len)
			group |= (uint32_t)at[i + 1] << 8;
		if (i + 2 < len)
			group |= at[i + 2];
		buf_char(ret, letters[group >> 18]);
		buf_char(ret, letters[group >> 12 & 63]);
		buf_char(ret, i + 1 < len ? letters[group >> 6 & 63] : '=');
		buf_char(ret, i + 2 < len ? letters[group & 63] : '=');
	}
}

/* Padding counts as zero. */
static int value(char c)
{
	const char *found = c ? strchr(letters, c) : NULL;

	if (c == '=')
		return 0;
	return found ? (int)(found - letters) : -1;
}

int base64_decode(const char *text, size_t len, struct buf *ret)
{
	size_t padding = 0;

	buf_str(ret, "");
	if (len % 4)
		return -EINVAL;
	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	if (memchr(text, '=', len - padding))
		return -EINVAL;
	for (size_t i = 0; i < len; i += 4) {
		size_t n = i + 4 == len ? 3 - padding : 3;
		unsigned char bytes[3];
		uint32_t group = 0;

		for (size_t k = 0; k < 4; k++) {
			int v = value(text[i + k]);

			if (v < 0)
				return -EINVAL;
			group = group << 6 | (uint32_t)v;
		}
		for (size_t k = 0; k < 3; k++)
			bytes[k] = (unsigned char)(group >> (16 - 8 * k));
		/* Bits that are left over are zero: there is one text for each content. */
		for (size_t k = n; k < 3; k++)
			if (bytes[k])
				return -EINVAL;
		buf_add(ret, bytes, n);
	}
	return 0;
}
