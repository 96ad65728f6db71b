/*
 * hull-fetch - the one program of hull that talks to registries.
 *
 *	hull-fetch --registry HOST[:PORT] --repository PATH [--insecure] [--once] [--ca FILE]
 *
 * It is started by hull for one image, answers on descriptor 3 what frames.h
 * describes, and writes no file. Before it talks to anybody it gives up what
 * it does not need (sandbox.h).
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"
#include "image/fetch/challenge.h"
#include "image/fetch/fetcher.h"
#include "image/fetch/frames.h"
#include "image/fetch/sandbox.h"
#include "image/media_type.h"

enum {
	CONNECT_S = 20,
	STALL_S = 60, /* less than a byte a second for so long: it has failed */
	REDIRECTS = 5,
	TRIES = 4,
	TOKEN_ANSWER_MAX = 1024 * 1024,
};

void answer_done(struct answer *a)
{
	buf_done(&a->type);
	buf_done(&a->challenge);
	buf_done(&a->location);
}

static void take_header(struct buf *to, const char *name, const char *line, size_t len)
{
	size_t n = strlen(name);

	if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return;
	line += n + 1;
	len -= n + 1;
	while (len && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (len && strchr("\r\n \t", line[len - 1]))
		len--;
	if (to->len)
		buf_str(to, ", ");
	buf_add(to, line, len);
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct answer *a = ctx;
	size_t len = size * n;

	/* A new status line begins a new answer: after a redirect, too. */
	if (len > 5 && memcmp(line, "HTTP/", 5) == 0) {
		buf_clear(&a->type);
		buf_clear(&a->challenge);
		buf_clear(&a->location);
	}
	take_header(&a->type, "content-type", line, len);
	take_header(&a->challenge, "www-authenticate", line, len);
	take_header(&a->location, "location", line, len);
	return len;
}

static int begin(struct answer *a)
{
	if (a->begun)
		return 0;
	a->begun = true;
	return frame_send(FRAME_FD, FRAME_HEADER, a->type.text ? a->type.text : "", a->type.len);
}

static int pass_on(struct answer *a, const char *bytes, size_t len)
{
	TRY(begin(a));
	while (len) {
		size_t n = len > FRAME_MAX ? FRAME_MAX : len;

		TRY(frame_send(FRAME_FD, FRAME_DATA, bytes, n));
		bytes += n;
		len -= n;
	}
	return 0;
}

static size_t on_content(char *bytes, size_t size, size_t n, void *ctx)
{
	struct answer *a = ctx;
	size_t len = size * n, skipped;

	curl_easy_getinfo(a->f->curl, CURLINFO_RESPONSE_CODE, &a->status);
	if (a->status != 200 && a->status != 206)
		return len; /* a page that says what went wrong; the number is enough */
	skipped = a->status == 200 && a->skip ? (a->skip < len ? (size_t)a->skip : len) : 0;
	a->skip -= skipped;
	if (a->text) {
		if (a->text->len + len > a->limit)
			return 0;
		buf_add(a->text, bytes, len);
		return len;
	}
	a->failure = pass_on(a, bytes + skipped, len - skipped);
	a->received += len - skipped;
	return a->failure < 0 ? 0 : len;
}

void fetcher_prepare(struct fetcher *f, struct answer *a, const char *url)
{
	CURL *c = f->curl;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "hull");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, f->plain ? "http,https" : "https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, f->plain ? "http,https" : "https");
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, f->insecure ? 0L : 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, f->insecure ? 0L : 2L);
	if (f->ca)
		curl_easy_setopt(c, CURLOPT_CAINFO, f->ca);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, a);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_content);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
}

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

int fetcher_curl_failure(CURLcode code, const char *url, struct err *e)
{
	int number = code == CURLE_OPERATION_TIMEDOUT         ? ETIMEDOUT
		     : code == CURLE_PEER_FAILED_VERIFICATION ? EACCES
							      : EIO;

	return err_set(e, number, "%s: %s", url, curl_easy_strerror(code));
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

/* The token server's answer, with our credentials if there are any. */
static int fetch_token(struct fetcher *f, const struct challenge *c, struct err *e)
{
	auto_buf struct buf url = { 0 }, text = { 0 };
	__attribute__((cleanup(answer_done))) struct answer a = { .f = f,
								  .text = &text,
								  .limit = TOKEN_ANSWER_MAX };
	CURLcode code;

	buf_printf(&url, "%s%cservice=", c->realm, strchr(c->realm, '?') ? '&' : '?');
	add_escaped(f, c->service ? c->service : "", &url);
	add_scopes(f, c->scope ? c->scope : "", &url);
	fetcher_prepare(f, &a, url.text);
	f->token = NULL;
	fetcher_set_credentials(f, true);
	code = curl_easy_perform(f->curl);
	if (code != CURLE_OK)
		return fetcher_curl_failure(code, c->realm, e);
	curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &a.status);
	if (a.status != 200)
		return err_set(e, EACCES, "%s: the token server refuses (HTTP %ld)%s", c->realm,
			       a.status, f->credentials ? "" : ": no credentials were given");
	return challenge_token(text.text ? text.text : "", text.len, &f->arena, &f->token, e);
}

int fetcher_authenticate(struct fetcher *f, const struct answer *a, struct err *e)
{
	struct challenge c;

	if (!a->challenge.len)
		return err_set(e, EACCES, "%s asks for credentials without saying which",
			       f->registry);
	TRY(challenge_parse(a->challenge.text, &f->arena, &c, e));
	if (c.kind == CHALLENGE_BEARER)
		return fetch_token(f, &c, e);
	if (!f->credentials || f->basic)
		return err_set(e, EACCES, "%s: %s", f->registry,
			       f->basic ? "the credentials are refused (HTTP 401)"
					: "it asks for credentials, and none are known (HTTP 401)");
	f->basic = true;
	return 0;
}

int fetcher_status_failure(const struct fetcher *f, const struct answer *a, const char *what,
			   struct err *e)
{
	if (a->status == 401 && f->basic)
		return err_set(e, EACCES, "%s: the credentials are refused (HTTP 401)",
			       f->registry);
	switch (a->status) {
	case 401:
	case 403:
		return err_set(e, EACCES, "%s/%s: access to %s is refused (HTTP %ld)", f->registry,
			       f->repository, what, a->status);
	case 404:
		return err_set(e, ENOENT, "%s/%s: there is no %s (HTTP 404)", f->registry,
			       f->repository, what);
	case 429:
		return err_set(e, EAGAIN,
			       "%s: too many requests (HTTP 429); try later, or with "
			       "credentials",
			       f->registry);
	default:
		return err_set(e, EIO, "%s/%s: %s: HTTP %ld", f->registry, f->repository, what,
			       a->status);
	}
}

/* Nobody listens there: that is an answer, unless the registry was there a moment ago. */
static bool is_refused(const struct fetcher *f, const struct answer *a)
{
	long code = 0;

	curl_easy_getinfo(f->curl, CURLINFO_OS_ERRNO, &code);
	return code == ECONNREFUSED && !a->received;
}

static bool is_passing(const struct fetcher *f, const struct answer *a, CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return a->status == 429 || a->status >= 500;
	case CURLE_COULDNT_CONNECT:
		return !is_refused(f, a);
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2_STREAM:
		return true;
	default:
		return false;
	}
}

/* An insecure registry may speak http; asked once. */
bool fetcher_try_plain(struct fetcher *f, CURLcode code)
{
	if (!f->insecure || f->plain ||
	    (code != CURLE_SSL_CONNECT_ERROR && code != CURLE_COULDNT_CONNECT))
		return false;
	f->plain = true;
	return true;
}

static int fetch(struct fetcher *f, const char *kind, const char *name, const char *accept,
		 const char *what, struct err *e)
{
	__attribute__((cleanup(answer_done))) struct answer a = { .f = f };
	struct curl_slist *headers = accept ? curl_slist_append(NULL, accept) : NULL;
	bool authenticated = false;
	CURLcode code = CURLE_OK;
	int r = 0;

	for (unsigned tries = 0;;) {
		auto_buf struct buf url = { 0 };
		char range[32];

		buf_printf(&url, "%s://%s/v2/%s/%s/%s", f->plain ? "http" : "https", f->registry,
			   f->repository, kind, name);
		fetcher_prepare(f, &a, url.text);
		fetcher_set_credentials(f, f->basic);
		if (headers)
			curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, headers);
		if (a.received) {
			a.skip = a.received;
			snprintf(range, sizeof(range), "%llu-", (unsigned long long)a.received);
			curl_easy_setopt(f->curl, CURLOPT_RANGE, range);
		}
		a.status = 0;
		code = curl_easy_perform(f->curl);
		curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &a.status);
		if (a.failure < 0) {
			r = err_neg(e, a.failure, "hand the content on");
			break;
		}
		if (fetcher_try_plain(f, code))
			continue;
		if (code == CURLE_OK && a.status == 401 && !authenticated) {
			authenticated = true;
			r = fetcher_authenticate(f, &a, e);
			if (r < 0)
				break;
			continue;
		}
		if (!f->once && is_passing(f, &a, code) && ++tries < TRIES) {
			sleep(1U << (tries - 1));
			continue;
		}
		if (code != CURLE_OK)
			r = fetcher_curl_failure(code, url.text, e);
		else if (a.status != 200 && a.status != 206)
			r = fetcher_status_failure(f, &a, what, e);
		else
			r = begin(&a);
		break;
	}
	curl_slist_free_all(headers);
	return r;
}

/* No byte of a name may change what is asked for. */
static bool is_plain_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
		      (*c >= '0' && *c <= '9') || strchr("._:+-", *c)))
			return false;
	return *name;
}

/* The same, of names with slashes between. */
static bool is_repository(const char *name)
{
	char part[FRAME_LINE_MAX];
	size_t len;

	for (;; name += len + 1) {
		len = strcspn(name, "/");
		memcpy(part, name, len);
		part[len] = '\0';
		if (!is_plain_name(part))
			return false;
		if (!name[len])
			return true;
	}
}

/* What follows the line is its body. */
static int answer_upload(struct fetcher *f, const char *line, struct err *e)
{
	char name[256], type[256], from[FRAME_LINE_MAX];
	unsigned long long size;

	if (sscanf(line, "has %255s", name) == 1 && is_plain_name(name))
		return upload_has(f, name, e);
	if (sscanf(line, "mount %255s %4095s", name, from) == 2 && is_plain_name(name) &&
	    is_repository(from))
		return upload_mount(f, name, from, e);
	if (sscanf(line, "put-blob %255s %llu", name, &size) == 2 && is_plain_name(name))
		return upload_blob(f, name, size, e);
	if (sscanf(line, "put-manifest %255s %llu %255s", name, &size, type) == 3 &&
	    is_plain_name(name))
		return upload_manifest(f, name, type, size, e);
	return err_set(e, EINVAL, "a request is not understood");
}

static int answer(struct fetcher *f, char *line, struct err *e)
{
	static const char auth[] = "auth ", manifest[] = "manifest ", blob[] = "blob ";
	char what[FRAME_LINE_MAX];

	if (strncmp(line, auth, sizeof(auth) - 1) == 0) {
		f->credentials = arena_strdup(&f->arena, line + sizeof(auth) - 1);
		return 1;
	}
	if (strncmp(line, manifest, sizeof(manifest) - 1) == 0) {
		const char *name = line + sizeof(manifest) - 1;

		if (!is_plain_name(name))
			return err_set(e, EINVAL, "\"%s\" is no tag and no digest", name);
		snprintf(what, sizeof(what), "manifest %s", name);
		return fetch(f, "manifests", name, "Accept: " MEDIA_ACCEPT_MANIFESTS, what, e);
	}
	if (strncmp(line, blob, sizeof(blob) - 1) == 0) {
		const char *name = line + sizeof(blob) - 1;

		if (!is_plain_name(name))
			return err_set(e, EINVAL, "\"%s\" is no digest", name);
		snprintf(what, sizeof(what), "blob %s", name);
		return fetch(f, "blobs", name, NULL, what, e);
	}
	return answer_upload(f, line, e);
}

static int read_line(char *line)
{
	size_t n = 0;

	while (n + 1 < FRAME_LINE_MAX) {
		ssize_t r = read(FRAME_FD, line + n, 1);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return 0;
		if (line[n] == '\n') {
			line[n] = '\0';
			return 1;
		}
		n++;
	}
	return 0;
}

static int say_failure(const struct err *e)
{
	unsigned char bytes[4 + sizeof(e->msg)] = { (unsigned char)e->code,
						    (unsigned char)(e->code >> 8) };
	size_t len = strlen(e->msg);

	memcpy(bytes + 4, e->msg, len);
	return frame_send(FRAME_FD, FRAME_FAILURE, bytes, 4 + len);
}

static int serve(struct fetcher *f)
{
	char line[FRAME_LINE_MAX];

	while (read_line(line)) {
		struct err e = { 0 };
		int r = answer(f, line, &e);

		if (r > 0)
			continue;
		/* What is left of a body would pass for a request. */
		if (r < 0 && strncmp(line, "put-", 4) == 0) {
			say_failure(&e);
			return 1;
		}
		if ((r < 0 ? say_failure(&e) : frame_send(FRAME_FD, FRAME_END, NULL, 0)) < 0)
			return 1;
	}
	return 0;
}

static int usage(const char *why)
{
	fprintf(stderr,
		"hull-fetch: %s\nusage: hull-fetch --registry HOST --repository PATH "
		"[--insecure] [--once] [--ca FILE], started by hull\n",
		why);
	return 2;
}

int main(int argc, char **argv)
{
	struct fetcher f = { 0 };
	struct err e = { 0 };
	int status;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--insecure") == 0)
			f.insecure = true;
		else if (strcmp(argv[i], "--once") == 0)
			f.once = true;
		else if (i + 1 < argc && strcmp(argv[i], "--registry") == 0)
			f.registry = argv[++i];
		else if (i + 1 < argc && strcmp(argv[i], "--repository") == 0)
			f.repository = argv[++i];
		else if (i + 1 < argc && strcmp(argv[i], "--ca") == 0)
			f.ca = argv[++i];
		else
			return usage("unknown argument");
	}
	if (!f.registry || !f.repository)
		return usage("--registry and --repository are needed");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(f.curl = curl_easy_init()))
		return usage("libcurl does not start");
	if (fetch_sandbox_enter(f.ca, &e) < 0) {
		say_failure(&e);
		return 1;
	}
	status = serve(&f);
	curl_easy_cleanup(f.curl);
	arena_done(&f.arena);
	return status;
}
