/*
 * registry.h - content from a registry, by way of the helper program hull-fetch.
 *
 *	auto_registry struct registry r = REGISTRY_CLOSED;
 *
 *	TRY(registry_open(&reference, &options, &r, e));
 *	TRY(registry_document(&r, "latest", &text, e));
 *	TRY(registry_blob_begin(&r, &digest, e));
 *	while ((n = registry_blob_more(&r, &blob, e)) > 0)
 *		;
 *
 * What comes is a stranger's: a document is as long as IMAGE_DOCUMENT_MAX, and
 * a blob goes through image_blob_write(), which knows how long it may be.
 */
#ifndef HULL_IMAGE_REGISTRY_H
#define HULL_IMAGE_REGISTRY_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "image/reference.h"
#include "image/store.h"

struct registry {
	int sock;
	pid_t pid;
};
/* clang-format off */
#define REGISTRY_CLOSED { .sock = -1 }
/* clang-format on */

struct registry_options {
	bool insecure;  /* --tls-verify=false: certificates are not looked at, http is tried */
	bool once;      /* a failure that may pass is a failure: somebody else is asked then */
	const char *ca; /* file with certificates to trust, NULL: the system's */
	const char *credentials; /* "user:password", NULL: none */
	const char *identity_token; /* what its token server gave for them, in their place; NULL: none */
};

/* Starts the helper for one repository; nothing is asked yet. */
int registry_open(const struct reference *where, const struct registry_options *o,
		  struct registry *ret, struct err *e) MUST_CHECK;
void registry_close(struct registry *r);
#define auto_registry __attribute__((cleanup(registry_close)))

/* A manifest or index by its tag or digest. -ENOENT, -EACCES. */
int registry_document(struct registry *r, const char *tag_or_digest, struct buf *ret, struct err *e)
	MUST_CHECK;

/* Asks for a blob; then each call takes a part: 1, there is more; 0, that was all. */
int registry_blob_begin(struct registry *r, const struct digest *digest, struct err *e) MUST_CHECK;
int registry_blob_more(struct registry *r, struct image_blob *to, struct err *e) MUST_CHECK;

/* Whether it has a blob. */
int registry_has(struct registry *r, const struct digest *digest, bool *ret, struct err *e)
	MUST_CHECK;
/* Whether it could take a blob from `from`, another of its repositories that may have it. */
int registry_mount(struct registry *r, const struct digest *digest, const char *from, bool *ret,
		   struct err *e) MUST_CHECK;
/* Gives it a blob of so many bytes from a descriptor; a manifest by tag or digest. After a failure: close. */
struct registry_sending {
	int fd;
	uint64_t size;
	void (*tell)(uint64_t done, void *ctx); /* NULL: nothing is told */
	void *ctx;
};
int registry_put_blob(struct registry *r, const struct digest *digest,
		      const struct registry_sending *given, struct err *e) MUST_CHECK;
int registry_put_manifest(struct registry *r, const char *tag_or_digest, const char *media_type,
			  const struct buf *text, struct err *e) MUST_CHECK;

#endif
