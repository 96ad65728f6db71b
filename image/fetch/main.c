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
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/json.h"
#include "image/fetch/fetcher.h"
#include "image/fetch/frames.h"
#include "image/fetch/sandbox.h"
#include "image/media_type.h"

enum {
	CONNECT_S = 20,
	STALL_S = 60, /* less than a byte a second for so long: it has failed */
	REDIRECTS = 5,
	TRIES = 4,
	CA_MAX = 4 * 1024 * 1024,
	WAIT_MAX_S = 60, /* who wants us to wait longer is told of instead */
};

void answer_done(struct answer *a)
{
	headers_done(&a->headers);
}

static size_t on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct answer *a = ctx;

	headers_add(&a->headers, line, size * n);
	return size * n;
}

static int begin(struct answer *a)
{
	if (a->begun)
		return 0;
	a->begun = true;
	return frame_send(FRAME_FD, FRAME_HEADER, a->headers.type.text ? a->headers.type.text : "", a->headers.type.len);
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
	if (f->ca.len) {
		struct curl_blob ca = { f->ca.text, f->ca.len, CURL_BLOB_NOCOPY };

		curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &ca);
	}
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, a);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_content);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, a);
}

int fetcher_curl_failure(CURLcode code, const char *url, struct err *e)
{
	int number = code == CURLE_OPERATION_TIMEDOUT         ? ETIMEDOUT
		     : code == CURLE_PEER_FAILED_VERIFICATION ? EACCES
							      : EIO;

	return err_set(e, number, "%s: %s", url, curl_easy_strerror(code));
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

bool fetcher_may_pass(const struct fetcher *f, const struct answer *a, CURLcode code)
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

bool fetcher_again(const struct fetcher *f, const struct answer *a, CURLcode code, unsigned *tries)
{
	unsigned long wait = 1UL << *tries, wanted = headers_wait(&a->headers);

	if (f->once || !fetcher_may_pass(f, a, code) || wanted > WAIT_MAX_S || *tries + 1 >= TRIES)
		return false;
	++*tries;
	sleep((unsigned)(wanted > wait ? wanted : wait));
	return true;
}

static bool same_part(CURLU *x, CURLU *y, CURLUPart part)
{
	char *a = NULL, *b = NULL;
	bool same = curl_url_get(x, part, &a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
		    curl_url_get(y, part, &b, CURLU_DEFAULT_PORT) == CURLUE_OK && strcmp(a, b) == 0;

	curl_free(a);
	curl_free(b);
	return same;
}

bool fetcher_is_foreign(CURLU *here, CURLU *there)
{
	return !same_part(here, there, CURLUPART_SCHEME) ||
	       !same_part(here, there, CURLUPART_HOST) || !same_part(here, there, CURLUPART_PORT);
}

bool fetcher_is_elsewhere(const struct fetcher *f)
{
	auto_buf struct buf ours = { 0 };
	CURLU *here = curl_url(), *there = curl_url();
	const char *url = NULL;
	bool elsewhere;

	buf_printf(&ours, "%s://%s/", f->plain ? "http" : "https", f->registry);
	curl_easy_getinfo(f->curl, CURLINFO_EFFECTIVE_URL, &url);
	elsewhere = !url || !here || !there ||
		    curl_url_set(here, CURLUPART_URL, ours.text, 0) != CURLUE_OK ||
		    curl_url_set(there, CURLUPART_URL, url, 0) != CURLUE_OK ||
		    fetcher_is_foreign(here, there);
	curl_url_cleanup(here);
	curl_url_cleanup(there);
	return elsewhere;
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
		if (fetcher_again(f, &a, code, &tries))
			continue;
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
	static const char auth[] = "auth ", identity[] = "identity ", manifest[] = "manifest ",
			  blob[] = "blob ";
	char what[FRAME_LINE_MAX];

	if (strncmp(line, auth, sizeof(auth) - 1) == 0) {
		f->credentials = arena_strdup(&f->arena, line + sizeof(auth) - 1);
		return 1;
	}
	if (strncmp(line, identity, sizeof(identity) - 1) == 0) {
		f->identity_token = arena_strdup(&f->arena, line + sizeof(identity) - 1);
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

/* Before the sandbox, in which it may be out of reach. */
static int read_ca(const char *path, struct buf *ret, struct err *e)
{
	TRY(io_read_file(AT_FDCWD, path, CA_MAX, path, ret, e));
	return ret->len ? 0 : err_set(e, EINVAL, "%s: it is empty", path);
}

static int self_test(void)
{
	auto_buf struct buf answer = { 0 };
	struct err e = { 0 };
	bool held = true;

	if (fetch_sandbox_enter(&e) < 0) {
		fprintf(stderr, "hull-fetch: %s\n", e.msg);
		return 1;
	}
	held = fetch_sandbox_test(&answer);
	puts(answer.text);
	return !held;
}

static int usage(const char *why)
{
	fprintf(stderr,
		"hull-fetch: %s\nusage: hull-fetch --registry HOST --repository PATH "
		"[--insecure] [--once] [--ca FILE], started by hull\n"
		"       hull-fetch --self-test\n",
		why);
	return 2;
}

int main(int argc, char **argv)
{
	struct fetcher f = { 0 };
	const char *ca = NULL;
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
			ca = argv[++i];
		else if (strcmp(argv[i], "--self-test") == 0)
			return self_test();
		else
			return usage("unknown argument");
	}
	if (!f.registry || !f.repository)
		return usage("--registry and --repository are needed");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(f.curl = curl_easy_init()))
		return usage("libcurl does not start");
	if ((ca && read_ca(ca, &f.ca, &e) < 0) || fetch_sandbox_enter(&e) < 0) {
		say_failure(&e);
		return 1;
	}
	status = serve(&f);
	curl_easy_cleanup(f.curl);
	arena_done(&f.arena);
	buf_done(&f.ca);
	return status;
}
