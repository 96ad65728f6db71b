/* Rows of keys among others that are typed. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/keys.h"
#include "base/util.h"

Test(keys, typed)
{
	static const struct {
		const char *keys, *text;
		size_t at; /* the key that completes them, from 1; 0: none */
	} rows[] = {
		{ "pq", "pq", 2 },        { "pq", "xpq", 3 },      { "pq", "ppq", 3 },
		{ "pq", "pxq", 0 },       { "aab", "aaab", 4 },    { "aab", "aabb", 3 },
		{ "abab", "aababb", 5 },  { "abac", "ababac", 6 }, { "a", "a", 1 },
		{ "abab", "abaabab", 7 }, { "aab", "ab", 0 },      { "", "abc", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t typed = 0, at = 0;

		for (size_t k = 0; rows[i].text[k] && !at; k++)
			if (keys_typed(rows[i].keys, strlen(rows[i].keys), &typed, rows[i].text[k]))
				at = k + 1;
		cr_expect_eq(at, rows[i].at, "%s in %s: %zu", rows[i].keys, rows[i].text, at);
	}
}

/* Again and again, also one after the other. */
Test(keys, twice)
{
	size_t typed = 0, n = 0;

	for (const char *c = "aaaa"; *c; c++)
		n += keys_typed("aa", 2, &typed, *c);
	cr_expect_eq(n, 3);
}
