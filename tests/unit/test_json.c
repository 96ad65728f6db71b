/* The tree: what is read, where it stands, what is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/json.h"

static struct arena strings;

static struct json_doc parse(const char *text)
{
	struct json_doc doc = { .name = "d", .text = text, .size = strlen(text) };
	struct err e = { 0 };

	cr_assert_eq(json_parse(&doc, &strings, &e), 0, "%s", e.msg);
	return doc;
}

Test(json, tree)
{
	auto_json struct json_doc doc = parse(" {\"a\": [1, -2.5e+3, \"x\\ty\", true, false, "
					      "null], \"b\": {}, \"\": {\"c\": \"\"}}");
	const struct json *a = json_member(doc.root, "a"), *v;

	cr_assert_eq(doc.root->type, JSON_OBJECT);
	cr_expect_eq(doc.root->count, 3);
	cr_expect_null(doc.root->parent);
	cr_assert_eq(a->type, JSON_ARRAY);
	cr_assert_eq(a->count, 6);
	v = a->first;
	cr_expect_eq(v->type, JSON_NUMBER);
	cr_expect_str_eq(v->text, "1");
	v = v->next;
	cr_expect_str_eq(v->text, "-2.5e+3", "numbers stay as written");
	v = v->next;
	cr_expect_eq(v->type, JSON_STRING);
	cr_expect_str_eq(v->text, "x\ty");
	cr_expect_eq(v->index, 2);
	cr_expect_eq(v->parent, a);
	v = v->next;
	cr_expect(v->type == JSON_BOOL && v->boolean);
	v = v->next;
	cr_expect(v->type == JSON_BOOL && !v->boolean);
	v = v->next;
	cr_expect_eq(v->type, JSON_NULL);
	cr_expect_null(v->next);
	cr_expect_eq(json_member(doc.root, "b")->count, 0);
	cr_expect_null(json_member(doc.root, "b")->first);
	cr_expect_str_eq(doc.root->first->key, "a");
	cr_expect_str_eq(json_member(json_member(doc.root, ""), "c")->text, "");
	cr_expect_null(json_member(doc.root, "c"));
}

static const struct {
	const char *text, *value;
} escapes[] = {
	{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
	{ "\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac" },
	{ "\"\\ud83d\\uDE00\"", "\xf0\x9f\x98\x80" },
	{ "\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf" },
	{ "\"\\ud800\\udc00\"", "\xf0\x90\x80\x80" },
	{ "\"\\ue000\\uffff\"", "\xee\x80\x80\xef\xbf\xbf" },
	{ "\"\\\\u0000\\\\ud800\"", "\\u0000\\ud800" },
	{ "\"\xc3\xa9\\n\"", "\xc3\xa9\n" },
};

Test(json, escapes)
{
	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		auto_json struct json_doc doc = parse(escapes[i].text);

		cr_expect_str_eq(doc.root->text, escapes[i].value, "%s", escapes[i].text);
	}
}

/* Values and names stand where they start. */
static void check_offsets(const struct json_doc *doc, const struct json *v)
{
	static const char *const starts[] = {
		[JSON_NULL] = "n",    [JSON_BOOL] = "tf", [JSON_NUMBER] = "-0123456789",
		[JSON_STRING] = "\"", [JSON_ARRAY] = "[", [JSON_OBJECT] = "{",
	};

	cr_expect(strchr(starts[v->type], doc->text[v->offset]), "a %s at %u",
		  json_type_name(v->type), v->offset);
	if (v->key)
		cr_expect_eq(doc->text[v->key_offset], '"', "key %s at %u", v->key, v->key_offset);
	if (v->type != JSON_ARRAY && v->type != JSON_OBJECT)
		return;
	for (const struct json *item = v->first; item; item = item->next) {
		cr_expect_gt(item->offset, v->offset);
		if (item->next)
			cr_expect_gt(item->next->offset, item->offset);
		check_offsets(doc, item);
	}
}

static const char *const spaced[] = {
	"{}",
	"[]",
	"17",
	"  17",
	" true ",
	"\"s\"",
	"{\"a\":1,\"b\":[true,null,\"x\",{},[]],\"c\":-0.5e1}",
	" { \"a\" : 1 , \"b\" : [ true , null , \"x\" , { } , [ ] ] , \"c\" : -0.5e1 } ",
	"\t{\r\n\"a\\u003a\\\"\":\"\\\\\",\n\n\"b,:\":\",:\"\n}\n",
	"[\"\xc3\xa9\",\"\\u00e9\",[[[1]]],[[[2]]]]",
};

Test(json, offsets)
{
	for (size_t i = 0; i < ARRAY_LEN(spaced); i++) {
		auto_json struct json_doc doc = parse(spaced[i]);

		check_offsets(&doc, doc.root);
	}
}

/* More are in tests/data/wrong; here is what a file shows badly. */
static const struct {
	const char *text, *message;
} wrong[] = {
	{ "", "d: the document is empty" },
	{ "\xef\xbb\xbf{}", "d:1:1: starts with a byte order mark" },
	{ "\xff", "d:1:1: is not UTF-8 text" },
	{ "[\"\xc3\xa9\",\xc3]", "d:1:6: is not UTF-8 text" },
	{ "\"12345678\xf5\"", "d:1:10: is not UTF-8 text" },
	{ "[\"a\\u0000\"]", "d:1:2: [0]: holds a NUL character" },
	{ "{\"\\u0000\":1}", "d:1:2: holds a NUL character" },
	{ "[{\"x\":[\"\\udead\\ud800\"]}]", "d:1:8: [0].x[0]: holds half of a surrogate pair" },
	{ "\"\\ud800\"", "d:1:1: holds half of a surrogate pair" },
	{ "\"\\ud800\\u0041\"", "d:1:1: holds half of a surrogate pair" },
	{ "\"\\ud800\\ud800\\udc00\"", "d:1:1: holds half of a surrogate pair" },
	{ "\"\\udc00\\ud800\"", "d:1:1: holds half of a surrogate pair" },
	{ "{\"a\":1,\"b\":2,\"b\":3,\"a\":4}", "d:1:14: b: is given twice" },
	{ "{\"a b\":{\"c\":0,\"c\":0}}", "d:1:15: [\"a b\"].c: is given twice" },
	{ "1 2", "d:1:3: not JSON: trailing garbage" },
	{ "[1] \"2", "d:1:5: not JSON: trailing garbage" },
	{ "\"1\"\n\"", "d:2:1: not JSON: trailing garbage" },
	{ "[1] 2", "d:1:5: not JSON: trailing garbage" },
	{ "{\"a\" 2", "d:1:6: not JSON: object key and value must be separated by a colon (':')" },
	{ "[1 2]", "d:1:4: not JSON: after array element, I expect ',' or ']'" },
	{ "[1,\v2]", "d:1:4: not JSON: invalid char in json text." },
	{ "\f[]", "d:1:1: not JSON: invalid char in json text." },
	{ "[1:2]", "d:1:3: not JSON: after array element, I expect ',' or ']'" },
	{ "[1 ]]", "d:1:5: not JSON: trailing garbage" },
	{ "[1,\n,2]", "d:2:1: not JSON: unallowed token at this point in JSON text" },
	{ "}", "d:1:1: not JSON: unallowed token at this point in JSON text" },
	{ "{\"a\"}", "d:1:5: not JSON: object key and value must be separated by a colon (':')" },
	{ "{\"a\",1}", "d:1:5: not JSON: object key and value must be separated by a colon (':')" },
	{ "{\"a\":}", "d:1:6: not JSON: unallowed token at this point in JSON text" },
	{ "{,}", "d:1:2: not JSON: invalid object key (must be a string)" },
	{ "{\"a\":1,,\"b\":2}", "d:1:8: not JSON: invalid object key (must be a string)" },
	{ "{1:2}", "d:1:2: not JSON: invalid object key (must be a string)" },
	{ "[\"\\u12g4\"]",
	  "d:1:2: not JSON: invalid (non-hex) character occurs after '\\u' inside string." },
	{ "[1.]",
	  "d:1:2: not JSON: malformed number, a digit is required after the decimal point." },
	{ "[1e]", "d:1:2: not JSON: malformed number, a digit is required after the exponent." },
	{ "[nul]", "d:1:2: not JSON: invalid string in json text." },
	{ "[1", "d:1:3: not JSON: premature EOF" },
	{ "[1,\n", "d:2:1: not JSON: premature EOF" },
	{ "[\"\xc3\xa9", "d:1:4: not JSON: premature EOF" },
	{ "-", "d:1:1: not JSON: malformed number, a digit is required after the minus sign." },
};

Test(json, refuses)
{
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		auto_json struct json_doc doc = { .name = "d",
						  .text = wrong[i].text,
						  .size = strlen(wrong[i].text) };
		struct err e = { 0 };

		cr_expect_eq(json_parse(&doc, &strings, &e), -EINVAL, "%s", wrong[i].text);
		cr_expect_str_eq(e.msg, wrong[i].message, "%s:\n     got: %s\nexpected: %s",
				 wrong[i].text, e.msg, wrong[i].message);
	}
}

/* Limits */

static int parse_buf(const struct buf *text, struct err *e)
{
	auto_arena struct arena own = { 0 };
	auto_json struct json_doc doc = { .name = "d", .text = text->text, .size = text->len };

	return json_parse(&doc, &own, e);
}

static void repeat(struct buf *b, const char *s, size_t n)
{
	while (n--)
		buf_str(b, s);
}

Test(json, depth)
{
	for (size_t depth = JSON_MAX_DEPTH; depth <= JSON_MAX_DEPTH + 1; depth++) {
		auto_buf struct buf text = { 0 };
		struct err e = { 0 };
		int r;

		repeat(&text, "{\"a\":", depth - 1);
		buf_str(&text, "[]");
		repeat(&text, "}", depth - 1);
		r = parse_buf(&text, &e);
		cr_expect_eq(r == 0, depth == JSON_MAX_DEPTH, "%zu: %s", depth, e.msg);
	}
}

Test(json, size)
{
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	buf_reserve(&text, JSON_MAX_SIZE + 1);
	buf_str(&text, "[]");
	memset(text.text + text.len, ' ', JSON_MAX_SIZE - text.len);
	text.len = JSON_MAX_SIZE;
	cr_expect_eq(parse_buf(&text, &e), 0, "%s", e.msg);
	text.text[text.len++] = ' ';
	cr_expect_eq(parse_buf(&text, &e), -EFBIG);
	cr_expect_str_eq(e.msg, "d: the document is larger than 16 MiB");
}

Test(json, values)
{
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	buf_str(&text, "[0");
	repeat(&text, ",0", JSON_MAX_VALUES - 2);
	buf_str(&text, "]");
	cr_expect_eq(parse_buf(&text, &e), 0, "%s", e.msg);
	text.len--;
	buf_str(&text, ",true]");
	cr_expect_eq(parse_buf(&text, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "d:1:2000000: the document holds more than 1000000 values");
}

/* An object that would take minutes if each member were compared with each. */
Test(json, many_members)
{
	auto_json struct json_doc doc = { .name = "d" };
	auto_buf struct buf text = { 0 };
	struct timespec from, to;
	struct err e = { 0 };
	enum { MEMBERS = 300000 };

	buf_str(&text, "{\"k\":0");
	for (int i = 1; i < MEMBERS; i++)
		buf_printf(&text, ",\"the same beginning %d\":%d", i, i);
	buf_str(&text, "}");
	doc.text = text.text;
	doc.size = text.len;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	cr_assert_eq(json_parse(&doc, &strings, &e), 0, "%s", e.msg);
	for (int i = 1; i < MEMBERS; i++) {
		char key[64];

		snprintf(key, sizeof(key), "the same beginning %d", i);
		cr_assert_eq(json_member(doc.root, key)->index, (uint32_t)i);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	cr_expect_null(json_member(doc.root, "the same beginning"));
	cr_expect_lt(to.tv_sec - from.tv_sec, 20);
	text.len--;
	buf_str(&text, ",\"x\":1,\"the same beginning 9\":1,\"k\":1}");
	cr_expect_eq(parse_buf(&text, &e), -EINVAL);
	cr_expect(strstr(e.msg, ": [\"the same beginning 9\"]: is given twice"), "%s", e.msg);
}

/* Messages */

Test(json, find)
{
	auto_json struct json_doc doc = parse("{\"a\":{\"b\":[7,{\"c\":8}],\"n\":null}}");
	const struct json *a = json_member(doc.root, "a");

	cr_expect_str_eq(json_find(doc.root, "a.b[%d].c", 1)->text, "8");
	cr_expect_str_eq(json_find(a, "b[0]")->text, "7");
	cr_expect_str_eq(json_find(json_find(a, "b"), "[0]")->text, "7");
	cr_expect_eq(json_find(doc.root, "a"), a);
	cr_expect_eq(json_find(a, "x.y"), a);
	cr_expect_eq(json_find(a, "b[5].c"), json_member(a, "b"));
	cr_expect_eq(json_find(a, "n.x")->type, JSON_NULL);
	cr_expect_eq(json_find(a, "b[0].x"), json_member(a, "b")->first);
}

static const struct {
	const char *text, *path, *key, *message;
} failures[] = {
	{ "{}", "", NULL, "d:1:1: no" },
	{ "{}", "", "a", "d:1:1: a: no" },
	{ "{\"a\":[[],[{}]]}", "a[1][0]", NULL, "d:1:11: a[1][0]: no" },
	{ "{\"a\":[[],[{}]]}", "a[1][0]", "b", "d:1:11: a[1][0].b: no" },
	{ "{\"a\":{}}", "a", "b c", "d:1:6: a[\"b c\"]: no" },
	{ "{\"_A9\":{}}", "_A9", "9a", "d:1:8: _A9[\"9a\"]: no" },
	{ "{\"a\":{}}", "a", "", "d:1:6: a[\"\"]: no" },
	{ "{\"a\":{}}", "a", "\"\\\n", "d:1:6: a[\"\\\"\\\\\\u000a\"]: no" },
	{ "\n\r\n\t{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\",\"a\":0}", "a", NULL, "d:3:15: a: no" },
};

Test(json, fail)
{
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		auto_json struct json_doc doc = parse(failures[i].text);
		struct err e = { 0 };

		cr_expect_eq(json_fail(&doc, json_find(doc.root, "%s", failures[i].path),
				       failures[i].key, &e, "%s", "no"),
			     -EINVAL);
		cr_expect_str_eq(e.msg, failures[i].message, "got: %s", e.msg);
	}
}

/* A path that does not fit is cut at its beginning; what is wrong stays. */
Test(json, fail_with_long_path)
{
	auto_json struct json_doc doc = { .name = "d" };
	auto_buf struct buf text = { 0 };
	const struct json *v;
	struct err e = { 0 };

	for (int i = 0; i < 50; i++)
		buf_str(&text, "{\"\xc3\xa9twenty-nine-bytes-and-more\":");
	buf_str(&text, "7");
	repeat(&text, "}", 50);
	doc.text = text.text;
	doc.size = text.len;
	cr_assert_eq(json_parse(&doc, &strings, &e), 0, "%s", e.msg);
	for (v = doc.root; v->type == JSON_OBJECT;)
		v = v->first;
	json_fail(&doc, v, NULL, &e, "is wrong");
	cr_expect_lt(strlen(e.msg), 350);
	cr_expect(strstr(e.msg, ": ..."), "%s", e.msg);
	cr_expect(strstr(e.msg, "-and-more\"]: is wrong"), "%s", e.msg);
}

static const struct {
	const char *text, *shown;
} quotes[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "\"\\", "\"\\\"\\\\\"" },
	{ "\x01\n\x7f", "\"\\u0001\\u000a\\u007f\"" },
	{ "\xc2\x9b\xc2\xa0", "\"\\u009b\xc2\xa0\"" },
	{ "\xff", "\"\\xff\"" },
	{ "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
	  "90",
	  "\"12345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
	  "7890"
	  "\"" },
	{ "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
	  "901",
	  "\"12345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
	  "7890"
	  "...\"" },
	{ "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
	  "9"
	  "\xc3\xa9",
	  "\"12345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
	  "789"
	  "...\"" },
};

Test(json, quote)
{
	for (size_t i = 0; i < ARRAY_LEN(quotes); i++)
		cr_expect_str_eq(json_quote(quotes[i].text).text, quotes[i].shown, "got %s",
				 json_quote(quotes[i].text).text);
}

static const struct {
	const char *bytes;
	size_t len;
} characters[] = {
	{ "a", 1 },
	{ "\x7f", 1 },
	{ "\x80", 0 },
	{ "\xc1\xbf", 0 }, /* overlong */
	{ "\xc2\x80", 2 }, /* U+0080 */
	{ "\xc2", 0 },     /* cut */
	{ "\xc2\xc0", 0 },
	{ "\xe0\x9f\xbf", 0 }, /* overlong */
	{ "\xe0\xa0\x80", 3 }, /* U+0800 */
	{ "\xed\x9f\xbf", 3 }, /* U+D7FF */
	{ "\xed\xa0\x80", 0 }, /* U+D800, a surrogate */
	{ "\xee\x80\x80", 3 }, /* U+E000 */
	{ "\xef\xbf\xbf", 3 },
	{ "\xef\xbf\x7f", 0 },
	{ "\xf0\x8f\xbf\xbf", 0 }, /* overlong */
	{ "\xf0\x90\x80\x80", 4 }, /* U+10000 */
	{ "\xf4\x8f\xbf\xbf", 4 }, /* U+10FFFF */
	{ "\xf4\x90\x80\x80", 0 },
	{ "\xf5\x80\x80\x80", 0 },
	{ "\xff", 0 },
};

Test(json, utf8)
{
	for (size_t i = 0; i < ARRAY_LEN(characters); i++)
		cr_expect_eq(json_utf8(characters[i].bytes, strlen(characters[i].bytes)),
			     characters[i].len, "row %zu", i);
	cr_expect_eq(json_utf8("\xc3\xa9", 1), 0);
	cr_expect_eq(json_utf8("a", 0), 0);
}
