#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "image/fetch/challenge.h"

Test(challenge, headers)
{
	static const struct {
		const char *header;
		int kind; /* -1: refused */
		const char *realm, *service, *scope;
	} rows[] = {
		{ "Basic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL },
		{ "basic realm=x", CHALLENGE_BASIC, "x", NULL, NULL },
		{ "Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:a/b:pull\"",
		  CHALLENGE_BEARER, "https://a/t", "s", "repository:a/b:pull" },
		{ "Bearer realm=\"a\\\"b\" , service = s", CHALLENGE_BEARER, "a\"b", "s", NULL },
		{ "Basic realm=\"x\", Bearer realm=\"y\"", CHALLENGE_BEARER, "y", NULL, NULL },
		{ "Negotiate, Basic realm=\"x\"", CHALLENGE_BASIC, "x", NULL, NULL },
		{ "Bearer service=\"s\"", -1, NULL, NULL, NULL },
		{ "", -1, NULL, NULL, NULL },
		{ "Digest realm=\"x\"", -1, NULL, NULL, NULL },
		{ "Bearer realm=\"unended", -1, NULL, NULL, NULL },
		{ "Bearer realm=", -1, NULL, NULL, NULL },
		{ "Bearer realm=\"a\nb\"", -1, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct challenge c;
		struct err e = { 0 };
		int r = challenge_parse(rows[i].header, &a, &c, &e);

		cr_expect_eq(r, rows[i].kind < 0 ? -EINVAL : 0, "%s: %d %s", rows[i].header, r,
			     e.msg);
		if (r < 0 || rows[i].kind < 0)
			continue;
		cr_expect_eq((int)c.kind, rows[i].kind, "%s", rows[i].header);
		cr_expect_str_eq(c.realm, rows[i].realm);
		if (rows[i].service)
			cr_expect_str_eq(c.service, rows[i].service);
		if (rows[i].scope)
			cr_expect_str_eq(c.scope, rows[i].scope);
	}
}

Test(challenge, tokens)
{
	static const struct {
		const char *text, *token; /* NULL: refused */
	} rows[] = {
		{ "{\"token\":\"abc\"}", "abc" },
		{ "{\"access_token\":\"abc\"}", "abc" },
		{ "{\"token\":\"\",\"access_token\":\"x\"}", "x" },
		{ "{\"token\":1}", NULL },
		{ "{}", NULL },
		{ "{\"token\":\"a b\"}", NULL },
		{ "{\"token\":\"a\\nb\"}", NULL },
		{ "", NULL },
		{ "[\"token\"]", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const char *token = NULL;
		struct err e = { 0 };
		int r = challenge_token(rows[i].text, strlen(rows[i].text), &a, &token, &e);

		cr_expect_eq(r == 0, rows[i].token != NULL, "%s: %s", rows[i].text, e.msg);
		if (r == 0 && rows[i].token)
			cr_expect_str_eq(token, rows[i].token);
	}
}
