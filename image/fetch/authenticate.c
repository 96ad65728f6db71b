/*
 * authenticate.c - who we are: what hull-fetch does when a registry answers 401, and the tokens
 * of distribution's token server.
 */
#include <errno.h>
#include <string.h>

#include "image/fetch/challenge.h"
#include "image/fetch/fetcher.h"

enum { TOKEN_ANSWER_MAX = 1024 * 1024 };

void fetcher_set_credentials(const struct fetcher *f, bool basic)
{
	if (basic && f->credentials) {
		curl_easy_setopt(f->curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(f->curl, CURLOPT_USERPWD, f->credentials);
	} else if (f->token) {
		curl_easy_setopt(f->curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
		curl_easy_setopt(f->curl, CURLOPT_XOAUTH2_BEARER, f->token);
	}
}

static void add_escaped(const struct fetcher *f, const char *text, struct buf *ret)
{
	char *escaped = curl_easy_escape(f->curl, text, 0);

	buf_str(ret, escaped ? escaped : "");
	curl_free(escaped);
}

/* A registry asks for several with blanks between; a token server wants one parameter for each. */
static void add_scopes(struct fetcher *f, const char *scopes, struct buf *ret)
{
	do {
		size_t len = strcspn(scopes, " ");

		buf_str(ret, "&scope=");
		add_escaped(f, arena_strndup(&f->arena, scopes, len), ret);
		scopes += len;
		scopes += strspn(scopes, " ");
	} while (*scopes);
}

/* As a query: our credentials, if there are any, are Basic ones. */
static void prepare_get(struct fetcher *f, const struct challenge *c, struct answer *a,
			struct buf *text)
{
	buf_printf(text, "%s%cservice=", c->realm, strchr(c->realm, '?') ? '&' : '?');
	add_escaped(f, c->service ? c->service : "", text);
	add_scopes(f, c->scope ? c->scope : "", text);
	fetcher_prepare(f, a, text->text);
	fetcher_set_credentials(f, true);
}

/* As a form: an identity token is OAuth2's refresh token (distribution's "oauth2 token authentication"). */
static void prepare_post(struct fetcher *f, const struct challenge *c, struct answer *a,
			 struct buf *text)
{
	buf_str(text, "grant_type=refresh_token&client_id=hull&service=");
	add_escaped(f, c->service ? c->service : "", text);
	if (c->scope) {
		buf_str(text, "&scope=");
		add_escaped(f, c->scope, text);
	}
	buf_str(text, "&refresh_token=");
	add_escaped(f, f->identity_token, text);
	fetcher_prepare(f, a, c->realm);
	curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE, (long)text->len);
	curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, text->text);
	/* A form with a secret goes to nobody else. */
	curl_easy_setopt(f->curl, CURLOPT_FOLLOWLOCATION, 0L);
}

/* The token server's answer, asked with what we have. */
static int fetch_token(struct fetcher *f, const struct challenge *c, struct err *e)
{
	bool nobody = !f->credentials && !f->identity_token;
	unsigned tries = 0;

	f->token = NULL;
	for (;;) {
		auto_buf struct buf question = { 0 }, text = { 0 };
		auto_answer struct answer a = { .f = f, .text = &text, .limit = TOKEN_ANSWER_MAX };
		CURLcode code;

		if (f->identity_token)
			prepare_post(f, c, &a, &question);
		else
			prepare_get(f, c, &a, &question);
		code = curl_easy_perform(f->curl);
		curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &a.status);
		if (f->identity_token)
			explicit_bzero(question.text, question.len);
		if (fetcher_again(f, &a, code, &tries))
			continue;
		if (code != CURLE_OK)
			return fetcher_curl_failure(code, c->realm, e);
		if (a.status != 200)
			return err_set(e, EACCES, "%s: the token server refuses (HTTP %ld)%s",
				       c->realm, a.status,
				       nobody ? ": no credentials were given" : "");
		return challenge_token(text.text ? text.text : "", text.len, &f->arena, &f->token,
				       e);
	}
}

int fetcher_authenticate(struct fetcher *f, const struct answer *a, struct err *e)
{
	struct challenge c;

	/* What a registry leads to may be anybody's, and could ask for anything. */
	if (fetcher_is_elsewhere(f))
		return err_set(e, EACCES,
			       "%s leads to another host, which asks for credentials (HTTP 401)",
			       f->registry);
	if (!a->headers.challenge.len)
		return err_set(e, EACCES, "%s asks for credentials without saying which",
			       f->registry);
	TRY(challenge_parse(a->headers.challenge.text, &f->arena, &c, e));
	if (c.kind == CHALLENGE_BEARER)
		return fetch_token(f, &c, e);
	if (!f->credentials || f->basic)
		return err_set(e, EACCES, "%s: %s", f->registry,
			       f->basic ? "the credentials are refused (HTTP 401)"
					: "it asks for credentials, and none are known (HTTP 401)");
	f->basic = true;
	return 0;
}
