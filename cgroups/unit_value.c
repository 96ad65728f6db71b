/* The value of an annotation as a property: simple types of GVariant text; see unit.h. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cgroups/grow.h"
#include "cgroups/unit.h"

enum { TEXT_MAX = 8192, ELEMENTS_MAX = 256 };

struct parser {
	struct arena *arena;
	const char *text, *at;
	struct err *err;
};

/* The types of one value, with the words that GVariant text has for them. */
static const struct type {
	char letter;
	const char *name, *word;
	int64_t least;
	uint64_t most; /* 0: not a whole number */
} types[] = {
	{ 'b', "b", "boolean", 0, 0 },
	{ 's', "s", "string", 0, 0 },
	{ 'd', "d", "double", 0, 0 },
	{ 'y', "y", "byte", 0, UINT8_MAX },
	{ 'n', "n", "int16", INT16_MIN, INT16_MAX },
	{ 'q', "q", "uint16", 0, UINT16_MAX },
	{ 'i', "i", "int32", INT32_MIN, INT32_MAX },
	{ 'u', "u", "uint32", 0, UINT32_MAX },
	{ 'x', "x", "int64", INT64_MIN, INT64_MAX },
	{ 't', "t", "uint64", 0, UINT64_MAX },
};

static int fail(struct parser *p, const char *why)
{
	return err_set(
		p->err, EINVAL,
		"\"%.200s\" is not a simple value like true, uint64 5, 'text' or ['a', 'b']: "
		"%s at character %zu",
		p->text, why, (size_t)(p->at - p->text) + 1);
}

static void skip_space(struct parser *p)
{
	p->at += strspn(p->at, " \t\n");
}

static const struct type *type_of(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i].letter == letter)
			return &types[i];
	return NULL;
}

/* "uint64 5", "@t 5", "@as []": the type, if one is said. */
static int parse_type(struct parser *p, const struct type **ret, bool *ret_array)
{
	size_t len;

	*ret = NULL;
	*ret_array = false;
	skip_space(p);
	if (*p->at == '@') {
		p->at++;
		*ret_array = *p->at == 'a';
		p->at += *ret_array;
		*ret = type_of(*p->at);
		if (!*ret || (*ret_array && ((*ret)->letter == 'b' || (*ret)->letter == 'd')))
			return fail(p, "a type that no property may have");
		p->at++;
		if (*p->at != ' ')
			return fail(p, "no value after the type");
		return 0;
	}
	len = strspn(p->at, "abcdefghijklmnopqrstuvwxyz0123456789");
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strlen(types[i].word) != len || strncmp(types[i].word, p->at, len) != 0)
			continue;
		p->at += len;
		*ret = &types[i];
		return 0;
	}
	return 0;
}

static void add_utf8(struct buf *b, unsigned long c)
{
	if (c < 0x80) {
		buf_char(b, (char)c);
	} else if (c < 0x800) {
		buf_char(b, (char)(0xc0 | c >> 6));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_char(b, (char)(0xe0 | c >> 12));
		buf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(b, (char)(0x80 | (c & 0x3f)));
	}
}

/* After a backslash. */
static int parse_escape(struct parser *p, struct buf *text)
{
	static const char letters[] = "abfnrtv", meant[] = "\a\b\f\n\r\t\v";
	const char *letter = *p->at ? strchr(letters, *p->at) : NULL;
	char digits[5] = "";
	unsigned long c;

	if (!*p->at)
		return fail(p, "the text has no end");
	if (*p->at == 'U')
		return fail(p, "an escape that hull does not know");
	if (*p->at != 'u') {
		buf_char(text, letter ? meant[letter - letters] : *p->at);
		p->at++;
		return 0;
	}
	if (strspn(p->at + 1, "0123456789abcdefABCDEF") < 4)
		return fail(p, "\\u without four digits");
	memcpy(digits, p->at + 1, 4);
	c = strtoul(digits, NULL, 16);
	if (c == 0 || (c >= 0xd800 && c <= 0xdfff))
		return fail(p, "a character that no text may have");
	add_utf8(text, c);
	p->at += 5;
	return 0;
}

static int parse_text(struct parser *p, const char **ret)
{
	auto_buf struct buf text = { 0 };
	const char quote = *p->at;

	if (quote != '\'' && quote != '"')
		return fail(p, "no text in quotes");
	p->at++;
	buf_str(&text, "");
	while (*p->at != quote) {
		if (!*p->at)
			return fail(p, "the text has no end");
		if (*p->at == '\\') {
			p->at++;
			TRY(parse_escape(p, &text));
		} else {
			buf_char(&text, *p->at++);
		}
	}
	p->at++;
	*ret = arena_strndup(p->arena, text.text, text.len);
	return 0;
}

static int parse_boolean(struct parser *p, uint64_t *ret)
{
	if (strncmp(p->at, "true", 4) == 0) {
		p->at += 4;
		*ret = 1;
	} else if (strncmp(p->at, "false", 5) == 0) {
		p->at += 5;
		*ret = 0;
	} else {
		return fail(p, "neither true nor false");
	}
	return 0;
}

static int parse_real(struct parser *p, double *ret)
{
	char *end;

	if (!strchr("-+.0123456789", *p->at) || !*p->at)
		return fail(p, "no number");
	errno = 0;
	*ret = strtod(p->at, &end);
	if (end == p->at || errno)
		return fail(p, "no number");
	p->at = end;
	return 0;
}

static int parse_integer(struct parser *p, const struct type *type, uint64_t *ret)
{
	const bool negative = *p->at == '-';
	const char *digits = p->at + (negative || *p->at == '+');
	uint64_t n;
	char *end;

	if (*digits < '0' || *digits > '9')
		return fail(p, "no number");
	errno = 0;
	n = strtoull(digits, &end, 0);
	if (errno ||
	    (negative ? n > 0 && (type->least == 0 || n - 1 > (uint64_t) - (type->least + 1))
		      : n > type->most))
		return fail(p, "a number out of its type's range");
	p->at = end;
	*ret = negative ? 0 - n : n;
	return 0;
}

/* What a value is if it does not say. */
static const struct type *guess(const char *at)
{
	const char *rest;

	if (*at == '\'' || *at == '"')
		return type_of('s');
	if (strncmp(at, "true", 4) == 0 || strncmp(at, "false", 5) == 0)
		return type_of('b');
	rest = at + (*at == '-' || *at == '+');
	if (strncmp(rest, "0x", 2) == 0)
		return type_of('i');
	rest += strspn(rest, "0123456789");
	return type_of(*rest == '.' || *rest == 'e' || *rest == 'E' ? 'd' : 'i');
}

static int parse_one(struct parser *p, const struct type *type, struct unit_property *ret)
{
	ret->type = type->name;
	switch (type->letter) {
	case 'b':
		return parse_boolean(p, &ret->number);
	case 's':
		return parse_text(p, &ret->text);
	case 'd':
		return parse_real(p, &ret->real);
	default:
		return parse_integer(p, type, &ret->number);
	}
}

static int parse_array(struct parser *p, const struct type *type, struct unit_property *ret)
{
	size_t n = 0;

	for (p->at++, skip_space(p); *p->at != ']'; n++) {
		struct unit_property one = { 0 };

		if (n == ELEMENTS_MAX)
			return fail(p, "too many elements");
		type = type ? type : guess(p->at);
		if (type->letter == 'b' || type->letter == 'd')
			return fail(p, "a list that no property may be");
		TRY(parse_one(p, type, &one));
		if (type->letter == 's')
			*grow_list(p->arena, &ret->texts) = one.text;
		else
			*grow_list(p->arena, &ret->numbers) = one.number;
		skip_space(p);
		if (*p->at == ',') {
			p->at++;
			skip_space(p);
		} else if (*p->at != ']') {
			return fail(p, "the list has no end");
		}
	}
	if (!type)
		return fail(p, "an empty list without a type, like @as");
	p->at++;
	ret->type = arena_printf(p->arena, "a%c", type->letter);
	return 0;
}

static int parse_value(struct parser *p, struct unit_property *ret)
{
	const struct type *type;
	bool array;

	TRY(parse_type(p, &type, &array));
	skip_space(p);
	if (*p->at == '[' && (array || !type))
		TRY(parse_array(p, type, ret));
	else if (array)
		return fail(p, "no list");
	else
		TRY(parse_one(p, type ? type : guess(p->at), ret));
	skip_space(p);
	return *p->at ? fail(p, "something after the value") : 0;
}

/* Seconds, as unit files have them, are microseconds for D-Bus; runc does the same. */
static int to_microseconds(struct parser *p, struct unit_property *ret)
{
	const struct type *type = ret->type[1] ? NULL : type_of(ret->type[0]);
	double seconds = 0;

	if (type && type->letter == 'd')
		seconds = ret->real;
	else if (type && type->most)
		seconds = type->least ? (double)(int64_t)ret->number : (double)ret->number;
	else
		return fail(p, "no number of seconds");
	if (!(seconds >= 0 && seconds < 1e12))
		return fail(p, "a number of seconds out of range");
	ret->number = (uint64_t)(seconds * 1e6);
	ret->type = "t";
	ret->name = arena_printf(p->arena, "%.*sUSec", (int)strlen(ret->name) - 3, ret->name);
	return 0;
}

int unit_value_parse(struct arena *a, const char *name, const char *text, struct unit_property *ret,
		     struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct parser p = { a, text, text, e };
	struct unit_property property = { .name = name };
	size_t len = strlen(name);

	if (len < 3 || len > 100 || strspn(name, letters) != len)
		return err_set(e, EINVAL,
			       "\"%.100s\" is not the name of a property, like MemoryHigh", name);
	if (strlen(text) > TEXT_MAX)
		return err_set(e, E2BIG, "the value is longer than %d", TEXT_MAX);
	TRY(parse_value(&p, &property));
	if (strcmp(name + len - 3, "Sec") == 0 && (len < 4 || name[len - 4] != 'U'))
		TRY(to_microseconds(&p, &property));
	*ret = property;
	return 0;
}
