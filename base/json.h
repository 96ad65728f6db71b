/*
 * json.h - a JSON document as a tree that knows where each value stands.
 *
 *	auto_json struct json_doc doc = { .name = "config.json", .text = text, .size = size };
 *
 *	TRY(json_parse(&doc, &arena, e));
 *	... json_member(doc.root, "linux") ...
 *
 * Every value knows its parent and the offset of its first byte, so a message
 * names it exactly: "config.json:43:16: process.rlimits[0].soft: ...".
 * json_parse.c is the only file that knows the parser.
 *
 * Refused beyond what is not JSON: invalid UTF-8, a byte order mark, NUL in
 * strings, halves of surrogate pairs, members given twice, and more than the
 * limits below. No document takes more than n log n time.
 */
#ifndef HULL_BASE_JSON_H
#define HULL_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/util.h"

enum {
	JSON_MAX_SIZE = 16 * 1024 * 1024, /* bytes of text */
	JSON_MAX_VALUES = 1000 * 1000,
	JSON_MAX_DEPTH = 64, /* arrays and objects in each other */
};

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	uint32_t index;            /* place among its siblings */
	uint32_t offset;           /* of its first byte in the text */
	uint32_t key_offset;       /* of its name's first byte */
	const struct json *parent; /* NULL for the document itself */
	const char *key;           /* member name, NULL in an array */
	const struct json *next;   /* following sibling */
	union {
		bool boolean;
		const char *text; /* strings; numbers as written */
		struct {
			const struct json *first;
			const struct json **sorted; /* big objects: members by name */
			uint32_t count;
		};
	};
};

struct json_doc {
	const char *name; /* what messages call it */
	const char *text;
	size_t size;
	const struct json *root;
	struct arena tree; /* the values; their strings are elsewhere */
};

/*
 * Parses doc->text into doc->root. Strings and keys go to `strings`, so that
 * what was taken from the document may outlive it.
 */
int json_parse(struct json_doc *doc, struct arena *strings, struct err *e) MUST_CHECK;
void json_done(struct json_doc *doc);
#define auto_json __attribute__((cleanup(json_done)))

/* The member of this name, NULL without one. */
const struct json *json_member(const struct json *object, const char *key);

/*
 * The value at a path of plain names like "linux.namespaces[2].path" below
 * `from`; where the path leaves what is there, the last value that exists on it.
 */
const struct json *json_find(const struct json *from, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "a string", "an object", ... */
const char *json_type_name(enum json_type type);

/*
 * Fails with "NAME:LINE:COLUMN: json.path: message" and EINVAL. With `key`,
 * the path is that of a (missing) member of `at`. Columns count characters.
 */
int json_fail(const struct json_doc *doc, const struct json *at, const char *key, struct err *e,
	      const char *fmt, ...) PRINTF_LIKE(5, 6);

/* The same for any byte of the text; `at` and `key` may be NULL: no path. */
int json_fail_at(const struct json_doc *doc, size_t offset, const struct json *at, const char *key,
		 struct err *e, const char *what);

/* A string as messages show it: quoted, cut where it is long, control characters escaped. */
struct json_quoted {
	char text[96];
};
struct json_quoted json_quote(const char *s);

/* Bytes of the UTF-8 character that starts here, 0 if `left` bytes hold no valid one. */
size_t json_utf8(const char *s, size_t left);

#endif
