/*
 * upload.c - the requests of hull-fetch that give a registry something:
 * distribution's "push", a blob in one piece.
 *
 * A body comes from hull over the socket, and only once; so whatever may have to be asked
 * twice (http or https, who we are) is settled by a request without one before, and a blob
 * whose upload broke off is sent again by hull, with another hull-fetch.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "image/documents.h"
#include "image/fetch/fetcher.h"
#include "image/fetch/frames.h"

struct request {
	const char *method, *url;
	bool foreign; /* another host, to whom our credentials mean nothing */
	bool has_body;
	const char *bytes; /* of the body; NULL: they come from FRAME_FD */
	uint64_t left;     /* of it */
	const char *type;
};

static size_t on_body(char *to, size_t size, size_t n, void *ctx)
{
	struct request *q = ctx;
	size_t want = size * n < q->left ? size * n : (size_t)q->left;
	ssize_t got;

	if (!want)
		return 0;
	if (q->bytes) {
		memcpy(to, q->bytes, want);
		q->bytes += want;
		got = (ssize_t)want;
	} else {
		while ((got = read(FRAME_FD, to, want)) < 0 && errno == EINTR)
			;
	}
	if (got <= 0)
		return CURL_READFUNC_ABORT;
	q->left -= (uint64_t)got;
	return (size_t)got;
}

static CURLcode perform(struct fetcher *f, struct request *q, struct answer *a)
{
	auto_buf struct buf type = { 0 };
	struct curl_slist *headers = NULL;
	CURLcode code;

	fetcher_prepare(f, a, q->url);
	if (!q->foreign)
		fetcher_set_credentials(f, f->basic);
	if (strcmp(q->method, "HEAD") == 0) {
		curl_easy_setopt(f->curl, CURLOPT_NOBODY, 1L);
	} else if (q->has_body) {
		curl_easy_setopt(f->curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(f->curl, CURLOPT_READFUNCTION, on_body);
		curl_easy_setopt(f->curl, CURLOPT_READDATA, q);
		curl_easy_setopt(f->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)q->left);
		buf_printf(&type, "Content-Type: %s", q->type);
		headers = curl_slist_append(headers, type.text);
		headers = curl_slist_append(headers, "Expect:");
		curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, headers);
	} else {
		curl_easy_setopt(f->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE, 0L);
		curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, "");
	}
	a->status = 0;
	code = curl_easy_perform(f->curl);
	curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &a->status);
	curl_slist_free_all(headers);
	return code;
}

/* "https://HOST/v2/REPOSITORY/" and what follows. */
static void make_url(const struct fetcher *f, const char *kind, const char *name, struct buf *ret)
{
	buf_clear(ret);
	buf_printf(ret, "%s://%s/v2/%s/%s/%s", f->plain ? "http" : "https", f->registry,
		   f->repository, kind, name);
}

/* A request without a body from the socket, as often as it takes to be let in. */
static int ask(struct fetcher *f, const struct request *what, const char *kind, const char *name,
	       struct answer *a, struct err *e)
{
	auto_buf struct buf url = { 0 };
	bool authenticated = false;
	unsigned tries = 0;

	for (;;) {
		struct request q = *what;
		CURLcode code;

		make_url(f, kind, name, &url);
		q.url = url.text;
		code = perform(f, &q, a);
		if (fetcher_try_plain(f, code))
			continue;
		if (fetcher_again(f, a, code, &tries))
			continue;
		if (code != CURLE_OK)
			return fetcher_curl_failure(code, url.text, e);
		if (a->status != 401 || authenticated)
			return 0;
		authenticated = true;
		TRY(fetcher_authenticate(f, a, e));
	}
}

int upload_has(struct fetcher *f, const char *digest, struct err *e)
{
	static const struct request head = { .method = "HEAD" };
	auto_buf struct buf none = { 0 };
	auto_answer struct answer a = { .f = f, .text = &none };

	TRY(ask(f, &head, "blobs", digest, &a, e));
	return a.status == 200 ? 0 : fetcher_status_failure(f, &a, "such blob", e);
}

/* Where the registry wants the content: its Location, with the digest. */
static int place_of(struct fetcher *f, const struct answer *a, const char *digest,
		    struct request *ret, struct err *e)
{
	auto_buf struct buf base = { 0 }, query = { 0 };
	CURLU *here = curl_url(), *there = curl_url();
	char *url = NULL;
	bool fine;

	make_url(f, "blobs", "uploads/", &base);
	buf_printf(&query, "digest=%s", digest);
	fine = here && there && a->headers.location.len &&
	       curl_url_set(here, CURLUPART_URL, base.text, 0) == CURLUE_OK &&
	       curl_url_set(there, CURLUPART_URL, base.text, 0) == CURLUE_OK &&
	       curl_url_set(there, CURLUPART_URL, a->headers.location.text, 0) == CURLUE_OK &&
	       curl_url_set(there, CURLUPART_QUERY, query.text, CURLU_APPENDQUERY) == CURLUE_OK &&
	       curl_url_get(there, CURLUPART_URL, &url, 0) == CURLUE_OK;
	if (fine) {
		ret->url = arena_strdup(&f->arena, url);
		ret->foreign = fetcher_is_foreign(here, there);
	}
	curl_free(url);
	curl_url_cleanup(here);
	curl_url_cleanup(there);
	return fine ? 0
		    : err_set(e, EPROTO, "%s does not say where it wants the blob %s", f->registry,
			      digest);
}

/*
 * distribution, "mounting a blob from another repository": 201, it is done; 202, an upload has begun as if
 * nothing else had been asked. Whatever else is said of it, the blob can still be uploaded.
 */
int upload_mount(struct fetcher *f, const char *digest, const char *from, struct err *e)
{
	static const struct request post = { .method = "POST" };
	auto_buf struct buf said = { 0 }, name = { 0 };
	auto_answer struct answer a = { .f = f, .text = &said };
	struct request put = { .method = "PUT" };
	int r;

	buf_printf(&name, "uploads/?mount=%s&from=%s", digest, from);
	r = ask(f, &post, "blobs", name.text, &a, e);
	if (r == -EACCES)
		return err_set(e, ENOENT, "%s: no access to %s", f->registry, from);
	TRY(r);
	if (a.status == 201)
		return 0;
	if (a.status == 202 && place_of(f, &a, digest, &put, e) == 0) {
		f->session.digest = arena_strdup(&f->arena, digest);
		f->session.url = put.url;
		f->session.foreign = put.foreign;
	}
	return err_set(e, ENOENT, "%s: %s is not to be had from %s (HTTP %ld)", f->registry, digest,
		       from, a.status);
}

/* Where the content goes: to an upload that has begun, or a new one. */
static int begin_upload(struct fetcher *f, const char *digest, struct request *ret, struct err *e)
{
	static const struct request post = { .method = "POST" };
	auto_buf struct buf said = { 0 };
	auto_answer struct answer begun = { .f = f, .text = &said };
	bool has_session = f->session.digest && strcmp(f->session.digest, digest) == 0;

	f->session.digest = NULL;
	if (has_session) {
		ret->url = f->session.url;
		ret->foreign = f->session.foreign;
		return 0;
	}
	TRY(ask(f, &post, "blobs", "uploads/", &begun, e));
	if (begun.status != 202)
		return fetcher_status_failure(f, &begun, "upload", e);
	return place_of(f, &begun, digest, ret, e);
}

int upload_blob(struct fetcher *f, const char *digest, uint64_t size, struct err *e)
{
	auto_buf struct buf said = { 0 };
	auto_answer struct answer done = { .f = f, .text = &said };
	struct request put = {
		.method = "PUT", .has_body = true, .left = size, .type = "application/octet-stream"
	};
	CURLcode code;
	int r;

	TRY(begin_upload(f, digest, &put, e));
	code = perform(f, &put, &done);
	if (code == CURLE_OK && done.status == 201)
		return 0;
	r = code != CURLE_OK ? fetcher_curl_failure(code, put.url, e)
			     : fetcher_status_failure(f, &done, "upload", e);
	/* The content came once; who has it may send it again. */
	if (fetcher_may_pass(f, &done, code) && headers_wait(&done.headers) == 0)
		r = -(e->code = ECONNABORTED);
	return r;
}

int upload_manifest(struct fetcher *f, const char *reference, const char *type, uint64_t size,
		    struct err *e)
{
	auto_buf struct buf text = { 0 }, said = { 0 };
	auto_answer struct answer a = { .f = f, .text = &said };
	struct request put = { .method = "PUT", .has_body = true, .left = size, .type = type };

	if (size > IMAGE_DOCUMENT_MAX)
		return err_set(e, EFBIG, "the manifest is longer than %d bytes",
			       IMAGE_DOCUMENT_MAX);
	while (text.len < size) {
		char part[4096];
		size_t want =
			size - text.len < sizeof(part) ? (size_t)size - text.len : sizeof(part);
		ssize_t n = read(FRAME_FD, part, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(e, EPROTO, "the manifest is not whole");
		buf_add(&text, part, (size_t)n);
	}
	put.bytes = text.text;
	TRY(ask(f, &put, "manifests", reference, &a, e));
	return a.status == 201 ? 0 : fetcher_status_failure(f, &a, "upload of the manifest", e);
}
