/*
 * toml.h - the part of TOML that configuration files of containers use, member by member.
 *
 * Comments, bare and quoted keys, tables, arrays of tables; values are basic and literal
 * strings of one line, booleans, integers (given as text) and arrays of strings, which
 * may go over several lines. What is beyond it is refused: "FILE:LINE: ...".
 */
#ifndef HULL_IMAGE_TOML_H
#define HULL_IMAGE_TOML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/list.h"
#include "base/util.h"

enum toml_type { TOML_STRING, TOML_BOOLEAN, TOML_INTEGER, TOML_STRINGS };

struct toml_member {
	const char *table; /* "a.b", "" at the top */
	bool in_array;     /* the table is [[a.b]] */
	unsigned line;
	const char *key; /* NULL: the table begins here */
	enum toml_type type;
	const char *text; /* strings, integers */
	bool boolean;
	struct strings list;
};

/* Calls fn for each, in order; what it is given is valid during the call. Its error ends it. */
int toml_read(const char *name, const char *text, size_t size,
	      int (*fn)(const struct toml_member *m, void *ctx, struct err *e), void *ctx,
	      struct err *e) MUST_CHECK;

#endif
