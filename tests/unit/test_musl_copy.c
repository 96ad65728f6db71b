/* Our memcpy(3) and memmove(3) for musl: compat/musl/copy.c under other names, beside a loop of bytes. */
#include <criterion/criterion.h>
#include <string.h>

#define memcpy copy_of_memcpy
#define memmove copy_of_memmove
#include "compat/musl/copy.c"
#undef memcpy
#undef memmove

enum { SIZE = 160, LONGEST = 100, FURTHEST = 40 };

static unsigned char found[SIZE], expected[SIZE], copied[SIZE];

static void fill(void)
{
	for (size_t i = 0; i < SIZE; i++)
		found[i] = expected[i] = (unsigned char)(i * 7 + 1);
}

Test(musl_copy, every_length_and_every_overlap)
{
	for (size_t n = 0; n <= LONGEST; n++) {
		for (size_t from = 0; from <= FURTHEST; from++) {
			for (size_t to = 0; to <= FURTHEST; to++) {
				fill();
				for (size_t i = 0; i < n; i++)
					copied[i] = expected[from + i];
				for (size_t i = 0; i < n; i++)
					expected[to + i] = copied[i];
				cr_assert_eq(copy_of_memmove(found + to, found + from, n), found + to);
				for (size_t i = 0; i < SIZE; i++)
					cr_assert_eq(found[i], expected[i], "%zu bytes from %zu to %zu: %zu",
						     n, from, to, i);
			}
		}
	}
}

Test(musl_copy, every_length_apart)
{
	for (size_t n = 0; n <= LONGEST; n++) {
		fill();
		cr_assert_eq(copy_of_memcpy(copied + 3, found + 5, n), copied + 3);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(copied[3 + i], found[5 + i], "%zu bytes: %zu", n, i);
	}
}
