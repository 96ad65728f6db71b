#include "image/toml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

#define BARE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

enum { ITEMS_MAX = 10000 };

struct reader {
	const char *name, *at, *end;
	unsigned line;
	struct arena arena; /* of the file: documents are small */
	struct err *err;
};

PRINTF_LIKE(2, 3) static int wrong(const struct reader *r, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return err_set(r->err, EINVAL, "%s:%u: %s", r->name, r->line, what);
}

static int peek(const struct reader *r)
{
	return r->at < r->end ? (unsigned char)*r->at : -1;
}

static bool skip(struct reader *r, char c)
{
	if (peek(r) != (unsigned char)c)
		return false;
	r->at++;
	return true;
}

static void skip_blanks(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t')
		r->at++;
}

/* Blanks, comments, ends of lines. */
static void skip_lines(struct reader *r)
{
	for (;;) {
		skip_blanks(r);
		if (peek(r) == '#')
			while (r->at < r->end && *r->at != '\n')
				r->at++;
		if (peek(r) == '\r' && r->at + 1 < r->end && r->at[1] == '\n')
			r->at++;
		if (!skip(r, '\n'))
			return;
		r->line++;
	}
}

/* Nothing else but a comment up to the end of the line. */
static int end_line(struct reader *r)
{
	unsigned line = r->line;

	skip_lines(r);
	if (r->line == line && r->at < r->end)
		return wrong(r, "expected the end of the line");
	return 0;
}

static void add_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
	} else if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
		buf_char(b, (char)(0x80 | (c & 63)));
	} else if (c < 0x10000) {
		buf_char(b, (char)(0xe0 | c >> 12));
		buf_char(b, (char)(0x80 | (c >> 6 & 63)));
		buf_char(b, (char)(0x80 | (c & 63)));
	} else {
		buf_char(b, (char)(0xf0 | c >> 18));
		buf_char(b, (char)(0x80 | (c >> 12 & 63)));
		buf_char(b, (char)(0x80 | (c >> 6 & 63)));
		buf_char(b, (char)(0x80 | (c & 63)));
	}
}

/* Behind "\u" or "\U". */
static int read_code(struct reader *r, size_t digits, struct buf *b)
{
	uint32_t c = 0;

	for (size_t i = 0; i < digits; i++, r->at++) {
		static const char hex[] = "0123456789abcdef0123456789ABCDEF";
		const char *found = r->at < r->end && *r->at ? strchr(hex, *r->at) : NULL;

		if (!found)
			return wrong(r, "expected %zu hexadecimal digits", digits);
		c = c << 4 | (uint32_t)((found - hex) & 15);
	}
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return wrong(r, "a character that a string can't hold");
	add_utf8(b, c);
	return 0;
}

static int read_escape(struct reader *r, struct buf *b)
{
	static const char letters[] = "btnfr\"\\", meant[] = "\b\t\n\f\r\"\\";
	const char *found;

	if (skip(r, 'u'))
		return read_code(r, 4, b);
	if (skip(r, 'U'))
		return read_code(r, 8, b);
	found = r->at < r->end && *r->at ? strchr(letters, *r->at) : NULL;
	if (!found)
		return wrong(r, "an unknown escape in a string");
	buf_char(b, meant[found - letters]);
	r->at++;
	return 0;
}

/* "basic" or 'literal', on one line. */
static int read_string(struct reader *r, const char **ret)
{
	auto_buf struct buf b = { 0 };
	char quote = *r->at++;

	if (r->end - r->at >= 2 && r->at[0] == quote && r->at[1] == quote)
		return wrong(r, "strings of several lines are not understood");
	buf_str(&b, "");
	while (!skip(r, quote)) {
		size_t n;

		if (r->at >= r->end || *r->at == '\n')
			return wrong(r, "a string without an end");
		if (quote == '"' && skip(r, '\\')) {
			TRY(read_escape(r, &b));
			continue;
		}
		n = json_utf8(r->at, (size_t)(r->end - r->at));
		if (n == 0 || (n == 1 && (unsigned char)*r->at < 32 && *r->at != '\t'))
			return wrong(r, "a character that a string can't hold");
		buf_add(&b, r->at, n);
		r->at += n;
	}
	*ret = arena_strdup(&r->arena, b.text);
	return 0;
}

static const char *read_bare(struct reader *r)
{
	const char *start = r->at;

	while (r->at < r->end && *r->at && strchr(BARE, *r->at))
		r->at++;
	return arena_strndup(&r->arena, start, (size_t)(r->at - start));
}

/* One part of it. */
static int read_key(struct reader *r, const char **ret)
{
	skip_blanks(r);
	if (peek(r) == '"' || peek(r) == '\'')
		return read_string(r, ret);
	*ret = read_bare(r);
	return (*ret)[0] ? 0 : wrong(r, "expected a key");
}

static int read_strings(struct reader *r, struct strings *ret)
{
	struct strings list = { NULL, 0 };
	size_t size = 0;

	r->at++;
	for (;;) {
		skip_lines(r);
		if (skip(r, ']'))
			break;
		if (peek(r) != '"' && peek(r) != '\'')
			return wrong(r, "expected a string or the end of the array");
		if (list.n == size) {
			const char **more;

			if (list.n >= ITEMS_MAX)
				return wrong(r, "more than %d strings in an array", ITEMS_MAX);
			size = size ? 2 * size : 8;
			more = arena_array(&r->arena, size, sizeof(*more));
			if (list.n)
				memcpy(more, list.at, list.n * sizeof(*more));
			list.at = more;
		}
		TRY(read_string(r, &list.at[list.n]));
		list.n++;
		skip_lines(r);
		if (!skip(r, ',') && peek(r) != ']')
			return wrong(r, "expected \",\" or the end of the array");
	}
	*ret = list;
	return 0;
}

static int read_value(struct reader *r, struct toml_member *m)
{
	const char *digits;

	if (peek(r) == '"' || peek(r) == '\'') {
		m->type = TOML_STRING;
		return read_string(r, &m->text);
	}
	if (peek(r) == '[') {
		m->type = TOML_STRINGS;
		return read_strings(r, &m->list);
	}
	m->text = read_bare(r);
	m->boolean = strcmp(m->text, "true") == 0;
	m->type = TOML_BOOLEAN;
	if (m->boolean || strcmp(m->text, "false") == 0)
		return 0;
	m->type = TOML_INTEGER;
	digits = m->text + (m->text[0] == '-');
	if (digits[0] && digits[strspn(digits, "0123456789")] == '\0')
		return 0;
	return wrong(r, "expected a string, true, false, an integer or an array of strings");
}

/* [a.b] or [[a.b]] */
static int read_table(struct reader *r, const char **ret, bool *ret_in_array)
{
	auto_buf struct buf path = { 0 };
	const char *key = "";

	r->at++;
	*ret_in_array = skip(r, '[');
	do {
		TRY(read_key(r, &key));
		buf_printf(&path, "%s%s", path.len ? "." : "", key);
		skip_blanks(r);
	} while (skip(r, '.'));
	if (!skip(r, ']') || (*ret_in_array && !skip(r, ']')))
		return wrong(r, "expected \"%s\"", *ret_in_array ? "]]" : "]");
	*ret = arena_strdup(&r->arena, path.text);
	return 0;
}

static int read_all(struct reader *r,
		    int (*fn)(const struct toml_member *m, void *ctx, struct err *e), void *ctx)
{
	const char *table = "";
	bool in_array = false;

	for (skip_lines(r); r->at < r->end;) {
		struct toml_member m = { .line = r->line };

		if (peek(r) == '[') {
			TRY(read_table(r, &table, &in_array));
		} else {
			TRY(read_key(r, &m.key));
			skip_blanks(r);
			if (!skip(r, '='))
				return wrong(r, "expected \"=\" behind the key %s",
					     json_quote(m.key).text);
			skip_blanks(r);
			TRY(read_value(r, &m));
		}
		m.table = table;
		m.in_array = in_array;
		TRY(end_line(r));
		TRY(fn(&m, ctx, r->err));
	}
	return 0;
}

int toml_read(const char *name, const char *text, size_t size,
	      int (*fn)(const struct toml_member *m, void *ctx, struct err *e), void *ctx,
	      struct err *e)
{
	struct reader r = { .name = name, .at = text, .end = text + size, .line = 1, .err = e };
	int n = read_all(&r, fn, ctx);

	arena_done(&r.arena);
	return n;
}
