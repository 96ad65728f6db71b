/*
 * json_write.h - writes JSON into a struct buf.
 *
 *	struct json_writer w = json_writer(&buf, "  ");
 *
 *	json_write_object(&w, NULL);
 *	json_write_string(&w, "id", id);
 *	json_write_array(&w, "pids");
 *	json_write_int(&w, NULL, pid);
 *	json_write_end(&w);
 *	json_write_end(&w);
 *
 * Values in objects have a key, all others NULL; anything else is our mistake
 * and asserted. Nothing follows the last bracket, not even a newline.
 */
#ifndef HULL_BASE_JSON_WRITE_H
#define HULL_BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"

struct json_writer {
	struct buf *out;
	const char *indent; /* one step of it; NULL: all in one line */
	unsigned depth;
	bool complete; /* the one value of the document was written */
	/* bit N is about the N+1st bracket that is open */
	uint64_t in_object, has_items;
};

struct json_writer json_writer(struct buf *out, const char *indent);

void json_write_object(struct json_writer *w, const char *key);
void json_write_array(struct json_writer *w, const char *key);
void json_write_end(struct json_writer *w); /* of the innermost of them */

/* NULL is written as null; what is no UTF-8 becomes U+FFFD. */
void json_write_string(struct json_writer *w, const char *key, const char *value);
void json_write_strings(struct json_writer *w, const char *key, const struct strings *list);
void json_write_int(struct json_writer *w, const char *key, int64_t value);
void json_write_uint(struct json_writer *w, const char *key, uint64_t value);
void json_write_bool(struct json_writer *w, const char *key, bool value);
void json_write_null(struct json_writer *w, const char *key);
/* `text` is JSON already. */
void json_write_raw(struct json_writer *w, const char *key, const char *text);
/*
 * A value that was parsed, as it was: numbers digit by digit. Asserts that it fits below the brackets
 * that are open: a document of JSON_MAX_DEPTH has room for it at the top alone.
 */
void json_write_value(struct json_writer *w, const char *key, const struct json *value);

#endif
