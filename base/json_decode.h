/*
 * json_decode.h - fills C structs from JSON by table.
 *
 * A document format is written down once, as tables next to the structs they
 * fill. Decoding, its messages, the list of known members and the fuzzer's
 * dictionary all come from them:
 *
 *	JSON_TABLE(mapping_fields, struct mapping) = {
 *		FIELD_U32(struct mapping, "hostID", host_id, REQUIRED),
 *		FIELD_U32(struct mapping, "size", size, REQUIRED),
 *		{ 0 },
 *	};
 *
 *	JSON_TABLE(user_fields, struct user) = {
 *		FIELD_STRING(struct user, "name", name, 0),
 *		FIELD_LIST(struct user, "mappings", mappings, mapping_fields, REQUIRED),
 *		{ 0 },
 *	};
 *
 * That a row's member, and a sub-table's struct, have the type that the row
 * fills is checked at compile time. Members without a row are ignored.
 * null is the same as absent, and so is an empty string where one that is not
 * REQUIRED is expected: Go, in which most documents are written, has no other
 * way to leave it out. What is decoded points into the decoder's arena
 * and the one json_parse() was given.
 */
#ifndef HULL_BASE_JSON_DECODE_H
#define HULL_BASE_JSON_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/list.h"
#include "base/opt.h"

/* A word and its number; tables of them end with a NULL name. */
struct json_name {
	const char *name;
	int value;
};

/* The first name of this value, NULL without one. */
const char *json_name_of(const struct json_name *names, int value);

struct json_decoder {
	const struct json_doc *doc;
	struct arena *arena;
	struct err *err;
};

struct json_field;

/*
 * What a member can be. decode() gets a value of type `type` (JSON_NULL: of any
 * type) and the place to fill; a format may define kinds of its own.
 */
struct json_kind {
	enum json_type type;
	int (*decode)(struct json_decoder *d, const struct json *v, const struct json_field *f,
		      void *out);
	const char *step; /* json_walk(): from its path to that of what it holds */
};

enum { REQUIRED = 1 << 0 };

/* One member. Made by the FIELD_ macros; a table ends with a NULL key. */
struct json_field {
	const char *key;
	const struct json_kind *kind;
	unsigned flags;
	size_t offset;                   /* of the member of the struct */
	size_t size;                     /* of an integer, an element, what is pointed to */
	size_t value_at;                 /* opt_*, maps: the value's offset in it */
	const struct json_field *fields; /* objects in it */
	const struct json_name *names;   /* words in it */
	int64_t min;                     /* integers */
	uint64_t max;
};

/* Fills *out; the root of a document has to be an object too. */
int json_decode(struct json_decoder *d, const struct json *object, const struct json_field *fields,
		void *out) MUST_CHECK;

/*
 * A file of at most `max` bytes, parsed and decoded into *out; its strings are in *a. -ENOENT
 * without words if there is none; the words of other failures begin with `path`.
 */
int json_decode_file(int dir_fd, const char *path, size_t max, const struct json_field *fields,
		     struct arena *a, void *out, struct err *e) MUST_CHECK;

/* Calls `fn` for every path that the table knows: "a.list[].b", "a.map.*.b". */
void json_walk(const struct json_field *fields,
	       void (*fn)(const char *path, const struct json_field *f, void *ctx), void *ctx);

extern const struct json_kind json_kind_string, json_kind_boolean, json_kind_integer,
	json_kind_enum, json_kind_flags, json_kind_object, json_kind_pointer, json_kind_list,
	json_kind_strings, json_kind_integers, json_kind_enums, json_kind_string_map,
	json_kind_object_map, json_kind_ignored;

/* clang-format off */

/* A table in this file; and, for a header, one defined elsewhere without `static`. */
#define JSON_TABLE(name, T) typedef T name##_struct; static const struct json_field name[]
#define JSON_TABLE_EXTERN(name, T) typedef T name##_struct; extern const struct json_field name[]

/* Zero, or an array of negative size for the compiler to refuse. */
#define JSON_CHECK_(what) (0 * sizeof(char[(what) ? 1 : -1]))
#define JSON_IS_(type, T) __builtin_types_compatible_p(type, T)
#define JSON_MEMBER_(T, m) __typeof__(((T *)0)->m)
#define JSON_ELEMENT_(T, m) __typeof__(*((T *)0)->m.at)
#define JSON_LIST_(T, m) (offsetof(T, m) + JSON_CHECK_( \
	offsetof(JSON_MEMBER_(T, m), n) == sizeof(void *) && sizeof(JSON_MEMBER_(T, m)) == 2 * sizeof(void *)))
#define JSON_AT_(T, m, type) (offsetof(T, m) + JSON_CHECK_(JSON_IS_(JSON_MEMBER_(T, m), type)))
#define FIELD_(k, kin, at, fl, ...) \
	{ .key = k, .kind = &json_kind_##kin, .offset = at, .flags = fl, __VA_ARGS__ }

#define FIELD_STRING(T, k, m, fl) FIELD_(k, string, JSON_AT_(T, m, const char *), fl)
#define FIELD_STRINGS(T, k, m, fl) FIELD_(k, strings, JSON_AT_(T, m, struct strings), fl)

#define FIELD_BOOL(T, k, m, fl) FIELD_(k, boolean, JSON_AT_(T, m, bool), fl)
#define FIELD_OPT_BOOL(T, k, m, fl) \
	FIELD_(k, boolean, JSON_AT_(T, m, struct opt_bool), fl, .value_at = offsetof(struct opt_bool, value))

#define FIELD_INT_(T, k, m, type, from, to, fl) \
	FIELD_(k, integer, JSON_AT_(T, m, type), fl, .size = sizeof(type), .min = from, .max = to)
#define FIELD_OPT_INT_(T, k, m, opt, from, to, fl) \
	FIELD_(k, integer, JSON_AT_(T, m, struct opt), fl, .size = sizeof(((struct opt *)0)->value), \
	       .value_at = offsetof(struct opt, value), .min = from, .max = to)

#define FIELD_U16(T, k, m, fl) FIELD_INT_(T, k, m, uint16_t, 0, UINT16_MAX, fl)
#define FIELD_U32(T, k, m, fl) FIELD_INT_(T, k, m, uint32_t, 0, UINT32_MAX, fl)
#define FIELD_U32_IN(T, k, m, from, to, fl) FIELD_INT_(T, k, m, uint32_t, from, to, fl)
#define FIELD_U64(T, k, m, fl) FIELD_INT_(T, k, m, uint64_t, 0, UINT64_MAX, fl)
#define FIELD_I32_IN(T, k, m, from, to, fl) FIELD_INT_(T, k, m, int32_t, from, to, fl)
#define FIELD_I64(T, k, m, fl) FIELD_INT_(T, k, m, int64_t, INT64_MIN, INT64_MAX, fl)
#define FIELD_I64_IN(T, k, m, from, to, fl) FIELD_INT_(T, k, m, int64_t, from, to, fl)
#define FIELD_OPT_U16(T, k, m, fl) FIELD_OPT_INT_(T, k, m, opt_u16, 0, UINT16_MAX, fl)
#define FIELD_OPT_U32(T, k, m, fl) FIELD_OPT_INT_(T, k, m, opt_u32, 0, UINT32_MAX, fl)
#define FIELD_OPT_U32_IN(T, k, m, from, to, fl) FIELD_OPT_INT_(T, k, m, opt_u32, from, to, fl)
#define FIELD_OPT_U64(T, k, m, fl) FIELD_OPT_INT_(T, k, m, opt_u64, 0, UINT64_MAX, fl)
#define FIELD_OPT_U64_IN(T, k, m, from, to, fl) FIELD_OPT_INT_(T, k, m, opt_u64, from, to, fl)
#define FIELD_OPT_I32_IN(T, k, m, from, to, fl) FIELD_OPT_INT_(T, k, m, opt_i32, from, to, fl)
#define FIELD_OPT_I64(T, k, m, fl) FIELD_OPT_INT_(T, k, m, opt_i64, INT64_MIN, INT64_MAX, fl)
#define FIELD_OPT_I64_IN(T, k, m, from, to, fl) FIELD_OPT_INT_(T, k, m, opt_i64, from, to, fl)
#define FIELD_U32_LIST(T, k, m, fl) \
	FIELD_(k, integers, JSON_LIST_(T, m) + JSON_CHECK_(JSON_IS_(JSON_ELEMENT_(T, m), uint32_t)), fl, \
	       .size = sizeof(uint32_t), .max = UINT32_MAX)

/* One of `words`; m is an int or an enum. A list of them; their numbers or'ed. */
#define FIELD_ENUM(T, k, m, words, fl) \
	FIELD_(k, enum, offsetof(T, m) + JSON_CHECK_(sizeof(((T *)0)->m) == sizeof(int)), fl, .names = words)
#define FIELD_ENUM_LIST(T, k, m, words, fl) \
	FIELD_(k, enums, JSON_LIST_(T, m) + JSON_CHECK_(sizeof(JSON_ELEMENT_(T, m)) == sizeof(int)), fl, \
	       .size = sizeof(int), .names = words)
#define FIELD_FLAGS(T, k, m, words, fl) FIELD_(k, flags, JSON_AT_(T, m, uint32_t), fl, .names = words)
#define FIELD_OPT_FLAGS(T, k, m, words, fl) \
	FIELD_(k, flags, JSON_AT_(T, m, struct opt_u32), fl, .names = words, \
	       .value_at = offsetof(struct opt_u32, value))

/* An object: embedded, pointed to (NULL if absent), or one whose members go to T itself. */
#define FIELD_OBJECT(T, k, m, sub, fl) FIELD_(k, object, JSON_AT_(T, m, sub##_struct), fl, .fields = sub)
#define FIELD_POINTER(T, k, m, sub, fl) \
	FIELD_(k, pointer, JSON_AT_(T, m, const sub##_struct *), fl, .fields = sub, .size = sizeof(sub##_struct))
#define FIELD_GROUP(T, k, sub, fl) FIELD_(k, object, JSON_CHECK_(JSON_IS_(T, sub##_struct)), fl, .fields = sub)

/* LIST()s of objects: from an array; from an object, where m.at[].name takes the members' names. */
#define FIELD_LIST(T, k, m, sub, fl) \
	FIELD_(k, list, JSON_LIST_(T, m) + JSON_CHECK_(JSON_IS_(JSON_ELEMENT_(T, m), sub##_struct)), fl, \
	       .fields = sub, .size = sizeof(sub##_struct))
#define FIELD_OBJECT_MAP(T, k, m, name, sub, fl) \
	FIELD_(k, object_map, JSON_LIST_(T, m) + JSON_CHECK_(JSON_IS_(JSON_ELEMENT_(T, m), sub##_struct)) + \
	       JSON_CHECK_(offsetof(sub##_struct, name) == 0), fl, .fields = sub, .size = sizeof(sub##_struct))

/* A LIST() of structs that begin with name and hold value, both strings. */
#define FIELD_STRING_MAP(T, k, m, name, value, fl) \
	FIELD_(k, string_map, JSON_LIST_(T, m) + JSON_CHECK_(offsetof(JSON_ELEMENT_(T, m), name) == 0), fl, \
	       .size = sizeof(JSON_ELEMENT_(T, m)), .value_at = JSON_AT_(JSON_ELEMENT_(T, m), value, const char *))

/* Known to the format, of any type, and of no meaning to us. */
#define FIELD_IGNORED(k) FIELD_(k, ignored, 0, 0)

/* clang-format on */

#endif
