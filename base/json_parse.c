/*
 * json_parse.c - builds the tree of json.h from the events of yajl.
 *
 * yajl checks the grammar and decodes escapes. Positions, limits, duplicates,
 * UTF-8 and surrogates are checked here: it is no longer maintained, and would
 * let some of that pass.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"

/* Objects up to this size are searched member by member; it keeps the quadratic part small. */
enum { SMALL_OBJECT = 16 };

struct builder {
	struct json_doc *doc;
	char *pool; /* room for all strings, see json_parse() */
	size_t pool_used;
	yajl_handle yajl;
	bool finishing;  /* all text was consumed */
	size_t previous; /* where the token before this one ended */
	const char *key; /* name read, value still to come */
	uint32_t key_offset;
	uint32_t values;
	unsigned depth;
	struct {
		struct json *value, *last_child;
	} open[JSON_MAX_DEPTH + 1]; /* [0] stands for "outside" */
	char refusal[96];           /* why a callback stopped the parser */
	const struct json *refused; /* the value it is about, or NULL */
	size_t refused_offset;
};

PRINTF_LIKE(4, 5)
static int refuse(struct builder *b, const struct json *v, size_t offset, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(b->refusal, sizeof(b->refusal), fmt, ap);
	va_end(ap);
	b->refused = v;
	b->refused_offset = offset;
	return 0;
}

static size_t token_end(const struct builder *b)
{
	return b->finishing ? b->doc->size : yajl_get_bytes_consumed(b->yajl);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Where, after the token before, something other than white space comes. */
static size_t skip_space(const struct builder *b)
{
	size_t i = b->previous;

	while (i < b->doc->size && is_space(b->doc->text[i]))
		i++;
	return i;
}

/*
 * The parser tells where a token ends (or a place before that). It starts
 * after the token before it and what may stand between the two.
 */
static size_t token_start(const struct builder *b, size_t end)
{
	const char *text = b->doc->text;
	size_t i = b->previous;

	while (i + 1 < end && (is_space(text[i]) || text[i] == ',' || text[i] == ':'))
		i++;
	return i;
}

static struct json *add(struct builder *b, enum json_type type)
{
	struct json *parent = b->open[b->depth].value;
	struct json *last = b->open[b->depth].last_child;
	struct json *v = arena_alloc(&b->doc->tree, sizeof(*v));
	size_t end = token_end(b);

	v->type = type;
	v->offset = (uint32_t)token_start(b, end);
	v->key_offset = b->key_offset;
	v->parent = parent;
	v->key = b->key;
	b->key = NULL;
	b->previous = end;
	if (parent) {
		v->index = parent->count++;
		if (last)
			last->next = v;
		else
			parent->first = v;
	}
	b->open[b->depth].last_child = v;
	return ++b->values > JSON_MAX_VALUES ? NULL : v;
}

static int refuse_count(struct builder *b)
{
	return refuse(b, NULL, b->open[b->depth].last_child->offset,
		      "the document holds more than %d values", JSON_MAX_VALUES);
}

static unsigned hex4(const char *s)
{
	unsigned n = 0;

	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)s[i];

		n = n << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return n;
}

/*
 * Why the escapes in this string (as written, known to be well-formed) cannot
 * be taken; NULL: they can. The parser would replace halves of surrogate pairs.
 */
static const char *escape_problem(const char *s, size_t len)
{
	const char *end = s + len;

	while ((s = memchr(s, '\\', (size_t)(end - s))) != NULL) {
		unsigned c = s[1] == 'u' ? hex4(s + 2) : 'x';

		if (c == 0)
			return "holds a NUL character";
		if (c >= 0xd800 && c <= 0xdbff && end - s >= 12 && s[6] == '\\' && s[7] == 'u' &&
		    hex4(s + 8) >= 0xdc00 && hex4(s + 8) <= 0xdfff)
			s += 12;
		else if (c >= 0xd800 && c <= 0xdfff)
			return "holds half of a surrogate pair";
		else
			s += s[1] == 'u' ? 6 : 2;
	}
	return NULL;
}

static const char *keep(struct builder *b, const char *s, size_t len)
{
	char *copy = b->pool + b->pool_used;

	memcpy(copy, s, len);
	b->pool_used += len + 1;
	return copy;
}

/* `at` is the offset of the opening quote. Decoding an escape always shortens the string. */
static const char *string_problem(const struct builder *b, size_t at, size_t len)
{
	size_t written = token_end(b) - at - 2;

	return written == len ? NULL : escape_problem(b->doc->text + at + 1, written);
}

static int on_null(void *ctx)
{
	return add(ctx, JSON_NULL) ? 1 : refuse_count(ctx);
}

static int on_boolean(void *ctx, int value)
{
	struct json *v = add(ctx, JSON_BOOL);

	if (!v)
		return refuse_count(ctx);
	v->boolean = value;
	return 1;
}

static int on_number(void *ctx, const char *s, size_t len)
{
	struct json *v = add(ctx, JSON_NUMBER);

	if (!v)
		return refuse_count(ctx);
	v->text = keep(ctx, s, len);
	return 1;
}

static int on_string(void *ctx, const unsigned char *s, size_t len)
{
	struct json *v = add(ctx, JSON_STRING);
	const char *problem;

	if (!v)
		return refuse_count(ctx);
	problem = string_problem(ctx, v->offset, len);
	if (problem)
		return refuse(ctx, v, v->offset, "%s", problem);
	v->text = keep(ctx, (const char *)s, len);
	return 1;
}

static int on_key(void *ctx, const unsigned char *s, size_t len)
{
	struct builder *b = ctx;
	size_t end = token_end(b), start = token_start(b, end);
	const char *problem = string_problem(b, start, len);

	if (problem)
		return refuse(b, b->open[b->depth].value, start, "%s", problem);
	b->key = keep(b, (const char *)s, len);
	b->key_offset = (uint32_t)start;
	b->previous = end;
	return 1;
}

static int open_value(struct builder *b, enum json_type type)
{
	struct json *v = add(b, type);

	if (!v)
		return refuse_count(b);
	if (b->depth == JSON_MAX_DEPTH)
		return refuse(b, NULL, v->offset, "more than %d arrays and objects in each other",
			      JSON_MAX_DEPTH);
	b->depth++;
	b->open[b->depth].value = v;
	b->open[b->depth].last_child = NULL;
	return 1;
}

static int on_start_map(void *ctx)
{
	return open_value(ctx, JSON_OBJECT);
}

static int on_start_array(void *ctx)
{
	return open_value(ctx, JSON_ARRAY);
}

static int on_end_array(void *ctx)
{
	struct builder *b = ctx;

	b->previous = token_end(b);
	b->depth--;
	return 1;
}

static int compare_members(const void *a, const void *b)
{
	const struct json *x = *(const struct json *const *)a;
	const struct json *y = *(const struct json *const *)b;
	int order = strcmp(x->key, y->key);

	if (order)
		return order;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* The first member whose name another one before it has. */
static const struct json *find_twin(const struct json *object)
{
	const struct json *twin = NULL;

	if (object->sorted) {
		for (uint32_t i = 1; i < object->count; i++) {
			const struct json *v = object->sorted[i];

			if (strcmp(object->sorted[i - 1]->key, v->key) == 0 &&
			    (!twin || v->index < twin->index))
				twin = v;
		}
		return twin;
	}
	for (const struct json *v = object->first; v; v = v->next)
		if (json_member(object, v->key) != v)
			return v;
	return NULL;
}

static int on_end_map(void *ctx)
{
	struct builder *b = ctx;
	struct json *object = b->open[b->depth].value;
	const struct json *twin;

	if (object->count > SMALL_OBJECT) {
		size_t n = 0;

		object->sorted =
			arena_array(&b->doc->tree, object->count, sizeof(const struct json *));
		for (const struct json *v = object->first; v; v = v->next)
			object->sorted[n++] = v;
		qsort(object->sorted, n, sizeof(const struct json *), compare_members);
	}
	twin = find_twin(object);
	if (twin)
		return refuse(b, twin, twin->key_offset, "is given twice");
	return on_end_array(ctx);
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_start_map,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end_map,
	.yajl_start_array = on_start_array,
	.yajl_end_array = on_end_array,
};

/* The parser does not check what its allocator returns. */

static void *allocate(void *ctx UNUSED, size_t size)
{
	return mem_grow(NULL, size, 1);
}

static void *reallocate(void *ctx UNUSED, void *p, size_t size)
{
	return mem_grow(p, size, 1);
}

static void release(void *ctx UNUSED, void *p)
{
	free(p);
}

/* The text */

/* Offset of the first byte that is no UTF-8, or the size of the text. */
static size_t valid_utf8(const char *text, size_t size)
{
	size_t i = 0, len;
	uint64_t eight;

	while (i < size) {
		if (size - i >= sizeof(eight)) {
			memcpy(&eight, text + i, sizeof(eight));
			if ((eight & 0x8080808080808080u) == 0) {
				i += sizeof(eight);
				continue;
			}
		}
		len = json_utf8(text + i, size - i);
		if (len == 0)
			break;
		i += len;
	}
	return i;
}

static int check_text(const struct json_doc *doc, struct err *e)
{
	const char *odd;
	size_t good;

	if (doc->size == 0)
		return err_set(e, EINVAL, "%s: the document is empty", doc->name);
	if (doc->size > JSON_MAX_SIZE)
		return err_set(e, EFBIG, "%s: the document is larger than %d MiB", doc->name,
			       JSON_MAX_SIZE / (1024 * 1024));
	if (doc->size >= 3 && memcmp(doc->text, "\xef\xbb\xbf", 3) == 0)
		return json_fail_at(doc, 0, NULL, NULL, e, "starts with a byte order mark");
	good = valid_utf8(doc->text, doc->size);
	if (good < doc->size)
		return json_fail_at(doc, good, NULL, NULL, e, "is not UTF-8 text");
	/* which the parser takes for white space */
	odd = memchr(doc->text, '\v', doc->size);
	if (!odd)
		odd = memchr(doc->text, '\f', doc->size);
	if (odd)
		return json_fail_at(doc, (size_t)(odd - doc->text), NULL, NULL, e,
				    "not JSON: invalid char in json text.");
	return 0;
}

/*
 * Where the token starts that is not expected. The parser stands at its end,
 * or puts itself back (to its start if it is one character) when it missed a
 * comma: then only white space is between it and the token before.
 */
static size_t unexpected_start(const struct builder *b)
{
	size_t end = token_end(b), i = skip_space(b);

	return i < end ? token_start(b, end) : i;
}

static bool take_prefix(const char **s, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(*s, prefix, len) != 0)
		return false;
	*s += len;
	return true;
}

/* The parser's words, without its prefix and its drawing. */
static int syntax_error(const struct builder *b, struct err *e)
{
	unsigned char *why = yajl_get_error(b->yajl, 0, NULL, 0);
	const char *words = (const char *)why;
	auto_buf struct buf what = { 0 };
	size_t offset;

	if (take_prefix(&words, "lexical error: "))
		offset = token_start(b, b->doc->size);
	else if (take_prefix(&words, "parse error: ") && strncmp(words, "premature EOF", 13) == 0)
		offset = b->doc->size;
	else
		offset = unexpected_start(b);
	buf_printf(&what, "not JSON: %.*s", (int)strcspn(words, "\n"), words);
	yajl_free_error(b->yajl, why);
	return json_fail_at(b->doc, offset, NULL, NULL, e, what.text);
}

int json_parse(struct json_doc *doc, struct arena *strings, struct err *e)
{
	yajl_alloc_funcs memory = { .malloc = allocate, .realloc = reallocate, .free = release };
	struct builder b = { .doc = doc };
	yajl_status status;
	int r = 0;

	TRY(check_text(doc, e));
	/*
	 * A string loses its quotes and gains a NUL, a number takes the place of
	 * its delimiter, of which the last one may be the end of the text.
	 */
	b.pool = arena_alloc(strings, doc->size + 1);
	b.yajl = yajl_alloc(&callbacks, &memory, &b);
	yajl_config(b.yajl, yajl_dont_validate_strings, 1);
	status = yajl_parse(b.yajl, (const unsigned char *)doc->text, doc->size);
	if (status == yajl_status_ok) {
		b.finishing = true;
		status = yajl_complete_parse(b.yajl);
	}
	if (status == yajl_status_client_canceled)
		r = json_fail_at(doc, b.refused_offset, b.refused, NULL, e, b.refusal);
	else if (status != yajl_status_ok)
		r = syntax_error(&b, e);
	else if (skip_space(&b) < doc->size)
		/* a string without an end, which the parser still waits for */
		r = json_fail_at(doc, skip_space(&b), NULL, NULL, e, "not JSON: trailing garbage");
	else
		doc->root = b.open[0].last_child;
	yajl_free(b.yajl);
	return r;
}

void json_done(struct json_doc *doc)
{
	arena_done(&doc->tree);
	doc->root = NULL;
}
