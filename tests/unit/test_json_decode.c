/* Every kind of row, at the edges of what it takes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json_decode.h"

struct point {
	int64_t x, y;
};

struct named {
	const char *name;
	int64_t x;
};

struct pair {
	const char *key, *value;
};

enum colour { RED, GREEN, BLUE };

struct all {
	const char *string;
	bool boolean;
	struct opt_bool opt_boolean;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int32_t small;
	int64_t i64;
	uint32_t ranged;
	struct opt_u16 opt_u16;
	struct opt_u32 opt_u32;
	struct opt_u64 opt_u64;
	struct opt_i32 opt_small;
	struct opt_i64 opt_i64;
	enum colour colour;
	LIST(enum colour) colours;
	uint32_t flags;
	struct opt_u32 opt_flags;
	struct strings strings;
	LIST(uint32_t) numbers;
	struct point object;
	const struct point *pointer;
	struct {
		int64_t inner;
	} group;
	LIST(struct point) list;
	LIST(struct named) map;
	LIST(struct pair) pairs;
};

static const struct json_name colours[] = {
	{ "red", RED },
	{ "green", GREEN },
	{ "blue", BLUE },
	{ 0 },
};

static const struct json_name bits[] = {
	{ "one", 1 },
	{ "two", 2 },
	{ "eight", 8 },
	{ 0 },
};

JSON_TABLE(point_fields, struct point) = {
	FIELD_I64(struct point, "x", x, REQUIRED),
	FIELD_I64(struct point, "y", y, 0),
	{ 0 },
};

JSON_TABLE(named_fields, struct named) = {
	FIELD_I64(struct named, "x", x, 0),
	{ 0 },
};

JSON_TABLE(group_fields, struct all) = {
	FIELD_I64(struct all, "inner", group.inner, 0),
	{ 0 },
};

JSON_TABLE(all_fields, struct all) = {
	FIELD_STRING(struct all, "string", string, 0),
	FIELD_BOOL(struct all, "boolean", boolean, 0),
	FIELD_OPT_BOOL(struct all, "optBoolean", opt_boolean, 0),
	FIELD_U16(struct all, "u16", u16, 0),
	FIELD_U32(struct all, "u32", u32, 0),
	FIELD_U64(struct all, "u64", u64, 0),
	FIELD_I32_IN(struct all, "small", small, -5, 5, 0),
	FIELD_I64(struct all, "i64", i64, 0),
	FIELD_U32_IN(struct all, "ranged", ranged, 2, 4, 0),
	FIELD_OPT_U16(struct all, "optU16", opt_u16, 0),
	FIELD_OPT_U32(struct all, "optU32", opt_u32, 0),
	FIELD_OPT_U64(struct all, "optU64", opt_u64, 0),
	FIELD_OPT_I32_IN(struct all, "optSmall", opt_small, -5, 5, 0),
	FIELD_OPT_I64(struct all, "optI64", opt_i64, 0),
	FIELD_ENUM(struct all, "colour", colour, colours, 0),
	FIELD_ENUM_LIST(struct all, "colours", colours, colours, 0),
	FIELD_FLAGS(struct all, "flags", flags, bits, 0),
	FIELD_OPT_FLAGS(struct all, "optFlags", opt_flags, bits, 0),
	FIELD_STRINGS(struct all, "strings", strings, 0),
	FIELD_U32_LIST(struct all, "numbers", numbers, 0),
	FIELD_OBJECT(struct all, "object", object, point_fields, 0),
	FIELD_POINTER(struct all, "pointer", pointer, point_fields, 0),
	FIELD_GROUP(struct all, "group", group_fields, 0),
	FIELD_LIST(struct all, "list", list, point_fields, 0),
	FIELD_OBJECT_MAP(struct all, "map", map, name, named_fields, 0),
	FIELD_STRING_MAP(struct all, "pairs", pairs, key, value, 0),
	FIELD_IGNORED("ignored"),
	{ 0 },
};

static struct arena arena;

static int decode(const char *text, struct all *ret, struct err *e)
{
	auto_json struct json_doc doc = { .name = "d", .text = text, .size = strlen(text) };
	struct json_decoder d = { .doc = &doc, .arena = &arena, .err = e };

	*ret = (struct all){ 0 };
	TRY(json_parse(&doc, &arena, e));
	return json_decode(&d, doc.root, all_fields, ret);
}

static struct all good(const char *text)
{
	struct all all;
	struct err e = { 0 };

	cr_assert_eq(decode(text, &all, &e), 0, "%s: %s", text, e.msg);
	return all;
}

Test(decode, scalars)
{
	struct all a = good("{\"string\":\"s\",\"boolean\":true,\"optBoolean\":false,\"u16\":65535,"
			    "\"u32\":4294967295,\"u64\":18446744073709551615,\"small\":-5,"
			    "\"i64\":-9223372036854775808,\"ranged\":4,\"colour\":\"blue\"}");

	cr_expect_str_eq(a.string, "s");
	cr_expect(a.boolean);
	cr_expect(a.opt_boolean.set && !a.opt_boolean.value);
	cr_expect_eq(a.u16, UINT16_MAX);
	cr_expect_eq(a.u32, UINT32_MAX);
	cr_expect_eq(a.u64, UINT64_MAX);
	cr_expect_eq(a.small, -5);
	cr_expect_eq(a.i64, INT64_MIN);
	cr_expect_eq(a.ranged, 4);
	cr_expect_eq(a.colour, BLUE);
	a = good("{\"i64\":9223372036854775807,\"small\":-0,\"ranged\":2,\"u16\":0}");
	cr_expect_eq(a.i64, INT64_MAX);
	cr_expect_eq(a.small, 0);
}

Test(decode, optional)
{
	struct all a = good("{}");

	cr_expect_not(a.opt_boolean.set || a.opt_u16.set || a.opt_u32.set || a.opt_u64.set ||
		      a.opt_small.set || a.opt_i64.set || a.opt_flags.set);
	a = good("{\"optU16\":1,\"optU32\":2,\"optU64\":3,\"optSmall\":-4,\"optI64\":-5,"
		 "\"optFlags\":[]}");
	cr_expect(a.opt_u16.set && a.opt_u16.value == 1);
	cr_expect(a.opt_u32.set && a.opt_u32.value == 2);
	cr_expect(a.opt_u64.set && a.opt_u64.value == 3);
	cr_expect(a.opt_small.set && a.opt_small.value == -4);
	cr_expect(a.opt_i64.set && a.opt_i64.value == -5);
	cr_expect(a.opt_flags.set && a.opt_flags.value == 0);
}

Test(decode, lists)
{
	struct all a = good("{\"strings\":[\"a\",\"\"],\"numbers\":[0,4294967295],"
			    "\"colours\":[\"green\",\"red\"],\"flags\":[\"one\",\"eight\",\"one\"],"
			    "\"list\":[{\"x\":1},{\"y\":3,\"x\":2}]}");

	cr_assert_eq(a.strings.n, 2);
	cr_expect_str_eq(a.strings.at[1], "");
	cr_assert_eq(a.numbers.n, 2);
	cr_expect_eq(a.numbers.at[1], UINT32_MAX);
	cr_assert_eq(a.colours.n, 2);
	cr_expect_eq(a.colours.at[0], GREEN);
	cr_expect_eq(a.flags, 9);
	cr_assert_eq(a.list.n, 2);
	cr_expect_eq(a.list.at[1].x, 2);
	cr_expect_eq(a.list.at[1].y, 3);
	a = good("{\"strings\":[],\"list\":[]}");
	cr_expect_eq(a.strings.n, 0);
	cr_expect_eq(a.list.n, 0);
}

Test(decode, objects)
{
	struct all a = good("{\"object\":{\"x\":1},\"pointer\":{\"x\":2},\"group\":{\"inner\":3},"
			    "\"map\":{\"a\":{\"x\":4},\"gone\":null,\"\":{}},"
			    "\"pairs\":{\"k\":\"v\",\"gone\":null,\"e\":\"\"},\"ignored\":[{}],"
			    "\"unknown\":{\"x\":\"y\"}}");

	cr_expect_eq(a.object.x, 1);
	cr_expect_eq(a.pointer->x, 2);
	cr_expect_eq(a.group.inner, 3);
	cr_assert_eq(a.map.n, 2);
	cr_expect_str_eq(a.map.at[0].name, "a");
	cr_expect_eq(a.map.at[0].x, 4);
	cr_expect_str_eq(a.map.at[1].name, "");
	cr_assert_eq(a.pairs.n, 2);
	cr_expect_str_eq(a.pairs.at[0].key, "k");
	cr_expect_str_eq(a.pairs.at[0].value, "v");
	cr_expect_str_eq(a.pairs.at[1].value, "");
}

Test(decode, null_and_empty_are_absent)
{
	struct all a = good("{\"string\":null,\"object\":null,\"pointer\":null,\"list\":null,"
			    "\"optU16\":null,\"boolean\":null,\"colour\":null}");

	cr_expect_null(a.string);
	cr_expect_null(a.pointer);
	cr_expect_not(a.opt_u16.set);
	a = good("{\"string\":\"\",\"colour\":\"\"}");
	cr_expect_null(a.string);
}

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "[]", "d:1:1: expected an object, found an array" },
	{ "{\"string\":1}", "d:1:11: string: expected a string, found a number" },
	{ "{\"boolean\":\"\"}", "d:1:12: boolean: expected a boolean, found a string" },
	{ "{\"u16\":65536}", "d:1:8: u16: 65536 is not between 0 and 65535" },
	{ "{\"u32\":4294967296}", "d:1:8: u32: 4294967296 is not between 0 and 4294967295" },
	{ "{\"u64\":18446744073709551616}",
	  "d:1:8: u64: 18446744073709551616 is not between 0 and 18446744073709551615" },
	{ "{\"u64\":-1}", "d:1:8: u64: -1 is not between 0 and 18446744073709551615" },
	{ "{\"i64\":9223372036854775808}", "d:1:8: i64: 9223372036854775808 is not between "
					   "-9223372036854775808 and 9223372036854775807" },
	{ "{\"i64\":-9223372036854775809}", "d:1:8: i64: -9223372036854775809 is not between "
					    "-9223372036854775808 and 9223372036854775807" },
	{ "{\"i64\":-18446744073709551617}", "d:1:8: i64: -18446744073709551617 is not between "
					     "-9223372036854775808 and 9223372036854775807" },
	{ "{\"small\":6}", "d:1:10: small: 6 is not between -5 and 5" },
	{ "{\"small\":-6}", "d:1:10: small: -6 is not between -5 and 5" },
	{ "{\"ranged\":1}", "d:1:11: ranged: 1 is not between 2 and 4" },
	{ "{\"ranged\":-3}", "d:1:11: ranged: -3 is not between 2 and 4" },
	{ "{\"ranged\":5}", "d:1:11: ranged: 5 is not between 2 and 4" },
	{ "{\"u32\":1.0}", "d:1:8: u32: expected an integer, found 1.0" },
	{ "{\"u32\":1E2}", "d:1:8: u32: expected an integer, found 1E2" },
	{ "{\"u32\":-0.0}", "d:1:8: u32: expected an integer, found -0.0" },
	{ "{\"optU16\":-1}", "d:1:11: optU16: -1 is not between 0 and 65535" },
	{ "{\"colour\":\"r\\u001bd\"}",
	  "d:1:11: colour: unknown value \"r\\u001bd\", expected one of red, green, blue" },
	{ "{\"colours\":[\"\"]}",
	  "d:1:13: colours[0]: unknown value \"\", expected one of red, green, blue" },
	{ "{\"flags\":[\"one\",\"four\"]}",
	  "d:1:17: flags[1]: unknown value \"four\", expected one of one, two, eight" },
	{ "{\"flags\":[1]}", "d:1:11: flags[0]: expected a string, found a number" },
	{ "{\"strings\":[null]}", "d:1:13: strings[0]: expected a string, found null" },
	{ "{\"numbers\":[0,-1]}", "d:1:15: numbers[1]: -1 is not between 0 and 4294967295" },
	{ "{\"object\":{}}", "d:1:11: object.x: missing" },
	{ "{\"pointer\":{\"x\":null}}", "d:1:12: pointer.x: missing" },
	{ "{\"list\":[{\"x\":0},{}]}", "d:1:18: list[1].x: missing" },
	{ "{\"list\":{}}", "d:1:9: list: expected an array, found an object" },
	{ "{\"map\":{\"a b\":{\"x\":\"1\"}}}",
	  "d:1:20: map[\"a b\"].x: expected a number, found a string" },
	{ "{\"map\":{\"a\":[]}}", "d:1:13: map.a: expected an object, found an array" },
	{ "{\"pairs\":{\"a\":true}}", "d:1:15: pairs.a: expected a string, found a boolean" },
};

Test(decode, refuses)
{
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct all all;
		struct err e = { 0 };

		cr_expect_lt(decode(wrong[i].text, &all, &e), 0, "%s", wrong[i].text);
		cr_expect_str_eq(e.msg, wrong[i].message, "got: %s", e.msg);
	}
}

static void add_path(const char *path, const struct json_field *f UNUSED, void *ctx)
{
	buf_printf(ctx, "%s ", path);
}

Test(decode, walk)
{
	static const char end[] =
		"object object.x object.y pointer pointer.x pointer.y group group.inner "
		"list list[] list[].x list[].y map map.* map.*.x pairs pairs.* ignored ";
	auto_buf struct buf paths = { 0 };

	json_walk(all_fields, add_path, &paths);
	cr_expect_str_eq(paths.text + paths.len - strlen(end), end, "%s", paths.text);
}

Test(decode, a_file)
{
	char dir[] = "/tmp/hull-decode-XXXXXX";
	auto_arena struct arena a = { 0 };
	auto_fd int fd = -1;
	struct all all = { 0 };
	struct err e = { 0 };

	cr_assert(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_expect_eq(json_decode_file(fd, "none", 100, all_fields, &a, &all, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "");
	cr_assert_eq(io_replace_file(fd, "f", "{\"string\":1}", 12, &e), 0);
	cr_expect_eq(json_decode_file(fd, "f", 100, all_fields, &a, &all, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "f:1:11: string: expected a string, found a number");
	cr_expect_lt(json_decode_file(fd, "f", 11, all_fields, &a, &all, &e), 0);
	cr_expect(strncmp(e.msg, "read f", 6) == 0, "%s", e.msg);
	cr_expect_eq(unlinkat(fd, "f", 0), 0);
	cr_expect_eq(rmdir(dir), 0);
}
