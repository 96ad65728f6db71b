/*
 * fetcher.h - what the requests of hull-fetch share: one registry, its
 * credentials, and an answer as it comes in (main.c).
 */
#ifndef HULL_IMAGE_FETCH_FETCHER_H
#define HULL_IMAGE_FETCH_FETCHER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "image/fetch/headers.h"

struct fetcher {
	const char *registry, *repository;
	struct buf ca;        /* certificates to trust besides, PEM; empty: none */
	bool insecure, plain; /* plain: https did not answer, http did */
	bool once;            /* there is somebody else to ask: no second try */
	CURL *curl;
	struct arena arena;
	const char *credentials; /* "user:password", NULL without */
	const char *identity_token; /* for its token server, in their place; NULL without */
	const char *token;       /* of the registry's token server, NULL: none yet */
	bool basic;              /* it wants the credentials themselves */
	struct {
		const char *digest, *url; /* NULL: none */
		bool foreign;
	} session; /* an upload that has begun, where a mount was asked for */
};

/* One request's answer. */
struct answer {
	struct fetcher *f;
	struct buf *text; /* where content goes; NULL: to hull, as frames */
	size_t limit;
	struct headers headers;
	uint64_t received, skip; /* bytes given on; bytes of a repeated answer to pass over */
	long status;
	bool begun; /* the header was sent */
	int failure;
};
void answer_done(struct answer *a);
#define auto_answer __attribute__((cleanup(answer_done)))

/* Resets libcurl's handle to what holds for every request of ours. */
void fetcher_prepare(struct fetcher *f, struct answer *a, const char *url);
/* Whether another try may come to something else. */
bool fetcher_may_pass(const struct fetcher *f, const struct answer *a, CURLcode code);
/* After such a failure: waits, and says that it is worth the same request again. */
bool fetcher_again(const struct fetcher *f, const struct answer *a, CURLcode code, unsigned *tries);
/* Whether two are of different hosts; whether the last answer is of another one than the registry. */
bool fetcher_is_foreign(CURLU *here, CURLU *there);
bool fetcher_is_elsewhere(const struct fetcher *f);
/* authenticate.c. */
void fetcher_set_credentials(const struct fetcher *f, bool basic);
/* After a 401: the next request has what was asked for. */
int fetcher_authenticate(struct fetcher *f, const struct answer *a, struct err *e) MUST_CHECK;
/* Whether it is worth the same request again, over http. */
bool fetcher_try_plain(struct fetcher *f, CURLcode code);
int fetcher_curl_failure(CURLcode code, const char *url, struct err *e) MUST_CHECK;
int fetcher_status_failure(const struct fetcher *f, const struct answer *a, const char *what,
			   struct err *e) MUST_CHECK;

/*
 * upload.c: a blob that is there (-ENOENT: it is not); one that another repository of the registry has
 * (-ENOENT: it is not to be had from there); one from FRAME_FD; a manifest from there.
 */
int upload_has(struct fetcher *f, const char *digest, struct err *e) MUST_CHECK;
int upload_mount(struct fetcher *f, const char *digest, const char *from, struct err *e) MUST_CHECK;
int upload_blob(struct fetcher *f, const char *digest, uint64_t size, struct err *e) MUST_CHECK;
int upload_manifest(struct fetcher *f, const char *reference, const char *type, uint64_t size,
		    struct err *e) MUST_CHECK;

#endif
