/*
 * fuzz_spec.c - anything at all as a config.json, a process and resources.
 *
 * Beyond what sanitizers see: positions are inside of the text and point at
 * the value, and a failure always has words.
 *
 *	fuzz_spec -dict=tests/fuzz/fuzz_spec.dict tests/fuzz/corpus-spec
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "spec/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_tree(const struct json_doc *doc, const struct json *v)
{
	static const char *const starts[] = {
		[JSON_NULL] = "n",    [JSON_BOOL] = "tf", [JSON_NUMBER] = "-0123456789",
		[JSON_STRING] = "\"", [JSON_ARRAY] = "[", [JSON_OBJECT] = "{",
	};

	require(v->offset < doc->size && strchr(starts[v->type], doc->text[v->offset]));
	if (v->key)
		require(doc->text[v->key_offset] == '"' && v->key_offset < v->offset &&
			json_member(v->parent, v->key) == v);
	if (v->type == JSON_ARRAY || v->type == JSON_OBJECT)
		for (const struct json *item = v->first; item; item = item->next)
			check_tree(doc, item);
}

static void check_json(const char *text, size_t size)
{
	auto_arena struct arena strings = { 0 };
	auto_json struct json_doc doc = { .name = "c", .text = text, .size = size };
	struct err e = { 0 };

	if (json_parse(&doc, &strings, &e) == 0)
		check_tree(&doc, doc.root);
	else
		require(strncmp(e.msg, "c:", 2) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	auto_spec struct spec spec = { 0 };
	struct spec_process process = { 0 };
	struct spec_resources resources = { 0 };
	const char *text = (const char *)data;
	struct err e = { 0 };

	check_json(text, size);
	if (spec_parse(&spec, "c", text, size, &e) < 0)
		require(strncmp(e.msg, "c:", 2) == 0);
	if (spec_parse_process(&process, &a, "c", text, size, &e) == 0)
		require(process.args.n > 0 && process.cwd[0] == '/');
	if (spec_parse_resources(&resources, &a, "c", text, size, &e) < 0)
		require(strncmp(e.msg, "c:", 2) == 0);
	return 0;
}
