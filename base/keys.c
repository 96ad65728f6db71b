#include "base/keys.h"

#include <string.h>

bool keys_typed(const char *keys, size_t n, size_t *typed, char key)
{
	size_t now = *typed < n ? *typed + 1 : n;

	/* The longest row that the last ones are: a, a, a, b has a, a, b in it. */
	while (now > 0 &&
	       (keys[now - 1] != key || memcmp(keys, keys + *typed + 1 - now, now - 1) != 0))
		now--;
	*typed = now;
	return n && now == n;
}
