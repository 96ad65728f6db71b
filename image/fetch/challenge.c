#include "image/fetch/challenge.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"

enum { TOKEN_MAX = 64 * 1024 };

/* RFC 9110's tchar. */
static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t,");
}

static size_t token_len(const char *at)
{
	size_t n = 0;

	while (is_token(at[n]))
		n++;
	return n;
}

/* A value: a token, or a quoted string without its quotes. Returns behind it, NULL: it is none. */
static const char *take_value(const char *at, struct arena *a, const char **ret)
{
	char *out;
	size_t n = 0;

	if (*at != '"') {
		n = token_len(at);
		*ret = arena_strndup(a, at, n);
		return n ? at + n : NULL;
	}
	out = arena_alloc(a, strlen(at) + 1);
	for (at++; *at != '"'; at++) {
		if (*at == '\\' && at[1])
			at++;
		if (!*at || (unsigned char)*at < 0x20)
			return NULL;
		out[n++] = *at;
	}
	*ret = out;
	return at + 1;
}

static void keep_parameter(struct challenge *c, const char *name, size_t len, const char *value)
{
	if (len == 5 && strncasecmp(name, "realm", len) == 0)
		c->realm = value;
	else if (len == 7 && strncasecmp(name, "service", len) == 0)
		c->service = value;
	else if (len == 5 && strncasecmp(name, "scope", len) == 0)
		c->scope = value;
}

/* The parameters up to the next scheme, which is a token that no "=" follows. */
static const char *take_parameters(const char *at, struct arena *a, struct challenge *c)
{
	for (;;) {
		const char *name = skip_space(at), *value, *equals;
		size_t len = token_len(name);

		if (!len)
			return *name ? NULL : name;
		equals = name + len + strspn(name + len, " \t");
		if (*equals != '=')
			return name;
		equals++;
		at = take_value(equals + strspn(equals, " \t"), a, &value);
		if (!at)
			return NULL;
		keep_parameter(c, name, len, value);
	}
}

int challenge_parse(const char *header, struct arena *a, struct challenge *ret, struct err *e)
{
	const char *at = skip_space(header);

	*ret = (struct challenge){ 0 };
	while (at && *at) {
		struct challenge c = { 0 };
		size_t len = token_len(at);

		if (len == 6 && strncasecmp(at, "Bearer", len) == 0)
			c.kind = CHALLENGE_BEARER;
		else if (len == 5 && strncasecmp(at, "Basic", len) == 0)
			c.kind = CHALLENGE_BASIC;
		if (!len || (at[len] && !strchr(" \t,", at[len])))
			break;
		at = take_parameters(at + len, a, &c);
		if (!at)
			break;
		if (c.kind == CHALLENGE_BEARER && !c.realm)
			break;
		if (c.kind > ret->kind)
			*ret = c;
	}
	if (at && !*at && ret->kind != CHALLENGE_NONE)
		return 0;
	return err_set(e, EINVAL,
		       "the registry asks for credentials in a way that is not understood: %s",
		       json_quote(header).text);
}

int challenge_token(const char *text, size_t len, struct arena *a, const char **ret, struct err *e)
{
	auto_json struct json_doc doc = { .name = "token", .text = text, .size = len };
	const struct json *token;

	TRY(json_parse(&doc, a, e));
	if (doc.root->type != JSON_OBJECT)
		return err_set(e, EBADMSG, "the token server's answer is no object");
	token = json_member(doc.root, "token");
	if (!token || token->type != JSON_STRING || !*token->text)
		token = json_member(doc.root, "access_token");
	if (!token || token->type != JSON_STRING || !*token->text ||
	    strlen(token->text) > TOKEN_MAX)
		return err_set(e, EBADMSG, "the token server's answer has no token");
	for (const char *c = token->text; *c; c++)
		if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
			return err_set(e, EBADMSG, "the token server's answer has no valid token");
	*ret = token->text;
	return 0;
}
