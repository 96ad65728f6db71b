/* Headers of the archives that `save` writes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/tar_write.h"

static const char hex[] = "0123456789012345678901234567890123456789012345678901234567890123456789"
			  "01234567890123456789012345678x";

Test(tar_write, headers)
{
	static const struct {
		const char *name;
		uint64_t size;
		const char *digits; /* NULL: more than octal can say */
		char type;
	} rows[] = {
		{ "blobs/", 0, "00000000000", '5' },
		{ "index.json", 0, "00000000000", '0' },
		{ "index.json", 513, "00000001001", '0' },
		{ hex, UINT64_C(0x1ffffffff), "77777777777", '0' },
		{ hex, UINT64_C(0x200000000), NULL, '0' },
		{ hex, UINT64_C(0x10000000001), NULL, '0' },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned char b[TAR_BLOCK];
		unsigned sum = 0;
		uint64_t size = 0;

		tar_header(rows[i].name, rows[i].size, (char *)b);
		cr_expect_eq(strncmp((char *)b, rows[i].name, TAR_NAME_MAX), 0, "row %zu", i);
		cr_expect_eq(b[156], rows[i].type, "row %zu", i);
		cr_expect_eq(memcmp(b + 257, "ustar\0" "00", 8), 0, "row %zu", i);
		for (size_t k = 0; k < sizeof(b); k++)
			sum += k >= 148 && k < 156 ? ' ' : b[k];
		cr_expect_eq(strtoul((char *)b + 148, NULL, 8), sum, "row %zu", i);
		if (rows[i].digits) {
			cr_expect_str_eq((char *)b + 124, rows[i].digits, "row %zu", i);
			continue;
		}
		cr_expect_eq(b[124], 0x80, "row %zu", i);
		for (size_t k = 125; k < 136; k++)
			size = size << 8 | b[k];
		cr_expect_eq(size, rows[i].size, "row %zu", i);
	}
}
