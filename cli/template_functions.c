/* template_functions.c - the functions of templates, as Docker has them. Letters are those of ASCII. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_write.h"
#include "cli/template_private.h"

enum { PAD_MAX = 1000 }; /* blanks that pad adds */

const struct json *template_string(const char *text, struct arena *a)
{
	struct json *v = arena_alloc(a, sizeof(*v));

	*v = (struct json){ .type = JSON_STRING, .text = text };
	return v;
}

static void print_json(const struct json *v, struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);

	json_write_value(&w, NULL, v);
}

void template_print_value(const struct json *v, struct buf *ret)
{
	if (v && v->type == JSON_STRING)
		buf_str(ret, v->text);
	else if (v)
		print_json(v, ret);
}

static const struct json *take_buf(struct buf *b, struct arena *a)
{
	buf_str(b, "");
	return template_string(arena_strdup(a, b->text), a);
}

/* The text of an argument; that of nothing is empty. */
static int need_text(const char *function, const struct json *v, const char **ret, struct err *e)
{
	*ret = "";
	if (!v)
		return 0;
	if (v->type != JSON_STRING)
		return err_set(e, EINVAL, "--format: %s: expected a text, not %s", function,
			       json_type_name(v->type));
	*ret = v->text;
	return 0;
}

static int need_number(const char *function, const struct json *v, size_t max, size_t *ret,
		       struct err *e)
{
	char *end;

	if (!v || v->type != JSON_NUMBER)
		return err_set(e, EINVAL, "--format: %s: expected a number, not %s", function,
			       v ? json_type_name(v->type) : "nothing");
	errno = 0;
	*ret = strtoul(v->text, &end, 10);
	if (*end || v->text[0] == '-' || errno || *ret > max)
		return err_set(e, EINVAL, "--format: %s: %s is no number from 0 to %zu", function,
			       v->text, max);
	return 0;
}

static int call_json(const struct json *const *args, size_t n UNUSED, struct arena *a,
		     const struct json **ret, struct err *e UNUSED)
{
	auto_buf struct buf b = { 0 };

	if (!args[0])
		buf_str(&b, "null");
	else
		print_json(args[0], &b);
	*ret = take_buf(&b, a);
	return 0;
}

static int call_join(const struct json *const *args, size_t n UNUSED, struct arena *a,
		     const struct json **ret, struct err *e)
{
	auto_buf struct buf b = { 0 };
	const char *by;

	TRY(need_text("join", args[1], &by, e));
	if (args[0] && args[0]->type != JSON_ARRAY && args[0]->type != JSON_NULL)
		return err_set(e, EINVAL, "--format: join: expected an array, not %s",
			       json_type_name(args[0]->type));
	if (args[0] && args[0]->type == JSON_ARRAY)
		for (const struct json *v = args[0]->first; v; v = v->next) {
			template_print_value(v, &b);
			buf_str(&b, v->next ? by : "");
		}
	*ret = take_buf(&b, a);
	return 0;
}

/* NULL: this is the last one. */
static const char *next_character(const char *text)
{
	size_t len = *text ? json_utf8(text, strlen(text)) : 0;

	len += *text && !len;
	return text[len] ? text + len : NULL;
}

static int call_split(const struct json *const *args, size_t n UNUSED, struct arena *a,
		      const struct json **ret, struct err *e)
{
	struct json *array = arena_alloc(a, sizeof(*array));
	const struct json **next = &array->first;
	const char *text, *by;

	array->type = JSON_ARRAY;
	TRY(need_text("split", args[0], &text, e));
	TRY(need_text("split", args[1], &by, e));
	for (;;) {
		const char *end = *by ? strstr(text, by) : next_character(text);
		struct json *part = arena_alloc(a, sizeof(*part));

		part->type = JSON_STRING;
		part->text = end ? arena_strndup(a, text, (size_t)(end - text)) : text;
		part->parent = array;
		part->index = array->count++;
		*next = part;
		next = &part->next;
		if (!end)
			break;
		text = end + strlen(by);
	}
	*ret = array;
	return 0;
}

/* Each letter by `fn`; with `words` only the first one of each word. */
static const struct json *map_letters(const char *text, int (*fn)(int), bool words, struct arena *a)
{
	char *copy = arena_strdup(a, text);
	unsigned char before = ' ';

	for (char *at = copy; *at; at++) {
		unsigned char c = (unsigned char)*at;

		if (c < 0x80 && (!words || isspace(before)))
			*at = (char)fn(c);
		before = c;
	}
	return template_string(copy, a);
}

static int call_lower(const struct json *const *args, size_t n UNUSED, struct arena *a,
		      const struct json **ret, struct err *e)
{
	const char *text;

	TRY(need_text("lower", args[0], &text, e));
	*ret = map_letters(text, tolower, false, a);
	return 0;
}

static int call_upper(const struct json *const *args, size_t n UNUSED, struct arena *a,
		      const struct json **ret, struct err *e)
{
	const char *text;

	TRY(need_text("upper", args[0], &text, e));
	*ret = map_letters(text, toupper, false, a);
	return 0;
}

static int call_title(const struct json *const *args, size_t n UNUSED, struct arena *a,
		      const struct json **ret, struct err *e)
{
	const char *text;

	TRY(need_text("title", args[0], &text, e));
	*ret = map_letters(text, toupper, true, a);
	return 0;
}

static int call_println(const struct json *const *args, size_t n, struct arena *a,
			const struct json **ret, struct err *e UNUSED)
{
	auto_buf struct buf b = { 0 };

	for (size_t i = 0; i < n; i++) {
		buf_str(&b, i ? " " : "");
		template_print_value(args[i], &b);
	}
	buf_char(&b, '\n');
	*ret = take_buf(&b, a);
	return 0;
}

static int call_pad(const struct json *const *args, size_t n UNUSED, struct arena *a,
		    const struct json **ret, struct err *e)
{
	const char *text;
	size_t before, after;

	TRY(need_text("pad", args[0], &text, e));
	TRY(need_number("pad", args[1], PAD_MAX, &before, e));
	TRY(need_number("pad", args[2], PAD_MAX, &after, e));
	*ret = template_string(
		!*text ? text : arena_printf(a, "%*s%s%*s", (int)before, "", text, (int)after, ""),
		a);
	return 0;
}

/* Characters, not bytes. */
static int call_truncate(const struct json *const *args, size_t n UNUSED, struct arena *a,
			 const struct json **ret, struct err *e)
{
	const char *text, *end;
	size_t left;

	TRY(need_text("truncate", args[0], &text, e));
	TRY(need_number("truncate", args[1], INT32_MAX, &left, e));
	for (end = text; *end; end++)
		if (((unsigned char)*end & 0xc0) != 0x80 && left-- == 0)
			break;
	*ret = template_string(arena_strndup(a, text, (size_t)(end - text)), a);
	return 0;
}

static int call_len(const struct json *const *args, size_t n UNUSED, struct arena *a,
		    const struct json **ret, struct err *e)
{
	const struct json *v = args[0];
	struct json *number = arena_alloc(a, sizeof(*number));
	size_t len = 0;

	if (v && v->type == JSON_STRING)
		len = strlen(v->text);
	else if (v && (v->type == JSON_ARRAY || v->type == JSON_OBJECT))
		len = v->count;
	else if (v && v->type != JSON_NULL)
		return err_set(e, EINVAL, "--format: len: %s has no length",
			       json_type_name(v->type));
	number->type = JSON_NUMBER;
	number->text = arena_printf(a, "%zu", len);
	*ret = number;
	return 0;
}

/* Nothing, where there is no such thing, as Go has it. */
static const struct json *element(const struct json *v, const struct json *key)
{
	char *end;
	unsigned long n;

	if (!key || !v)
		return NULL;
	if (key->type == JSON_STRING && v->type == JSON_OBJECT)
		return json_member(v, key->text);
	if (key->type != JSON_NUMBER || v->type != JSON_ARRAY)
		return NULL;
	n = strtoul(key->text, &end, 10);
	if (*end)
		return NULL;
	v = v->first;
	while (v && n--)
		v = v->next;
	return v;
}

static int call_index(const struct json *const *args, size_t n, struct arena *a UNUSED,
		      const struct json **ret, struct err *e UNUSED)
{
	*ret = args[0];
	for (size_t i = 1; i < n; i++)
		*ret = element(*ret, args[i]);
	return 0;
}

bool template_is_true(const struct json *v)
{
	if (!v)
		return false;
	switch (v->type) {
	case JSON_NULL:
		return false;
	case JSON_BOOL:
		return v->boolean;
	case JSON_NUMBER:
		return strtod(v->text, NULL) != 0;
	case JSON_STRING:
		return *v->text;
	case JSON_ARRAY:
	case JSON_OBJECT:
		return v->first;
	}
	return false;
}

static const struct json *truth(bool value, struct arena *a)
{
	struct json *v = arena_alloc(a, sizeof(*v));

	v->type = JSON_BOOL;
	v->boolean = value;
	return v;
}

static int call_not(const struct json *const *args, size_t n UNUSED, struct arena *a,
		    const struct json **ret, struct err *e UNUSED)
{
	*ret = truth(!template_is_true(args[0]), a);
	return 0;
}

/* The first one that decides it, or the last one. */
static const struct json *first_that_is(bool wanted, const struct json *const *args, size_t n)
{
	size_t i = 0;

	while (i + 1 < n && template_is_true(args[i]) != wanted)
		i++;
	return args[i];
}

static int call_and(const struct json *const *args, size_t n, struct arena *a UNUSED,
		    const struct json **ret, struct err *e UNUSED)
{
	*ret = first_that_is(false, args, n);
	return 0;
}

static int call_or(const struct json *const *args, size_t n, struct arena *a UNUSED,
		   const struct json **ret, struct err *e UNUSED)
{
	*ret = first_that_is(true, args, n);
	return 0;
}

/* Of the same kind, and printed alike. */
static bool is_equal(const struct json *a, const struct json *b)
{
	auto_buf struct buf first = { 0 }, second = { 0 };

	if (!a || !b || a->type != b->type)
		return a == b;
	template_print_value(a, &first);
	template_print_value(b, &second);
	buf_str(&first, "");
	buf_str(&second, "");
	return strcmp(first.text, second.text) == 0;
}

static int call_eq(const struct json *const *args, size_t n, struct arena *a,
		   const struct json **ret, struct err *e UNUSED)
{
	bool equal = false;

	for (size_t i = 1; i < n; i++)
		equal = equal || is_equal(args[0], args[i]);
	*ret = truth(equal, a);
	return 0;
}

static int call_ne(const struct json *const *args, size_t n UNUSED, struct arena *a,
		   const struct json **ret, struct err *e UNUSED)
{
	*ret = truth(!is_equal(args[0], args[1]), a);
	return 0;
}

const struct template_function *template_function_find(const char *name, size_t len)
{
	static const struct template_function rows[] = {
		{ "and", "VALUE...", 1, TEMPLATE_ARGS_MAX, call_and },
		{ "eq", "VALUE VALUE...", 2, TEMPLATE_ARGS_MAX, call_eq },
		{ "index", "VALUE KEY...", 1, TEMPLATE_ARGS_MAX, call_index },
		{ "join", "ARRAY SEPARATOR", 2, 2, call_join },
		{ "json", "VALUE", 1, 1, call_json },
		{ "len", "VALUE", 1, 1, call_len },
		{ "lower", "TEXT", 1, 1, call_lower },
		{ "ne", "VALUE VALUE", 2, 2, call_ne },
		{ "not", "VALUE", 1, 1, call_not },
		{ "or", "VALUE...", 1, TEMPLATE_ARGS_MAX, call_or },
		{ "pad", "TEXT BEFORE AFTER", 3, 3, call_pad },
		{ "println", "VALUE...", 0, TEMPLATE_ARGS_MAX, call_println },
		{ "split", "TEXT SEPARATOR", 2, 2, call_split },
		{ "title", "TEXT", 1, 1, call_title },
		{ "truncate", "TEXT LENGTH", 2, 2, call_truncate },
		{ "upper", "TEXT", 1, 1, call_upper },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
			return &rows[i];
	return NULL;
}
