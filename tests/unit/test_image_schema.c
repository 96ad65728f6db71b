/*
 * The tables know every property of the image specification's schema, and
 * require what it requires. The schema is test data outside of the tree: OCI_SCHEMA_DIR.
 */
#include <criterion/criterion.h>

#include "base/json.h"
#include "image/documents.h"
#include "test_spec_data.h"

enum { FILES_MAX = 16, PATHS_MAX = 256 };

static struct file {
	char *name;
	struct buf text;
	struct json_doc doc;
} files[FILES_MAX];
static size_t files_n;
static struct arena strings;
static char *dir;

static struct known {
	char *path;
	const struct json_field *field;
	bool seen;
} known[PATHS_MAX];
static size_t known_n;

static const struct json_doc *schema(const char *name)
{
	struct file *f = files;
	struct err e = { 0 };

	for (; f < files + files_n; f++)
		if (strcmp(f->name, name) == 0)
			return &f->doc;
	cr_assert_lt(files_n, FILES_MAX);
	files_n++;
	f->name = mem_strdup(name);
	data_read(dir, name, &f->text);
	f->doc = (struct json_doc){ .name = f->name, .text = f->text.text, .size = f->text.len };
	cr_assert_eq(json_parse(&f->doc, &strings, &e), 0, "%s", e.msg);
	return &f->doc;
}

static void remember(const char *path, const struct json_field *f, void *ctx UNUSED)
{
	cr_assert_lt(known_n, PATHS_MAX);
	known[known_n++] = (struct known){ mem_strdup(path), f, false };
}

/* The row for a path of the schema, NULL: none. What is ignored holds anything. */
static struct known *lookup(const char *path)
{
	for (size_t i = 0; i < known_n; i++) {
		size_t n = strlen(known[i].path);

		if (strcmp(known[i].path, path) == 0 ||
		    (known[i].field->kind == &json_kind_ignored &&
		     strncmp(known[i].path, path, n) == 0))
			return &known[i];
	}
	return NULL;
}

static void walk(const char *file, const struct json *s, const char *path);

static void walk_below(const char *file, const struct json *s, const char *path, const char *dot,
		       const char *step)
{
	auto_buf struct buf below = { 0 };
	struct known *k;

	buf_printf(&below, "%s%s%s", path, path[0] ? dot : "", step);
	k = lookup(below.text);
	cr_expect(k, "%s: %s is in no table", file, below.text);
	if (k)
		k->seen = true;
	walk(file, s, below.text);
}

static void walk_ref(const char *file, const char *ref, const char *path)
{
	auto_free char *copy = mem_strdup(ref);
	char *rest = strchr(copy, '#'), *step;
	const struct json *s;

	if (rest)
		*rest++ = '\0';
	s = schema(copy[0] ? copy : file)->root;
	while (rest && (step = strsep(&rest, "/")) != NULL)
		if (step[0]) {
			s = json_member(s, step);
			cr_assert(s, "%s: no such definition", ref);
		}
	walk(copy[0] ? copy : file, s, path);
}

static void walk(const char *file, const struct json *s, const char *path)
{
	const struct json *v;

	if ((v = json_member(s, "$ref")) != NULL)
		walk_ref(file, v->text, path);
	if ((v = json_member(s, "properties")) != NULL)
		for (v = v->first; v; v = v->next)
			walk_below(file, v, path, ".", v->key);
	if ((v = json_member(s, "items")) != NULL)
		walk_below(file, v, path, "", "[]");
	if ((v = json_member(s, "patternProperties")) != NULL)
		walk_below(file, v->first, path, ".", "*");
	if ((v = json_member(s, "oneOf")) != NULL)
		for (v = v->first; v; v = v->next)
			walk(file, v, path);
	if ((v = json_member(s, "required")) == NULL)
		return;
	for (v = v->first; v; v = v->next) {
		auto_buf struct buf member = { 0 };
		struct known *k;

		buf_printf(&member, "%s%s%s", path, path[0] ? "." : "", v->text);
		k = lookup(member.text);
		cr_expect(k && (k->field->flags & REQUIRED), "%s: %s is not required here", file,
			  member.text);
	}
}

/* The directory, or the test is skipped if it is not on this machine. */
static void find_schema(void)
{
	const char *env = getenv("OCI_SCHEMA_DIR");
	auto_free char *base = env ? mem_strdup(env) : data_path("../shared/oci");
	struct buf path = { 0 };

	buf_printf(&path, "%s/image-schema", base);
	if (access(path.text, R_OK) < 0)
		cr_skip_test("no schema: set OCI_SCHEMA_DIR");
	dir = path.text;
}

static void expect_known(const char *file, const struct json_field *fields, size_t at_least)
{
	size_t seen = 0;

	find_schema();
	known_n = 0;
	json_walk(fields, remember, NULL);
	walk(file, schema(file)->root, "");
	for (size_t i = 0; i < known_n; i++)
		seen += known[i].seen;
	cr_expect_geq(seen, at_least, "%s: only %zu paths were compared", file, seen);
}

Test(image_schema, index)
{
	expect_known("image-index-schema.json", image_index_fields, 20);
}

Test(image_schema, manifest)
{
	expect_known("image-manifest-schema.json", image_manifest_fields, 25);
}

Test(image_schema, config)
{
	expect_known("config-schema.json", image_config_fields, 25);
}
