#include "base/json_write.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/json.h"

struct json_writer json_writer(struct buf *out, const char *indent)
{
	return (struct json_writer){ .out = out, .indent = indent };
}

static uint64_t innermost(const struct json_writer *w)
{
	return UINT64_C(1) << (w->depth - 1);
}

static void put_newline(struct json_writer *w)
{
	if (!w->indent)
		return;
	buf_char(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		buf_str(w->out, w->indent);
}

/* The escape that a character needs, NULL if it may stand as it is. */
static const char *short_escape(char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

/* How many characters from here on may stand as they are. */
static size_t plain(const char *s)
{
	size_t n = 0;

	while (s[n] >= ' ' && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

static void put_string(struct buf *out, const char *s)
{
	size_t left = strlen(s), len;

	buf_char(out, '"');
	for (; left; s += len, left -= len) {
		const char *escape = short_escape(*s);

		len = plain(s);
		if (len) {
			buf_add(out, s, len);
			continue;
		}
		len = json_utf8(s, left);
		if (escape) {
			buf_str(out, escape);
		} else if (len == 0) {
			buf_str(out, "\xef\xbf\xbd");
			len = 1;
		} else if ((unsigned char)*s < ' ' || *s == 0x7f) {
			buf_printf(out, "\\u%04x", (unsigned char)*s);
		} else {
			buf_add(out, s, len);
		}
	}
	buf_char(out, '"');
}

/* What comes before every value: comma, line, key. */
static void begin(struct json_writer *w, const char *key)
{
	if (w->depth == 0) {
		assert(!key && !w->complete);
		w->complete = true;
		return;
	}
	assert(!key == !(w->in_object & innermost(w)));
	if (w->has_items & innermost(w))
		buf_char(w->out, ',');
	w->has_items |= innermost(w);
	put_newline(w);
	if (!key)
		return;
	put_string(w->out, key);
	buf_str(w->out, w->indent ? ": " : ":");
}

static void open_bracket(struct json_writer *w, const char *key, bool object)
{
	begin(w, key);
	assert(w->depth < 8 * sizeof(w->in_object));
	buf_char(w->out, object ? '{' : '[');
	w->depth++;
	w->has_items &= ~innermost(w);
	w->in_object &= ~innermost(w);
	if (object)
		w->in_object |= innermost(w);
}

void json_write_object(struct json_writer *w, const char *key)
{
	open_bracket(w, key, true);
}

void json_write_array(struct json_writer *w, const char *key)
{
	open_bracket(w, key, false);
}

void json_write_end(struct json_writer *w)
{
	bool object, items;

	assert(w->depth > 0);
	object = w->in_object & innermost(w);
	items = w->has_items & innermost(w);
	w->depth--;
	if (items)
		put_newline(w);
	buf_char(w->out, object ? '}' : ']');
}

void json_write_string(struct json_writer *w, const char *key, const char *value)
{
	begin(w, key);
	if (value)
		put_string(w->out, value);
	else
		buf_str(w->out, "null");
}

void json_write_strings(struct json_writer *w, const char *key, const struct strings *list)
{
	json_write_array(w, key);
	for (size_t i = 0; i < list->n; i++)
		json_write_string(w, NULL, list->at[i]);
	json_write_end(w);
}

void json_write_int(struct json_writer *w, const char *key, int64_t value)
{
	begin(w, key);
	buf_printf(w->out, "%" PRId64, value);
}

void json_write_uint(struct json_writer *w, const char *key, uint64_t value)
{
	begin(w, key);
	buf_printf(w->out, "%" PRIu64, value);
}

void json_write_bool(struct json_writer *w, const char *key, bool value)
{
	begin(w, key);
	buf_str(w->out, value ? "true" : "false");
}

void json_write_null(struct json_writer *w, const char *key)
{
	json_write_string(w, key, NULL);
}

void json_write_raw(struct json_writer *w, const char *key, const char *text)
{
	begin(w, key);
	buf_str(w->out, text);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as json_parse() lets it be. */
void json_write_value(struct json_writer *w, const char *key, const struct json *value)
{
	switch (value->type) {
	case JSON_NULL:
		json_write_null(w, key);
		return;
	case JSON_BOOL:
		json_write_bool(w, key, value->boolean);
		return;
	case JSON_NUMBER:
		json_write_raw(w, key, value->text);
		return;
	case JSON_STRING:
		json_write_string(w, key, value->text);
		return;
	case JSON_ARRAY:
		json_write_array(w, key);
		break;
	case JSON_OBJECT:
		json_write_object(w, key);
		break;
	}
	for (const struct json *m = value->first; m; m = m->next)
		json_write_value(w, value->type == JSON_OBJECT ? m->key : NULL, m);
	json_write_end(w);
}
