/*
 * The tables know what the schema of the runtime specification knows: every
 * property for Linux and virtual machines, every word of an enumeration, and
 * what is required. The schema is test data outside of the tree: OCI_SCHEMA_DIR.
 */
#include "base/json_decode.h"
#include "spec/names.h"
#include "spec/tables.h"
#include "test_spec_data.h"

enum { FILES_MAX = 16, PATHS_MAX = 1024 };

static struct file {
	char *name;
	struct buf text;
	struct json_doc doc;
} files[FILES_MAX];
static size_t files_n;
static struct arena strings;

static struct known {
	char *path;
	const struct json_field *field;
} known[PATHS_MAX];
static size_t known_n;

/* Required by the schema but not here (the tables say why); not for us. */
static const char *const optional[] = { "linux.resources.pids.limit", "vm.kernel", NULL };
static const char *const foreign[] = { "windows", "solaris", "zos", "freebsd", NULL };

static bool is_in(const char *const *list, const char *s)
{
	for (; *list; list++)
		if (strcmp(*list, s) == 0)
			return true;
	return false;
}

/* The directory, or NULL (and the test is skipped) if it is not on this machine. */
static char *schema_dir(void)
{
	const char *env = getenv("OCI_SCHEMA_DIR");
	char *dir = env ? mem_strdup(env) : data_path("../shared/oci");
	DIR *d = opendir(dir);

	if (d) {
		closedir(d);
		return dir;
	}
	free(dir);
	cr_skip_test("no schema: set OCI_SCHEMA_DIR");
	return NULL;
}

static const struct json_doc *schema(const char *dir, const char *name)
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
	known[known_n++] = (struct known){ mem_strdup(path), f };
}

/* Whether a path of the schema is this one of ours: "*" is any name, and all below is ignored. */
static bool is_path(const char *path, const struct known *k)
{
	const char *ours = k->path;

	for (; *ours && *path; ours++, path++) {
		if (*ours == '*')
			path += strcspn(path, ".[") - 1;
		else if (*ours != *path)
			return false;
	}
	return !*ours && (!*path || k->field->kind == &json_kind_ignored);
}

static const struct json_field *lookup(const char *path)
{
	for (size_t i = 0; i < known_n; i++)
		if (is_path(path, &known[i]))
			return known[i].field;
	return NULL;
}

static void check_words(const char *path, const struct json *words)
{
	const struct json_field *f = lookup(path);

	cr_assert(f && f->names, "%s is no enumeration here", path);
	for (const struct json *w = words->first; w; w = w->next) {
		const struct json_name *n = f->names;

		while (n->name && strcmp(n->name, w->text) != 0)
			n++;
		cr_expect(n->name, "%s: %s is not known", path, w->text);
	}
}

static void check_required(const char *path, const struct json *required)
{
	for (const struct json *r = required->first; r; r = r->next) {
		auto_buf struct buf member = { 0 };
		const struct json_field *f;

		buf_printf(&member, "%s%s%s", path, path[0] ? "." : "", r->text);
		f = lookup(member.text);
		cr_expect(f && ((f->flags & REQUIRED) || is_in(optional, member.text)),
			  "%s is not required here", member.text);
	}
}

static void walk(const char *dir, const char *file, const struct json *s, const char *path);

static void walk_into(const char *dir, const char *file, const struct json *s, const char *path,
		      const char *step)
{
	auto_buf struct buf below = { 0 };

	buf_printf(&below, "%s%s", path, step + (path[0] == '\0' && step[0] == '.'));
	cr_expect(lookup(below.text), "%s is in no table", below.text);
	walk(dir, file, s, below.text);
}

static void walk_ref(const char *dir, const char *file, const char *ref, const char *path)
{
	auto_free char *copy = mem_strdup(ref);
	char *rest = strchr(copy, '#'), *step;
	const struct json *s;

	*rest++ = '\0';
	if (copy[0])
		file = copy;
	s = schema(dir, file)->root;
	while ((step = strsep(&rest, "/")) != NULL)
		if (step[0]) {
			s = json_member(s, step);
			cr_assert(s, "%s: no such definition", ref);
		}
	walk(dir, file, s, path);
}

static void walk_properties(const char *dir, const char *file, const struct json *properties,
			    const char *path)
{
	for (const struct json *p = properties->first; p; p = p->next) {
		auto_buf struct buf step = { 0 };

		if (path[0] == '\0' && is_in(foreign, p->key))
			continue;
		buf_printf(&step, ".%s", p->key);
		walk_into(dir, file, p, path, step.text);
	}
}

static void walk(const char *dir, const char *file, const struct json *s, const char *path)
{
	static const char *const combined[] = { "anyOf", "allOf", "oneOf" };
	const struct json *v;

	if ((v = json_member(s, "$ref")) != NULL)
		walk_ref(dir, file, v->text, path);
	if ((v = json_member(s, "properties")) != NULL)
		walk_properties(dir, file, v, path);
	if ((v = json_member(s, "items")) != NULL)
		walk_into(dir, file, v, path, "[]");
	if ((v = json_member(s, "additionalProperties")) != NULL && v->type == JSON_OBJECT)
		walk_into(dir, file, v, path, ".*");
	if ((v = json_member(s, "patternProperties")) != NULL)
		walk_into(dir, file, v->first, path, ".*");
	for (size_t i = 0; i < ARRAY_LEN(combined); i++)
		if ((v = json_member(s, combined[i])) != NULL)
			for (v = v->first; v; v = v->next)
				walk(dir, file, v, path);
	if ((v = json_member(s, "enum")) != NULL)
		check_words(path, v);
	if ((v = json_member(s, "required")) != NULL)
		check_required(path, v);
}

Test(schema, tables_know_all_of_it)
{
	auto_free char *base = schema_dir();
	auto_buf struct buf dir = { 0 };

	buf_printf(&dir, "%s/schema", base);
	json_walk(spec_fields, remember, NULL);
	walk(dir.text, "config-schema.json", schema(dir.text, "config-schema.json")->root, "");
	cr_expect_gt(known_n, 250);
	cr_expect_gt(files_n, 4, "only %zu files of the schema were read", files_n);
}

/* Good for the schema, but the text of the specification has more to say. */
static const struct {
	const char *name, *message;
} stricter[] = {
	{ "linux-netdevice.json", "linux.netDevices: needs a network namespace" },
	{ "spec-example.json", "ociVersion: \"0.5.0-dev\" is not supported, only 1.x is" },
};

static const char *refusal(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(stricter); i++)
		if (strcmp(stricter[i].name, name) == 0)
			return stricter[i].message;
	return NULL;
}

Test(schema, good_examples_are_taken)
{
	static const char *names[DATA_NAMES_MAX];
	auto_free char *base = schema_dir();
	auto_buf struct buf dir = { 0 };
	size_t n;

	buf_printf(&dir, "%s/schema/test/config/good", base);
	n = data_list(dir.text, ".json", names);
	cr_assert_gt(n, 3);
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf text = { 0 };
		const char *message = refusal(names[i]);
		struct err e = { 0 };
		int r;

		data_read(dir.text, names[i], &text);
		r = data_parse(names[i], &text, &e);
		if (message)
			cr_expect(r < 0 && strstr(e.msg, message), "%s: %s", names[i], e.msg);
		else
			cr_expect_eq(r, 0, "%s: %s", names[i], e.msg);
	}
}

/* The specification's own example with a version of today. */
Test(schema, the_example_is_taken)
{
	auto_free char *base = schema_dir();
	auto_buf struct buf dir = { 0 }, text = { 0 };
	auto_spec struct spec s = { 0 };
	struct err e = { 0 };
	char *version;

	buf_printf(&dir, "%s/schema/test/config/good", base);
	data_read(dir.text, "spec-example.json", &text);
	version = strstr(text.text, "0.5.0-dev");
	cr_assert(version);
	version[0] = '1';
	cr_assert_eq(spec_parse(&s, "c", text.text, text.len, &e), 0, "%s", e.msg);
	cr_expect_str_eq(s.hostname, "slartibartfast");
	cr_expect_eq(s.linux.devices.n, 2);
	cr_expect_eq(s.hooks[SPEC_HOOK_PRESTART].n, 2);
}

Test(schema, bad_examples_are_refused)
{
	static const char *names[DATA_NAMES_MAX];
	auto_free char *base = schema_dir();
	auto_buf struct buf dir = { 0 };
	size_t n;

	buf_printf(&dir, "%s/schema/test/config/bad", base);
	n = data_list(dir.text, ".json", names);
	cr_assert_gt(n, 3);
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf text = { 0 };

		data_read(dir.text, names[i], &text);
		cr_expect_lt(data_parse(names[i], &text, NULL), 0, "%s is taken", names[i]);
	}
}
