#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "image/fetch/challenge.h"
#include "image/fetch/headers.h"

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

static void add(struct headers *h, const char *line)
{
	headers_add(h, line, strlen(line));
}

#define EXPECT_HEADER(buf, expected) cr_expect_str_eq((buf).len ? (buf).text : "", expected)

Test(challenge, lines_of_a_header)
{
	struct headers h = { 0 };
	char *longer;

	add(&h, "HTTP/1.1 401 Unauthorized\r\n");
	add(&h, "content-TYPE:  a/b \t\r\n");
	add(&h, "WWW-Authenticate: Basic realm=x\r\n");
	add(&h, "www-authenticate:Bearer realm=y\r\n");
	add(&h, "Location: /v2/\r\n");
	add(&h, "Locations: /no\r\n");
	add(&h, "Location\r\n");
	add(&h, "Location:\r\n");
	add(&h, "Retry-After: 7\r\n");
	add(&h, "\r\n");
	EXPECT_HEADER(h.type, "a/b");
	EXPECT_HEADER(h.challenge, "Basic realm=x, Bearer realm=y");
	EXPECT_HEADER(h.location, "/v2/");
	cr_expect_eq(headers_wait(&h), 7);
	/* Another answer has nothing of it. */
	add(&h, "HTTP/1.1 200 OK\r\n");
	EXPECT_HEADER(h.type, "");
	EXPECT_HEADER(h.challenge, "");
	cr_expect_eq(headers_wait(&h), 0);
	/* What can't be meant. */
	longer = calloc(1, HEADER_MAX + 100);
	memset(longer, 'x', HEADER_MAX + 50);
	memcpy(longer, "Location: ", 10);
	add(&h, longer);
	free(longer);
	headers_add(&h, "Location: a\0b", 13);
	EXPECT_HEADER(h.location, "");
	headers_done(&h);
}

Test(challenge, how_long_to_wait)
{
	static const struct {
		const char *line;
		unsigned long seconds;
	} rows[] = {
		{ "Retry-After: 0", 0 },
		{ "Retry-After: 120", 120 },
		{ "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT", 0 },
		{ "Retry-After: -1", 0 },
		{ "Retry-After: 1x", 0 },
		{ "Retry-After: 99999999999999999999999", ULONG_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct headers h = { 0 };

		add(&h, rows[i].line);
		cr_expect_eq(headers_wait(&h), rows[i].seconds, "%s", rows[i].line);
		headers_done(&h);
	}
}
