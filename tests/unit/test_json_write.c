/* What is written, and that it reads back. */
#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/json_write.h"

static void write_sample(struct json_writer *w)
{
	const char *words[] = { "a", "b" };

	json_write_object(w, NULL);
	json_write_string(w, "string", "x");
	json_write_int(w, "int", INT64_MIN);
	json_write_uint(w, "uint", UINT64_MAX);
	json_write_bool(w, "yes", true);
	json_write_bool(w, "no", false);
	json_write_null(w, "null");
	json_write_string(w, "none", NULL);
	json_write_raw(w, "raw", "[1]");
	json_write_strings(w, "strings", &(struct strings){ words, 2 });
	json_write_strings(w, "empty", &(struct strings){ 0 });
	json_write_array(w, "list");
	json_write_object(w, NULL);
	json_write_end(w);
	json_write_array(w, NULL);
	json_write_int(w, NULL, 1);
	json_write_end(w);
	json_write_end(w);
	json_write_end(w);
}

Test(write, compact)
{
	auto_buf struct buf out = { 0 };
	struct json_writer w = json_writer(&out, NULL);

	write_sample(&w);
	cr_expect_str_eq(out.text,
			 "{\"string\":\"x\",\"int\":-9223372036854775808,"
			 "\"uint\":18446744073709551615,\"yes\":true,\"no\":false,\"null\":null,"
			 "\"none\":null,\"raw\":[1],\"strings\":[\"a\",\"b\"],\"empty\":[],"
			 "\"list\":[{},[1]]}");
	cr_expect_eq(w.depth, 0);
}

Test(write, indented)
{
	auto_buf struct buf out = { 0 };
	struct json_writer w = json_writer(&out, "  ");

	write_sample(&w);
	cr_expect_str_eq(out.text, "{\n"
				   "  \"string\": \"x\",\n"
				   "  \"int\": -9223372036854775808,\n"
				   "  \"uint\": 18446744073709551615,\n"
				   "  \"yes\": true,\n"
				   "  \"no\": false,\n"
				   "  \"null\": null,\n"
				   "  \"none\": null,\n"
				   "  \"raw\": [1],\n"
				   "  \"strings\": [\n"
				   "    \"a\",\n"
				   "    \"b\"\n"
				   "  ],\n"
				   "  \"empty\": [],\n"
				   "  \"list\": [\n"
				   "    {},\n"
				   "    [\n"
				   "      1\n"
				   "    ]\n"
				   "  ]\n"
				   "}");
}

static const struct {
	const char *value, *written;
} strings[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "\"\\/", "\"\\\"\\\\/\"" },
	{ "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
	{ "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
	{ "\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
	{ "a\xff\xc3z", "\"a\xef\xbf\xbd\xef\xbf\xbdz\"" },
	{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
};

Test(write, strings)
{
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		auto_buf struct buf out = { 0 };
		struct json_writer w = json_writer(&out, NULL);

		json_write_string(&w, NULL, strings[i].value);
		cr_expect_str_eq(out.text, strings[i].written);
	}
}

/* Every byte as key and value comes back, or as U+FFFD. */
Test(write, reads_back)
{
	for (int byte = 1; byte < 256; byte++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf out = { 0 };
		struct json_writer w = json_writer(&out, NULL);
		char s[] = { 'a', (char)byte, 'z', '\0' };
		const char *expected = byte < 0x80 ? s : "a\xef\xbf\xbdz";
		struct err e = { 0 };

		json_write_object(&w, NULL);
		json_write_string(&w, s, s);
		json_write_end(&w);
		{
			auto_json struct json_doc doc = { .name = "d",
							  .text = out.text,
							  .size = out.len };

			cr_assert_eq(json_parse(&doc, &a, &e), 0, "%s", e.msg);
			cr_expect_str_eq(doc.root->first->key, expected);
			cr_expect_str_eq(doc.root->first->text, expected);
		}
	}
}

Test(write, depth)
{
	auto_buf struct buf out = { 0 };
	struct json_writer w = json_writer(&out, NULL);

	for (int i = 0; i < 64; i++) {
		if (i % 2)
			json_write_object(&w, NULL);
		else
			json_write_array(&w, i ? "k" : NULL);
	}
	json_write_bool(&w, "deep", true);
	for (int i = 0; i < 64; i++)
		json_write_end(&w);
	cr_expect_eq(w.depth, 0);
	cr_expect(strstr(out.text, "[{\"k\":[{\"deep\":true}]}]"), "%s", out.text);
}

/* What was parsed is written again as it was, but for blanks. */
Test(write, values_that_were_parsed)
{
	static const char *const rows[] = {
		"null",
		"true",
		"false",
		"-1.50e+07",
		"123456789012345678901234567890",
		"\"a \\\"b\\\" \\u0001 \303\244\"",
		"[]",
		"{}",
		"[1,[2,[]],{\"a\":{}}]",
		"{\"a\":null,\"b\":[true,\"x\",{\"c\":1.0}],\"d\":{\"e\":{\"f\":[]}}}",
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_json struct json_doc doc = { .name = "x",
						  .text = rows[i],
						  .size = strlen(rows[i]) };
		auto_buf struct buf out = { 0 }, member = { 0 }, expected = { 0 };
		struct json_writer w = json_writer(&out, NULL), inside = json_writer(&member, NULL);
		struct err e = { 0 };

		cr_assert_eq(json_parse(&doc, &a, &e), 0, "%s", e.msg);
		json_write_value(&w, NULL, doc.root);
		cr_expect_str_eq(out.text, rows[i]);
		json_write_object(&inside, NULL);
		json_write_value(&inside, "key", doc.root);
		json_write_value(&inside, "again", doc.root);
		json_write_end(&inside);
		buf_printf(&expected, "{\"key\":%s,\"again\":%s}", rows[i], rows[i]);
		cr_expect_str_eq(member.text, expected.text);
	}
}

/* As deep as a document can be. */
Test(write, a_deep_value_that_was_parsed)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 }, out = { 0 };
	auto_json struct json_doc doc = { .name = "x" };
	struct json_writer w = json_writer(&out, NULL);
	struct err e = { 0 };

	for (int i = 0; i < JSON_MAX_DEPTH; i++)
		buf_char(&text, '[');
	for (int i = 0; i < JSON_MAX_DEPTH; i++)
		buf_char(&text, ']');
	doc.text = text.text;
	doc.size = text.len;
	cr_assert_eq(json_parse(&doc, &a, &e), 0, "%s", e.msg);
	json_write_value(&w, NULL, doc.root);
	cr_expect_str_eq(out.text, text.text);
}

Test(write, a_member_needs_a_key, .signal = SIGABRT)
{
	struct buf out = { 0 };
	struct json_writer w = json_writer(&out, NULL);

	json_write_object(&w, NULL);
	json_write_int(&w, NULL, 1);
}

Test(write, an_item_has_no_key, .signal = SIGABRT)
{
	struct buf out = { 0 };
	struct json_writer w = json_writer(&out, NULL);

	json_write_array(&w, NULL);
	json_write_int(&w, "key", 1);
}

Test(write, ends_match, .signal = SIGABRT)
{
	struct buf out = { 0 };
	struct json_writer w = json_writer(&out, NULL);

	json_write_array(&w, NULL);
	json_write_end(&w);
	json_write_end(&w);
}

Test(write, one_value_only, .signal = SIGABRT)
{
	struct buf out = { 0 };
	struct json_writer w = json_writer(&out, NULL);

	json_write_int(&w, NULL, 1);
	json_write_int(&w, NULL, 2);
}
