#include "base/json.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* Of a longer path only the end is shown, so that the message still fits. */
enum { PATH_SHOWN = 300 };

/* Characters and messages */

size_t json_utf8(const char *s, size_t left)
{
	const unsigned char *c = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */
	size_t len;

	if (left == 0)
		return 0;
	if (c[0] < 0x80)
		return 1;
	if (c[0] >= 0xc2 && c[0] <= 0xdf)
		len = 2;
	else if (c[0] >= 0xe0 && c[0] <= 0xef)
		len = 3;
	else if (c[0] >= 0xf0 && c[0] <= 0xf4)
		len = 4;
	else
		return 0;
	if (c[0] == 0xe0)
		low = 0xa0; /* shorter forms exist */
	else if (c[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (c[0] == 0xf0)
		low = 0x90; /* shorter forms exist */
	else if (c[0] == 0xf4)
		high = 0x8f; /* past U+10FFFF */
	if (left < len || c[1] < low || c[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

struct json_quoted json_quote(const char *s)
{
	static const char cut[] = "...";
	struct json_quoted q = { "\"" };
	const size_t room = sizeof(q.text) - sizeof("\"") - (sizeof(cut) - 1);
	size_t used = 1, left = strlen(s), len, put;
	char c[8];

	for (; left; s += len, left -= len, used += put) {
		unsigned first = (unsigned char)s[0];

		len = json_utf8(s, left);
		if (len == 0) { /* only what did not come from a document */
			len = 1;
			put = (size_t)snprintf(c, sizeof(c), "\\x%02x", first);
		} else if (first < ' ' || first == 0x7f) {
			put = (size_t)snprintf(c, sizeof(c), "\\u%04x", first);
		} else if (len == 2 && first == 0xc2 && (unsigned char)s[1] < 0xa0) {
			put = (size_t)snprintf(c, sizeof(c), "\\u%04x", (unsigned char)s[1]);
		} else if (first == '"' || first == '\\') {
			put = (size_t)snprintf(c, sizeof(c), "\\%c", first);
		} else {
			put = len;
			memcpy(c, s, len);
		}
		if (used + put > room) {
			memcpy(q.text + used, cut, sizeof(cut));
			used += sizeof(cut) - 1;
			break;
		}
		memcpy(q.text + used, c, put);
	}
	memcpy(q.text + used, "\"", sizeof("\""));
	return q;
}

const char *json_type_name(enum json_type type)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",       [JSON_BOOL] = "a boolean", [JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string", [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
	};

	return names[type];
}

/* Whether the name can stand in a path as it is. */
static bool is_plain(const char *key)
{
	size_t len = 0;

	for (; key[len]; len++)
		if (!(key[len] >= 'a' && key[len] <= 'z') &&
		    !(key[len] >= 'A' && key[len] <= 'Z') && key[len] != '_' &&
		    (len == 0 || !(key[len] >= '0' && key[len] <= '9')))
			return false;
	return len > 0 && len < sizeof(struct json_quoted);
}

static void put_key(struct buf *b, const char *key)
{
	if (is_plain(key))
		buf_printf(b, "%s%s", b->len ? "." : "", key);
	else
		buf_printf(b, "[%s]", json_quote(key).text);
}

static void put_path(struct buf *b, const struct json *v)
{
	if (!v->parent)
		return;
	put_path(b, v->parent);
	if (v->key)
		put_key(b, v->key);
	else
		buf_printf(b, "[%u]", v->index);
}

int json_fail_at(const struct json_doc *doc, size_t offset, const struct json *at, const char *key,
		 struct err *e, const char *what)
{
	auto_buf struct buf path = { 0 };
	unsigned line = 1, column = 1;
	const char *shown = "", *cut = "";

	if (at)
		put_path(&path, at);
	if (key)
		put_key(&path, key);
	if (path.len) {
		buf_str(&path, ": ");
		shown = path.text;
	}
	if (path.len > PATH_SHOWN) {
		cut = "...";
		shown += path.len - PATH_SHOWN;
		while (json_utf8(shown, 4) == 0)
			shown++;
	}
	for (size_t i = 0; i < offset; i++) {
		if (doc->text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)doc->text[i] & 0xc0) != 0x80) {
			column++;
		}
	}
	return err_set(e, EINVAL, "%s:%u:%u: %s%s%s", doc->name, line, column, cut, shown, what);
}

int json_fail(const struct json_doc *doc, const struct json *at, const char *key, struct err *e,
	      const char *fmt, ...)
{
	auto_buf struct buf what = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&what, fmt, ap);
	va_end(ap);
	return json_fail_at(doc, at->offset, at, key, e, what.text);
}

/* Members */

static const struct json *search_sorted(const struct json *object, const char *key)
{
	size_t from = 0, to = object->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(key, object->sorted[middle]->key);

		if (order == 0)
			return object->sorted[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

const struct json *json_member(const struct json *object, const char *key)
{
	assert(object->type == JSON_OBJECT);
	if (object->sorted)
		return search_sorted(object, key);
	for (const struct json *v = object->first; v; v = v->next)
		if (strcmp(v->key, key) == 0)
			return v;
	return NULL;
}

static const struct json *element(const struct json *array, size_t index)
{
	const struct json *v = array->first;

	while (v && v->index != index)
		v = v->next;
	return v;
}

const struct json *json_find(const struct json *from, const char *fmt, ...)
{
	auto_buf struct buf path = { 0 };
	const struct json *v = from;
	char *rest, *step;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&path, fmt, ap);
	va_end(ap);
	for (rest = path.text; (step = strsep(&rest, ".[")) != NULL;) {
		const struct json *next = NULL;

		if (step[0] == '\0')
			continue;
		if (v->type == JSON_OBJECT)
			next = json_member(v, step);
		else if (v->type == JSON_ARRAY)
			next = element(v, strtoul(step, NULL, 10));
		if (!next)
			break;
		v = next;
	}
	return v;
}
