/* Credentials: what files say of which registry, and what helpers answer. */
#include <stdlib.h>

#include "image/auth.h"
#include "image/base64.h"
#include "test_dir.h"

#define USER_PASS "\"auth\":\"dXNlcjpwYTpzcw==\"" /* user:pa:ss */
#define OTHER "\"auth\":\"b3RoZXI6eA==\""         /* other:x */

Test(image_auth, base64)
{
	static const struct {
		const char *plain, *coded;
	} good[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xff\xfe\xfd", "//79" },
		{ "\xfb\xef\xbe", "++++" },
	};
	static const char *const bad[] = { "Z",    "Zg",     "Zg=",      "Zg===", "=",     "====",
					   "Zh==", "Zm9=",   "Zg==Zg==", "Zm 8",  "Zm8\n", "Z-8=",
					   "Z_8=", "Zm8=\n", "=Zm8",     "Z=g=" };

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		auto_buf struct buf coded = { 0 }, plain = { 0 };

		base64_encode(good[i].plain, strlen(good[i].plain), &coded);
		cr_expect_str_eq(coded.text, good[i].coded);
		cr_expect_eq(base64_decode(coded.text, coded.len, &plain), 0);
		cr_expect_str_eq(plain.text, good[i].plain);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_buf struct buf plain = { 0 };

		cr_expect_eq(base64_decode(bad[i], strlen(bad[i]), &plain), -EINVAL, "%s", bad[i]);
	}
}

static const struct {
	const char *text, *registry, *repository;
	const char *username, *password, *token, *helper, *server; /* all NULL: none */
} good[] = {
	{ "{}", "r.io", "a", NULL, NULL, NULL, NULL, NULL },
	{ "{\"auths\":{\"r.io\":{" USER_PASS "}}}", "r.io", "a", "user", "pa:ss", NULL, NULL,
	  NULL },
	{ "{\"auths\":{\"r.io\":{" USER_PASS "}}}", "other.io", "a", NULL, NULL, NULL, NULL, NULL },
	{ "{\"auths\":{\"r.io\":{" USER_PASS "}}}", "xr.io", "a", NULL, NULL, NULL, NULL, NULL },
	{ "{\"auths\":{\"r.io\":{" USER_PASS "}}}", "r.io:5000", "a", NULL, NULL, NULL, NULL,
	  NULL },
	{ "{\"auths\":{\"r.io:5000\":{" USER_PASS "}}}", "r.io", "a", NULL, NULL, NULL, NULL,
	  NULL },
	{ "{\"auths\":{\"r.io\":{" OTHER "},\"r.io/t\":{" USER_PASS "}}}", "r.io", "t/a", "user",
	  "pa:ss", NULL, NULL, NULL },
	{ "{\"auths\":{\"r.io/t\":{" USER_PASS "},\"r.io\":{" OTHER "}}}", "r.io", "t", "user",
	  "pa:ss", NULL, NULL, NULL },
	{ "{\"auths\":{\"r.io/t\":{" USER_PASS "},\"r.io\":{" OTHER "}}}", "r.io", "tt/a", "other",
	  "x", NULL, NULL, NULL },
	{ "{\"auths\":{\"r.io/t/a\":{" USER_PASS "}}}", "r.io", "t", NULL, NULL, NULL, NULL, NULL },
	{ "{\"auths\":{\"https://index.docker.io/v1/\":{" USER_PASS "}}}", "docker.io", "library/a",
	  "user", "pa:ss", NULL, NULL, NULL },
	{ "{\"auths\":{\"docker.io\":{" USER_PASS "}}}", "docker.io", "library/a", "user", "pa:ss",
	  NULL, NULL, NULL },
	{ "{\"auths\":{\"https://index.docker.io/v1/\":{" OTHER "},\"docker.io/me\":{" USER_PASS
	  "}}}",
	  "docker.io", "me/a", "user", "pa:ss", NULL, NULL, NULL },
	{ "{\"auths\":{\"https://r.io/v2/\":{" USER_PASS "}}}", "r.io", "a", "user", "pa:ss", NULL,
	  NULL, NULL },
	{ "{\"auths\":{\"r.io\":{\"username\":\"u\",\"password\":\"p\"}}}", "r.io", "a", "u", "p",
	  NULL, NULL, NULL },
	{ "{\"auths\":{\"r.io\":{\"identitytoken\":\"t\"}}}", "r.io", "a", NULL, NULL, "t", NULL,
	  NULL },
	{ "{\"auths\":{\"r.io\":{}},\"credsStore\":\"secretservice\"}", "r.io", "a", NULL, NULL,
	  NULL, "secretservice", "r.io" },
	{ "{\"credsStore\":\"pass\"}", "docker.io", "a", NULL, NULL, NULL, "pass",
	  "https://index.docker.io/v1/" },
	{ "{\"auths\":{\"r.io\":{" USER_PASS
	  "}},\"credHelpers\":{\"r.io\":\"ecr-login\"},\"credsStore\":"
	  "\"pass\"}",
	  "r.io", "a", NULL, NULL, NULL, "ecr-login", "r.io" },
	{ "{\"auths\":{\"r.io\":{" USER_PASS
	  "}},\"credHelpers\":{\"q.io\":\"ecr-login\"},\"credsStore\":"
	  "\"pass\"}",
	  "r.io", "a", "user", "pa:ss", NULL, NULL, NULL },
};

static const struct {
	const char *text, *message;
} bad[] = {
	{ "", "f: not what is expected in a file of credentials" },
	{ "[]", "f:1:1: not what is expected" },
	{ "{\"auths\":{\"r.io\":\"secret\"}}", "f:1:18: not what is expected" },
	{ "{\"auths\":{\"r.io\":{\"auth\":7}}}", "f:1:26: not what is expected" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"secret\"}}}",
	  "f: auths.\"r.io\".auth: not base64 of USER:PASSWORD" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"c2VjcmV0\"}}}", "not base64 of USER:PASSWORD" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"YTpiAGM=\"}}}", "not base64 of USER:PASSWORD" },
	{ "{\"credHelpers\":{\"r.io\":\"../../bin/sh\"}}",
	  "f: \"../../bin/sh\" is not the name of a credential helper" },
	{ "{\"credsStore\":\"a b\"}", "f: \"a b\" is not the name of a credential helper" },
	{ "{\"auths\":{\"r.io\":{\"auth\":\"secret\",}}}", "f:1:" },
};

static void expect_text(const char *got, const char *expected, size_t row)
{
	cr_expect(got == expected || (got && expected && strcmp(got, expected) == 0),
		  "row %zu: %s, not %s", row, got ? got : "NULL", expected ? expected : "NULL");
}

Test(image_auth, what_files_say)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		auto_arena struct arena a = { 0 };
		struct auth_credentials c = { .source = NULL };
		struct err e = { 0 };
		bool any = good[i].username || good[i].token || good[i].helper;
		int r = auth_parse("f", good[i].text, strlen(good[i].text), good[i].registry,
				   good[i].repository, &a, &c, &e);

		cr_expect_eq(r, any ? 0 : -ENOENT, "row %zu: %d %s", i, r, e.msg);
		expect_text(c.username, good[i].username, i);
		expect_text(c.password, good[i].password, i);
		expect_text(c.identity_token, good[i].token, i);
		expect_text(c.helper, good[i].helper, i);
		expect_text(c.server, good[i].server, i);
	}
}

Test(image_auth, says_what_is_wrong_and_no_secret)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_arena struct arena a = { 0 };
		struct auth_credentials c;
		struct err e = { 0 };

		cr_expect_eq(auth_parse("f", bad[i].text, strlen(bad[i].text), "r.io", "a", &a, &c,
					&e),
			     -EINVAL, "row %zu", i);
		cr_expect(strstr(e.msg, bad[i].message), "row %zu: %s", i, e.msg);
		cr_expect_not(strstr(e.msg, "secret"), "%s", e.msg);
	}
}

Test(image_auth, answers)
{
	static const char plain[] =
		"warning: old\n{\"ServerURL\":\"r.io\",\"Username\":\"u\",\"Secret\":\"s\"}\n";
	static const char token[] = "{\"Username\":\"<token>\",\"Secret\":\"t\"}";
	auto_arena struct arena a = { 0 };
	struct auth_credentials c;
	struct err e = { 0 };

	cr_assert_eq(auth_parse_answer("h", plain, strlen(plain), &a, &c, &e), 0, "%s", e.msg);
	cr_expect_str_eq(c.username, "u");
	cr_expect_str_eq(c.password, "s");
	cr_assert_eq(auth_parse_answer("h", token, strlen(token), &a, &c, &e), 0, "%s", e.msg);
	cr_expect_str_eq(c.identity_token, "t");
	cr_expect_null(c.username);
	cr_expect_eq(auth_parse_answer("h", "{}", 2, &a, &c, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "h: its answer lacks Username or Secret");
	cr_expect_eq(auth_parse_answer("h", "no", 2, &a, &c, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "h: its answer is no JSON object");
}

static void only_ours(void)
{
	dir_make();
	unsetenv("REGISTRY_AUTH_FILE");
	unsetenv("DOCKER_CONFIG");
	unsetenv("XDG_CONFIG_HOME");
	setenv("HOME", dir_path, 1);
	setenv("XDG_RUNTIME_DIR", dir_at("run"), 1);
}

Test(image_auth, files_in_order, .init = only_ours, .fini = dir_remove)
{
	auto_arena struct arena a = { 0 };
	struct auth_credentials c;
	struct err e = { 0 };

	cr_expect_eq(auth_find("r.io", "a", &a, &c, &e), -ENOENT);
	cr_expect_eq(e.code, 0);
	dir_file(".docker/config.json", "{\"auths\":{\"r.io\":{" OTHER "},\"s.io\":{" OTHER "}}}");
	cr_assert_eq(auth_find("r.io", "a", &a, &c, &e), 0, "%s", e.msg);
	cr_expect_str_eq(c.username, "other");
	dir_file("run/containers/auth.json", "{\"auths\":{\"r.io\":{" USER_PASS "}}}");
	cr_assert_eq(auth_find("r.io", "a", &a, &c, &e), 0, "%s", e.msg);
	cr_expect_str_eq(c.username, "user");
	cr_assert_eq(auth_find("s.io", "a", &a, &c, &e), 0, "%s", e.msg);
	cr_expect_str_eq(c.username, "other");
	setenv("REGISTRY_AUTH_FILE", dir_at("none"), 1);
	cr_expect_eq(auth_find("r.io", "a", &a, &c, &e), -ENOENT);
	cr_expect(strstr(e.msg, "none: no such file or directory"), "%s", e.msg);
}

static void helper(const char *script)
{
	dir_file("bin/docker-credential-test", script);
	cr_assert_eq(chmod(dir_at("bin/docker-credential-test"), 0755), 0);
}

Test(image_auth, helpers_are_asked, .init = only_ours, .fini = dir_remove)
{
	auto_arena struct arena a = { 0 };
	struct auth_credentials c;
	struct err e = { 0 };
	char path[200];

	dir_file(".docker/config.json", "{\"credHelpers\":{\"r.io\":\"test\"}}");
	cr_expect_eq(auth_find("r.io", "a", &a, &c, &e), -EINVAL);
	cr_expect(
		strstr(e.msg,
		       "names the credential helper docker-credential-test, which is not in PATH"),
		"%s", e.msg);
	snprintf(path, sizeof(path), "%s:/usr/bin:/bin", dir_at("bin"));
	setenv("PATH", path, 1);
	helper("#!/bin/sh\nread -r server\necho "
	       "\"{\\\"Username\\\":\\\"$1\\\",\\\"Secret\\\":\\\"$server\\\"}\"\n");
	cr_assert_eq(auth_find("r.io", "a", &a, &c, &e), 0, "%s", e.msg);
	cr_expect_str_eq(c.username, "get");
	cr_expect_str_eq(c.password, "r.io");
	helper("#!/bin/sh\necho 'credentials not found in native keychain'\nexit 1\n");
	e = (struct err){ 0 };
	cr_expect_eq(auth_find("r.io", "a", &a, &c, &e), -ENOENT, "%s", e.msg);
	cr_expect_eq(e.code, 0);
	helper("#!/bin/sh\necho 'secret' >&2\nexit 1\n");
	cr_expect_lt(auth_find("r.io", "a", &a, &c, &e), 0);
	cr_expect_str_eq(e.msg,
			 "ask docker-credential-test for the credentials of r.io: it failed");
}
