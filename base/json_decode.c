#include "base/json_decode.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"

/* As LIST(T) of any T. Objects are copied in and out: their types differ. */
struct any_list {
	void *at;
	size_t n;
};

/* How many words a message lists. */
enum { NAMES_SHOWN = 12 };

const char *json_name_of(const struct json_name *names, int value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

static int expect(struct json_decoder *d, const struct json *v, enum json_type type)
{
	if (v->type == type)
		return 0;
	return json_fail(d->doc, v, NULL, d->err, "expected %s, found %s", json_type_name(type),
			 json_type_name(v->type));
}

static bool is_absent(const struct json *v, const struct json_field *f)
{
	return !v || v->type == JSON_NULL ||
	       (v->type == JSON_STRING && v->text[0] == '\0' && !(f->flags & REQUIRED) &&
		f->kind->type == JSON_STRING);
}

int json_decode(struct json_decoder *d, const struct json *object, const struct json_field *fields,
		void *out)
{
	TRY(expect(d, object, JSON_OBJECT));
	for (const struct json_field *f = fields; f->key; f++) {
		const struct json *v = json_member(object, f->key);

		if (is_absent(v, f)) {
			if (f->flags & REQUIRED)
				return json_fail(d->doc, object, f->key, d->err, "missing");
			continue;
		}
		if (f->kind->type != JSON_NULL)
			TRY(expect(d, v, f->kind->type));
		TRY(f->kind->decode(d, v, f, (char *)out + f->offset));
	}
	return 0;
}

int json_decode_file(int dir_fd, const char *path, size_t max, const struct json_field *fields,
		     struct arena *a, void *out, struct err *e)
{
	auto_buf struct buf text = { 0 };
	auto_json struct json_doc doc = { .name = path };
	struct json_decoder d = { .doc = &doc, .arena = a, .err = e };
	struct err why = { 0 };
	int r = io_read_file(dir_fd, path, max, path, &text, &why);

	if (r < 0 && r != -ENOENT && e)
		*e = why;
	if (r < 0)
		return r;
	doc.text = text.text;
	doc.size = text.len;
	TRY(json_parse(&doc, a, e));
	return json_decode(&d, doc.root, fields, out);
}

/* The place of the value; in an opt_* also notes that there is one. */
static void *value_place(const struct json_field *f, void *out)
{
	if (f->value_at)
		*(bool *)out = true;
	return (char *)out + f->value_at;
}

static int decode_string(struct json_decoder *d UNUSED, const struct json *v,
			 const struct json_field *f UNUSED, void *out)
{
	*(const char **)out = v->text;
	return 0;
}

static int decode_boolean(struct json_decoder *d UNUSED, const struct json *v,
			  const struct json_field *f, void *out)
{
	*(bool *)value_place(f, out) = v->boolean;
	return 0;
}

/* Numbers are kept as text until it is known what they are for. */
static int decode_integer(struct json_decoder *d, const struct json *v, const struct json_field *f,
			  void *out)
{
	const char *digit = v->text;
	bool negative = digit[0] == '-', overflow = false, low;
	uint64_t n = 0;

	for (digit += negative; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			return json_fail(d->doc, v, NULL, d->err,
					 "expected an integer, found %.80s", v->text);
		overflow |= __builtin_mul_overflow(n, 10, &n) ||
			    __builtin_add_overflow(n, (unsigned)(*digit - '0'), &n);
	}
	if (negative)
		low = n > (f->min < 0 ? -(uint64_t)f->min : 0);
	else
		low = f->min > 0 && n < (uint64_t)f->min;
	if (overflow || low || (!negative && n > f->max))
		return json_fail(d->doc, v, NULL, d->err, "%.80s is not between %lld and %llu",
				 v->text, (long long)f->min, (unsigned long long)f->max);
	if (negative)
		n = -n;
	out = value_place(f, out);
	if (f->size == sizeof(uint16_t))
		*(uint16_t *)out = (uint16_t)n;
	else if (f->size == sizeof(uint32_t))
		*(uint32_t *)out = (uint32_t)n;
	else
		*(uint64_t *)out = n;
	return 0;
}

static int unknown_word(struct json_decoder *d, const struct json *v, const struct json_name *names)
{
	auto_buf struct buf list = { 0 };

	for (size_t i = 0; names[i].name; i++) {
		if (i == NAMES_SHOWN) {
			buf_str(&list, ", ...");
			break;
		}
		buf_printf(&list, "%s%s", i ? ", " : "", names[i].name);
	}
	return json_fail(d->doc, v, NULL, d->err, "unknown value %s, expected one of %s",
			 json_quote(v->text).text, list.text);
}

static int find_word(struct json_decoder *d, const struct json *v, const struct json_name *names,
		     int *ret)
{
	for (const struct json_name *n = names; n->name; n++) {
		if (strcmp(n->name, v->text) == 0) {
			*ret = n->value;
			return 0;
		}
	}
	return unknown_word(d, v, names);
}

static int decode_enum(struct json_decoder *d, const struct json *v, const struct json_field *f,
		       void *out)
{
	return find_word(d, v, f->names, out);
}

static int decode_flags(struct json_decoder *d, const struct json *v, const struct json_field *f,
			void *out)
{
	uint32_t flags = 0;
	int flag = 0;

	for (const struct json *item = v->first; item; item = item->next) {
		TRY(expect(d, item, JSON_STRING));
		TRY(find_word(d, item, f->names, &flag));
		flags |= (uint32_t)flag;
	}
	*(uint32_t *)value_place(f, out) = flags;
	return 0;
}

static int decode_object(struct json_decoder *d, const struct json *v, const struct json_field *f,
			 void *out)
{
	return json_decode(d, v, f->fields, out);
}

static int decode_pointer(struct json_decoder *d, const struct json *v, const struct json_field *f,
			  void *out)
{
	void *object = arena_alloc(d->arena, f->size);

	memcpy(out, &object, sizeof(object));
	return json_decode(d, v, f->fields, object);
}

/* A list of all items of an array, each decoded with `kind`. */
static int decode_items(struct json_decoder *d, const struct json *v, const struct json_field *f,
			const struct json_kind *kind, size_t size, void *out)
{
	char *at = arena_array(d->arena, v->count, size);
	struct any_list list = { at, v->count };

	for (const struct json *item = v->first; item; item = item->next, at += size) {
		TRY(expect(d, item, kind->type));
		TRY(kind->decode(d, item, f, at));
	}
	memcpy(out, &list, sizeof(list));
	return 0;
}

static int decode_list(struct json_decoder *d, const struct json *v, const struct json_field *f,
		       void *out)
{
	return decode_items(d, v, f, &json_kind_object, f->size, out);
}

static int decode_strings(struct json_decoder *d, const struct json *v, const struct json_field *f,
			  void *out)
{
	return decode_items(d, v, f, &json_kind_string, sizeof(char *), out);
}

static int decode_integers(struct json_decoder *d, const struct json *v, const struct json_field *f,
			   void *out)
{
	return decode_items(d, v, f, &json_kind_integer, f->size, out);
}

static int decode_enums(struct json_decoder *d, const struct json *v, const struct json_field *f,
			void *out)
{
	return decode_items(d, v, f, &json_kind_enum, f->size, out);
}

/* A list of structs that begin with the member's name. */
static int decode_members(struct json_decoder *d, const struct json *v, const struct json_field *f,
			  const struct json_kind *kind, void *out)
{
	char *at = arena_array(d->arena, v->count, f->size);
	struct any_list list = { at, 0 };

	for (const struct json *item = v->first; item; item = item->next) {
		if (item->type == JSON_NULL)
			continue;
		TRY(expect(d, item, kind->type));
		*(const char **)(void *)at = item->key;
		TRY(kind->decode(d, item, f, at + f->value_at));
		at += f->size;
		list.n++;
	}
	memcpy(out, &list, sizeof(list));
	return 0;
}

static int decode_string_map(struct json_decoder *d, const struct json *v,
			     const struct json_field *f, void *out)
{
	return decode_members(d, v, f, &json_kind_string, out);
}

static int decode_object_map(struct json_decoder *d, const struct json *v,
			     const struct json_field *f, void *out)
{
	return decode_members(d, v, f, &json_kind_object, out);
}

static int decode_nothing(struct json_decoder *d UNUSED, const struct json *v UNUSED,
			  const struct json_field *f UNUSED, void *out UNUSED)
{
	return 0;
}

const struct json_kind json_kind_string = { JSON_STRING, decode_string, "" };
const struct json_kind json_kind_boolean = { JSON_BOOL, decode_boolean, "" };
const struct json_kind json_kind_integer = { JSON_NUMBER, decode_integer, "" };
const struct json_kind json_kind_enum = { JSON_STRING, decode_enum, "" };
const struct json_kind json_kind_flags = { JSON_ARRAY, decode_flags, "[]" };
const struct json_kind json_kind_object = { JSON_OBJECT, decode_object, "" };
const struct json_kind json_kind_pointer = { JSON_OBJECT, decode_pointer, "" };
const struct json_kind json_kind_list = { JSON_ARRAY, decode_list, "[]" };
const struct json_kind json_kind_strings = { JSON_ARRAY, decode_strings, "[]" };
const struct json_kind json_kind_integers = { JSON_ARRAY, decode_integers, "[]" };
const struct json_kind json_kind_enums = { JSON_ARRAY, decode_enums, "[]" };
const struct json_kind json_kind_string_map = { JSON_OBJECT, decode_string_map, ".*" };
const struct json_kind json_kind_object_map = { JSON_OBJECT, decode_object_map, ".*" };
const struct json_kind json_kind_ignored = { JSON_NULL, decode_nothing, "" };

static void walk(struct buf *path, const struct json_field *fields,
		 void (*fn)(const char *path, const struct json_field *f, void *ctx), void *ctx)
{
	size_t above = path->len;

	for (const struct json_field *f = fields; f->key; f++) {
		buf_printf(path, "%s%s", above ? "." : "", f->key);
		fn(path->text, f, ctx);
		if (f->kind->step[0]) {
			buf_str(path, f->kind->step);
			fn(path->text, f, ctx);
		}
		if (f->fields)
			walk(path, f->fields, fn, ctx);
		path->len = above;
		path->text[above] = '\0';
	}
}

void json_walk(const struct json_field *fields,
	       void (*fn)(const char *path, const struct json_field *f, void *ctx), void *ctx)
{
	auto_buf struct buf path = { 0 };

	walk(&path, fields, fn, ctx);
}
