#include "image/reference.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define LOWER_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define HEX "0123456789abcdefABCDEF"

/* A part of the text. */
struct part {
	const char *at;
	size_t n;
};

static int wrong(struct err *e, const char *text, const char *why)
{
	return err_set(e, EINVAL, "image name %s: %s", json_quote(text).text, why);
}

static int wrong_part(struct err *e, const char *text, const char *what, struct part p,
		      const char *why)
{
	char shown[64];

	snprintf(shown, sizeof(shown), "%.*s", (int)p.n, p.at);
	return err_set(e, EINVAL, "image name %s: %s %s %s", json_quote(text).text, what,
		       json_quote(shown).text, why);
}

static bool all_of(struct part p, const char *set)
{
	for (size_t i = 0; i < p.n; i++)
		if (!p.at[i] || !strchr(set, p.at[i]))
			return false;
	return true;
}

/* One name of a host, between dots. */
static bool is_host_label(struct part p)
{
	return p.n > 0 && all_of(p, LOWER_DIGITS UPPER "-") && p.at[0] != '-' &&
	       p.at[p.n - 1] != '-';
}

static bool is_host_name(struct part p)
{
	for (;;) {
		const char *dot = memchr(p.at, '.', p.n);
		struct part label = { p.at, dot ? (size_t)(dot - p.at) : p.n };

		if (!is_host_label(label))
			return false;
		if (!dot)
			return true;
		p = (struct part){ dot + 1, p.n - label.n - 1 };
	}
}

static int check_port(struct part port, const char *text, struct err *e)
{
	unsigned n = 0;

	if (port.n == 0 || port.n > 5 || !all_of(port, DIGITS))
		return wrong_part(e, text, "the registry's port", port, "is not a number");
	for (size_t i = 0; i < port.n; i++)
		n = n * 10 + (unsigned)(port.at[i] - '0');
	if (n == 0 || n > 65535)
		return wrong_part(e, text, "the registry's port", port,
				  "is not between 1 and 65535");
	return 0;
}

/* HOST[:PORT], [IPV6][:PORT] */
static int check_registry(struct part p, const char *text, struct err *e)
{
	const char *end = p.at + p.n, *colon;

	if (p.at[0] == '[') {
		const char *close = memchr(p.at, ']', p.n);
		struct part address = { p.at + 1, close ? (size_t)(close - p.at - 1) : 0 };

		if (!close || address.n < 2 || !all_of(address, HEX ":") ||
		    !memchr(address.at, ':', address.n))
			return wrong_part(e, text, "the registry", p,
					  "is not an IPv6 address in brackets");
		if (close + 1 == end)
			return 0;
		if (close[1] != ':')
			return wrong_part(e, text, "the registry", p,
					  "has something other than a port behind the bracket");
		return check_port((struct part){ close + 2, (size_t)(end - close - 2) }, text, e);
	}
	colon = memchr(p.at, ':', p.n);
	if (!is_host_name((struct part){ p.at, colon ? (size_t)(colon - p.at) : p.n }))
		return wrong_part(e, text, "the registry", p,
				  "is not a host name: letters, digits, \"-\" and \".\"");
	if (!colon)
		return 0;
	return check_port((struct part){ colon + 1, (size_t)(end - colon - 1) }, text, e);
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool is_path_part(struct part p)
{
	size_t i = 0;

	for (;;) {
		size_t start = i, gap;

		while (i < p.n && strchr(LOWER_DIGITS, p.at[i]))
			i++;
		if (i == start)
			return false;
		if (i == p.n)
			return true;
		gap = i;
		while (i < p.n && p.at[i] == '-')
			i++;
		if (i > gap)
			continue;
		if (p.at[i] == '.')
			i++;
		else if (p.at[i] == '_')
			i += i + 1 < p.n && p.at[i + 1] == '_' ? 2 : 1;
		else
			return false;
	}
}

static int check_path(struct part path, const char *text, struct err *e)
{
	for (;;) {
		const char *slash = memchr(path.at, '/', path.n);
		struct part p = { path.at, slash ? (size_t)(slash - path.at) : path.n };

		if (p.n == 0)
			return wrong(e, text, "a part of its path is empty");
		for (size_t i = 0; i < p.n; i++)
			if (isupper((unsigned char)p.at[i]))
				return wrong_part(e, text, "the path's part", p,
						  "has a capital letter, which only tags may have");
		if (!is_path_part(p))
			return wrong_part(e, text, "the path's part", p,
					  "is not lower-case letters and digits with \".\", \"_\", "
					  "\"__\" or \"-\" between them");
		if (!slash)
			return 0;
		path = (struct part){ slash + 1, path.n - p.n - 1 };
	}
}

static int check_tag(struct part p, const char *text, struct err *e)
{
	if (p.n == 0)
		return wrong(e, text, "the tag behind the colon is empty");
	if (p.n > REFERENCE_TAG_MAX)
		return wrong(e, text, "the tag is longer than 128 characters");
	if (!all_of(p, LOWER_DIGITS UPPER "_.-") || p.at[0] == '.' || p.at[0] == '-')
		return wrong_part(e, text, "the tag", p,
				  "is not letters, digits, \"_\", \".\" and \"-\", beginning with "
				  "none of the last two");
	return 0;
}

/* Whether what stands before the first slash is a registry; Docker's rule. */
static bool is_registry(struct part p)
{
	if (memchr(p.at, '.', p.n) || memchr(p.at, ':', p.n))
		return true;
	if (p.n == 9 && memcmp(p.at, "localhost", 9) == 0)
		return true;
	for (size_t i = 0; i < p.n; i++)
		if (isupper((unsigned char)p.at[i]))
			return true;
	return false;
}

static bool part_is(struct part p, const char *word)
{
	return p.n == strlen(word) && memcmp(p.at, word, p.n) == 0;
}

/* Registry and path, with what Docker adds, into r. */
static int set_name(struct reference *r, struct part name, const char *text, struct err *e)
{
	const char *slash = memchr(name.at, '/', name.n);
	struct part first = { name.at, slash ? (size_t)(slash - name.at) : name.n };
	struct part path = name,
		    registry = { REFERENCE_DEFAULT_REGISTRY, strlen(REFERENCE_DEFAULT_REGISTRY) };
	const char *prefix = "";

	if (name.n == 0)
		return wrong(e, text, "the name before tag and digest is empty");
	r->is_short = !slash || !is_registry(first);
	if (!r->is_short) {
		TRY(check_registry(first, text, e));
		path = (struct part){ slash + 1, name.n - first.n - 1 };
		if (!part_is(first, "index.docker.io"))
			registry = first;
	}
	if (name.n > REFERENCE_NAME_MAX)
		return wrong(e, text, "the name is longer than 255 characters");
	TRY(check_path(path, text, e));
	if (part_is(registry, REFERENCE_DEFAULT_REGISTRY) && !memchr(path.at, '/', path.n))
		prefix = "library/";
	if (registry.n + 1 + strlen(prefix) + path.n > REFERENCE_NAME_MAX)
		return wrong(e, text,
			     "with docker.io/ and library/ before it, the name is longer "
			     "than 255 characters");
	snprintf(r->registry, sizeof(r->registry), "%.*s", (int)registry.n, registry.at);
	snprintf(r->repository, sizeof(r->repository), "%s%.*s", prefix, (int)path.n, path.at);
	return 0;
}

int reference_parse(const char *text, struct reference *ret, struct err *e)
{
	struct part name = { text, strlen(text) };
	const char *at = memchr(text, '@', name.n), *slash, *colon;
	struct reference r = { .registry = "" };
	struct err why = { 0 };

	if (name.n == 0)
		return err_set(e, EINVAL, "the image name is empty");
	if (strstr(text, "://"))
		return wrong(e, text, "a name has no scheme, write REGISTRY/PATH[:TAG][@DIGEST]");
	if (name.n > REFERENCE_TEXT_MAX)
		return wrong(e, text, "it is too long");
	if (at) {
		if (digest_parse(at + 1, &r.digest, &why) < 0)
			return wrong(e, text, why.msg);
		name.n = (size_t)(at - text);
	}
	/* A colon behind the last slash begins the tag, one before it a port. */
	slash = memrchr(name.at, '/', name.n);
	colon = slash ? memchr(slash, ':', name.n - (size_t)(slash - text))
		      : memchr(text, ':', name.n);
	if (colon) {
		struct part tag = { colon + 1, name.n - (size_t)(colon - text) - 1 };

		TRY(check_tag(tag, text, e));
		snprintf(r.tag, sizeof(r.tag), "%.*s", (int)tag.n, tag.at);
		name.n = (size_t)(colon - text);
	}
	if (name.n == 64 && all_of(name, "0123456789abcdef"))
		return wrong(e, text, "64 hexadecimal digits are an id, not a name");
	TRY(set_name(&r, name, text, e));
	*ret = r;
	return 0;
}

void reference_default_tag(struct reference *r)
{
	if (r->tag[0] == '\0' && !digest_is_set(&r->digest))
		memcpy(r->tag, REFERENCE_DEFAULT_TAG, sizeof(REFERENCE_DEFAULT_TAG));
}

int reference_set_name(struct reference *r, const char *registry_and_path, struct err *e)
{
	struct reference to = { .registry = "" };

	TRY(reference_parse(registry_and_path, &to, e));
	if (to.tag[0] || digest_is_set(&to.digest))
		return wrong(e, registry_and_path, "expected a name without tag and digest");
	if (to.is_short)
		return wrong(e, registry_and_path, "expected a name with a registry");
	memcpy(r->registry, to.registry, sizeof(r->registry));
	memcpy(r->repository, to.repository, sizeof(r->repository));
	r->is_short = false;
	return 0;
}

/* The parts are checked, so that all fits. */
static struct reference_text print(const char *registry, const char *slash, const char *path,
				   const struct reference *rest)
{
	struct reference_text ret;
	const char *tag = rest ? rest->tag : "", *digest = rest ? rest->digest.text : "";
	int n = snprintf(ret.text, sizeof(ret.text), "%s%s%s", registry, slash, path);

	snprintf(ret.text + n, sizeof(ret.text) - (size_t)n, "%s%s%s%s", tag[0] ? ":" : "", tag,
		 digest[0] ? "@" : "", digest);
	return ret;
}

struct reference_text reference_print(const struct reference *r)
{
	return print(r->registry, "/", r->repository, r);
}

struct reference_text reference_name(const struct reference *r)
{
	return print(r->registry, "/", r->repository, NULL);
}

struct reference_text reference_familiar(const struct reference *r)
{
	const char *path = r->repository, *library = "library/", *slash = strchr(path, '/');

	if (strcmp(r->registry, REFERENCE_DEFAULT_REGISTRY) != 0)
		return reference_name(r);
	if (strncmp(path, library, strlen(library)) == 0 && !strchr(path + strlen(library), '/'))
		path += strlen(library);
	else if (slash && is_registry((struct part){ path, (size_t)(slash - path) }))
		return reference_name(r); /* would be another's without docker.io */
	return print("", "", path, NULL);
}

int transport_parse(const char *text, struct transport_place *ret, struct err *e)
{
	static const struct {
		const char *prefix;
		enum transport transport;
	} words[] = {
		{ "docker://", TRANSPORT_REGISTRY },
		{ "oci:", TRANSPORT_OCI },
		{ "oci-archive:", TRANSPORT_OCI_ARCHIVE },
		{ "docker-archive:", TRANSPORT_DOCKER_ARCHIVE },
		{ "dir:", TRANSPORT_DIR },
	};
	struct transport_place place = { .transport = TRANSPORT_REGISTRY };
	const char *colon, *rest = text;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		n = strlen(words[i].prefix);
		if (strncmp(text, words[i].prefix, n) != 0)
			continue;
		/* "oci:latest" could be an image of that name; Docker and skopeo disagree, skopeo wins. */
		place.transport = words[i].transport;
		rest = text + n;
		break;
	}
	if (place.transport == TRANSPORT_DIR)
		return err_set(
			e, ENOTSUP,
			"image %s: directories of skopeo's dir: are not understood, use oci:",
			json_quote(text).text);
	if (rest[0] == '\0')
		return err_set(e, EINVAL, "image %s: nothing behind the colon",
			       json_quote(text).text);
	colon = place.transport == TRANSPORT_REGISTRY ? rest : strchr(rest, ':');
	n = colon ? (size_t)(colon - rest) : strlen(rest);
	if (place.transport != TRANSPORT_REGISTRY) {
		if (n == 0)
			return err_set(e, EINVAL, "image %s: the path is empty",
				       json_quote(text).text);
		if (n >= sizeof(place.path))
			return err_set(e, ENAMETOOLONG, "image %s: the path is too long",
				       json_quote(text).text);
		memcpy(place.path, rest, n);
		colon = colon ? colon + 1 : "";
	}
	if (strlen(colon) >= sizeof(place.ref))
		return err_set(e, EINVAL, "image %s: the reference is too long",
			       json_quote(text).text);
	memcpy(place.ref, colon, strlen(colon));
	*ret = place;
	return 0;
}
