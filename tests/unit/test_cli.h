/* test_cli.h - command lines for the tests of cli/. */
#ifndef HULL_TESTS_UNIT_TEST_CLI_H
#define HULL_TESTS_UNIT_TEST_CLI_H

#include <string.h>

#include "base/arena.h"
#include "base/list.h"

/* The words of a line, between single spaces; '' is the empty word. */
static inline struct strings split_words(struct arena *a, const char *line)
{
	struct strings words = { arena_array(a, strlen(line) + 1, sizeof(char *)), 0 };

	for (const char *end; *line; line = end + (*end == ' ')) {
		end = strchrnul(line, ' ');
		words.at[words.n++] = strncmp(line, "''", 2) == 0
					      ? ""
					      : arena_strndup(a, line, (size_t)(end - line));
	}
	return words;
}

#endif
