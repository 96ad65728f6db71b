/* registries.conf: what is read of it, where short names lead, who is asked. */
#include <stdlib.h>

#include "image/registries.h"
#include "image/toml.h"
#include "test_dir.h"

static int read_conf(struct registries *r, const char *text, struct err *e)
{
	return registries_parse(r, "f", text, strlen(text), e);
}

static int collect(const struct toml_member *m, void *ctx, struct err *e UNUSED)
{
	struct buf *b = ctx;

	buf_printf(b, "%s%s%s", b->len ? ";" : "", m->table, m->in_array ? "[]" : "");
	if (!m->key)
		return 0;
	buf_printf(b, ":%s=", m->key);
	if (m->type == TOML_BOOLEAN)
		buf_str(b, m->boolean ? "true" : "false");
	else if (m->type == TOML_STRINGS)
		for (size_t i = 0; i < m->list.n; i++)
			buf_printf(b, "<%s>", m->list.at[i]);
	else
		buf_str(b, m->text);
	return 0;
}

Test(image_registries, toml)
{
	static const struct {
		const char *text, *expected, *message;
	} rows[] = {
		{ "", "", NULL },
		{ "# only\n\n  # that", "", NULL },
		{ "a = \"b\"", ":a=b", NULL },
		{ "a='b\\n' # c\nd=true\r\ne = false\nf=-12\n", ":a=b\\n;:d=true;:e=false;:f=-12",
		  NULL },
		{ "\"x/y\" = \"\\t\\\"\\u00e4\\U0001F600\"", ":x/y=\t\"\xc3\xa4\xf0\x9f\x98\x80",
		  NULL },
		{ "[t]\na=[]\n[[u.v]]\n[ x . \"y z\" ]\nb=[\n 'c', # d\n \"e\",\n]",
		  "t;t:a=;u.v[];x.y z;x.y z:b=<c><e>", NULL },
		{ "a", NULL, "f:1: expected \"=\" behind the key \"a\"" },
		{ "\n\n= 1", NULL, "f:3: expected a key" },
		{ "a = ", NULL, "f:1: expected a string, true, false" },
		{ "a = 1.5", NULL, "f:1: expected the end of the line" },
		{ "a = truely", NULL, "expected a string, true, false" },
		{ "a = {b=1}", NULL, "expected a string, true, false" },
		{ "a = [1]", NULL, "expected a string or the end of the array" },
		{ "a = ['b' 'c']", NULL, "expected \",\" or the end of the array" },
		{ "a = ['b'", NULL, "expected \",\" or the end of the array" },
		{ "a = \"b", NULL, "a string without an end" },
		{ "a = \"b\nc\"", NULL, "f:1: a string without an end" },
		{ "a = \"\"\"b\"\"\"", NULL, "strings of several lines are not understood" },
		{ "a = \"\\x\"", NULL, "an unknown escape in a string" },
		{ "a = \"\\u12\"", NULL, "expected 4 hexadecimal digits" },
		{ "a = \"\\u0000\"", NULL, "a character that a string can't hold" },
		{ "a = \"\\ud800\"", NULL, "a character that a string can't hold" },
		{ "a = \"\xff\"", NULL, "a character that a string can't hold" },
		{ "a = 'b' c", NULL, "f:1: expected the end of the line" },
		{ "[a", NULL, "f:1: expected \"]\"" },
		{ "[[a]", NULL, "f:1: expected \"]]\"" },
		{ "[]", NULL, "f:1: expected a key" },
		{ "a.b = 1", NULL, "f:1: expected \"=\" behind the key \"a\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf struct buf got = { 0 };
		struct err e = { 0 };
		int r;

		buf_str(&got, "");
		r = toml_read("f", rows[i].text, strlen(rows[i].text), collect, &got, &e);
		cr_expect_eq(r, rows[i].message ? -EINVAL : 0, "row %zu: %s", i, e.msg);
		if (r == 0)
			cr_expect_str_eq(got.text, rows[i].expected, "row %zu: %s", i, got.text);
		else
			cr_expect(strstr(e.msg, rows[i].message), "row %zu: %s", i, e.msg);
	}
}

static const char conf[] = "unqualified-search-registries = [\"docker.io\", 'quay.io/mine']\n"
			   "short-name-mode = \"enforcing\"\n"
			   "[[registry]]\n"
			   "prefix = \"r.io/team\"\n"
			   "location = \"inner.example:5000/r\"\n"
			   "insecure = true\n"
			   "[[registry.mirror]]\n"
			   "location = \"m1.example/cache\"\n"
			   "[[registry.mirror]]\n"
			   "location = \"m2.example\"\n"
			   "insecure = true\n"
			   "pull-from-mirror = \"digest-only\"\n"
			   "[[registry]]\n"
			   "location = \"bad.io\"\n"
			   "blocked = true\n"
			   "[[registry]]\n"
			   "prefix = \"*.wild.io\"\n"
			   "location = \"tame.io/w\"\n"
			   "[[registry]]\n"
			   "location = \"docker.io\"\n"
			   "mirror-by-digest-only = true\n"
			   "[[registry.mirror]]\n"
			   "location = \"hub.mirror\"\n"
			   "[aliases]\n"
			   "\"tool\" = \"quay.io/team/tool\"\n"
			   "\"x/y\" = \"r.io/x/y\"\n"
			   "gone = \"\"\n";

#define SHA "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

Test(image_registries, short_names)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "debian:12", "docker.io/library/debian:12 quay.io/mine/debian:12" },
		{ "user/a", "docker.io/user/a quay.io/mine/user/a" },
		{ "tool:1" SHA, "quay.io/team/tool:1" SHA },
		{ "x/y", "r.io/x/y" },
		{ "gone", "docker.io/library/gone quay.io/mine/gone" },
		{ "docker.io/tool", "docker.io/library/tool" },
		{ "r.io/tool", "r.io/tool" },
	};
	struct registries r = { 0 };
	struct err e = { 0 };

	cr_assert_eq(read_conf(&r, conf, &e), 0, "%s", e.msg);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf got = { 0 };
		struct references list;
		struct reference ref;

		cr_assert_eq(reference_parse(rows[i].text, &ref, &e), 0, "%s", e.msg);
		cr_assert_eq(registries_short_names(&r, &ref, &a, &list, &e), 0, "%s", e.msg);
		for (size_t k = 0; k < list.n; k++)
			buf_printf(&got, "%s%s", k ? " " : "", reference_print(&list.at[k]).text);
		cr_expect_str_eq(got.text, rows[i].expected, "%s", got.text);
	}
	registries_done(&r);
}

Test(image_registries, no_search_registries)
{
	auto_arena struct arena a = { 0 };
	struct registries r = { 0 };
	struct references list;
	struct reference ref;
	struct err e = { 0 };

	cr_assert_eq(reference_parse("debian", &ref, &e), 0);
	cr_assert_eq(registries_short_names(&r, &ref, &a, &list, &e), 0, "%s", e.msg);
	cr_expect_str_eq(reference_print(&list.at[0]).text, "docker.io/library/debian");
	cr_assert_eq(read_conf(&r, "unqualified-search-registries=[]", &e), 0, "%s", e.msg);
	cr_assert_eq(registries_short_names(&r, &ref, &a, &list, &e), -ENOENT);
	cr_expect_str_eq(e.msg, "the image name \"debian\" has no registry, no alias, and "
				"unqualified-search-registries is empty");
	registries_done(&r);
}

Test(image_registries, endpoints)
{
	static const struct {
		const char *text, *expected; /* "~": a mirror, "!": insecure; NULL: blocked */
	} rows[] = {
		{ "q.io/a:1", "q.io/a:1" },
		{ "r.io/team/a:1", "~m1.example/cache/a:1 !inner.example:5000/r/a:1" },
		{ "r.io/team/a" SHA,
		  "~m1.example/cache/a" SHA " ~!m2.example/a" SHA " !inner.example:5000/r/a" SHA },
		{ "r.io/teamwork/a", "r.io/teamwork/a" },
		{ "r.io/a", "r.io/a" },
		{ "bad.io/a/b", NULL },
		{ "x.bad.io/a", "x.bad.io/a" },
		{ "a.b.wild.io/c/d:e", "tame.io/w/c/d:e" },
		{ "wild.io/c", "wild.io/c" },
		{ "debian:1", "docker.io/library/debian:1" },
		{ "debian" SHA, "~hub.mirror/library/debian" SHA " docker.io/library/debian" SHA },
	};
	struct registries r = { 0 };
	struct err e = { 0 };

	cr_assert_eq(read_conf(&r, conf, &e), 0, "%s", e.msg);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf got = { 0 };
		struct registry_endpoints list;
		struct reference ref;
		int n;

		cr_assert_eq(reference_parse(rows[i].text, &ref, &e), 0, "%s", e.msg);
		n = registries_endpoints(&r, &ref, &a, &list, &e);
		if (!rows[i].expected) {
			cr_expect_eq(n, -EACCES);
			cr_expect_str_eq(e.msg, "registry bad.io is blocked by registries.conf");
			continue;
		}
		cr_assert_eq(n, 0, "%s: %s", rows[i].text, e.msg);
		for (size_t k = 0; k < list.n; k++)
			buf_printf(&got, "%s%s%s%s", k ? " " : "", list.at[k].is_mirror ? "~" : "",
				   list.at[k].insecure ? "!" : "",
				   reference_print(&list.at[k].reference).text);
		cr_expect_str_eq(got.text, rows[i].expected, "%s", got.text);
	}
	registries_done(&r);
}

Test(image_registries, what_is_wrong)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "unqualified-search-registries = 'docker.io'",
		  "f:1: \"unqualified-search-registries\": expected an array of strings" },
		{ "unqualified-search-registries = ['a b']",
		  "f: the search registry \"a b\" is not HOST[:PORT][/PATH]" },
		{ "[[registry]]\ninsecure = 1", "f:2: \"insecure\": expected true or false" },
		{ "[[registry]]\nlocation = true", "f:2: \"location\": expected a string" },
		{ "[[registry]]\ninsecure = true",
		  "f: a registry has neither a prefix nor a location" },
		{ "[[registry]]\nlocation = 'a b'",
		  "f: the location \"a b\" is not HOST[:PORT][/PATH]" },
		{ "[[registry]]\nprefix = 'https://r.io'",
		  "f: the prefix \"https://r.io\" is not" },
		{ "[[registry.mirror]]\nlocation='a'",
		  "f:1: a mirror without a [[registry]] before it" },
		{ "[[registry]]\nlocation='r.io'\n[[registry.mirror]]",
		  "f: a mirror of r.io has no location" },
		{ "[[registry]]\nlocation='r.io'\n[[registry.mirror]]\npull-from-mirror='x'",
		  "f:4: \"pull-from-mirror\": expected \"all\", \"digest-only\" or \"tag-only\"" },
		{ "[aliases]\na = 'b'", "f:2: \"a\": expected a name with a registry" },
		{ "[aliases]\na = 'r.io/b:1'", "without tag and digest" },
		{ "[registries.search]\nregistries = ['docker.io']",
		  "f:1: version 1 of the format is not understood" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct registries r = { 0 };
		struct err e = { 0 };

		cr_expect_eq(read_conf(&r, rows[i].text, &e), -EINVAL, "row %zu", i);
		cr_expect(strstr(e.msg, rows[i].message), "row %zu: %s", i, e.msg);
		registries_done(&r);
	}
}

/* Debian's own, if it is installed: it is all understood. */
Test(image_registries, of_this_machine)
{
	struct registries r = { 0 };
	struct err e = { 0 };

	if (access("/etc/containers/registries.conf", R_OK) < 0)
		cr_skip_test("there is no /etc/containers/registries.conf");
	unsetenv("CONTAINERS_REGISTRIES_CONF");
	cr_expect_eq(registries_load(&r, &e), 0, "%s", e.msg);
	registries_done(&r);
}

Test(image_registries, the_file_that_is_named, .init = dir_make, .fini = dir_remove)
{
	struct registries r = { 0 };
	struct err e = { 0 };

	setenv("CONTAINERS_REGISTRIES_CONF", dir_at("conf"), 1);
	cr_expect_eq(registries_load(&r, &e), -ENOENT);
	dir_file("conf", conf);
	cr_expect_eq(registries_load(&r, &e), 0, "%s", e.msg);
	cr_expect_eq(r.aliases_n, 3);
	registries_done(&r);
}
