/* pull.h - how an image comes to be in the store. */
#ifndef HULL_ENGINE_PULL_H
#define HULL_ENGINE_PULL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "image/reference.h"
#include "image/registry.h"

/* Of a blob: `done` of `size` bytes have come; all of them: it is there. */
typedef void pull_tell_fn(const char *digest, uint64_t done, uint64_t size, void *ctx);

struct pull_options {
	const char *platform;    /* "OS/ARCH", NULL: this machine's */
	bool insecure;           /* --tls-verify=false */
	bool secure;             /* --tls-verify=true: whatever registries.conf says */
	bool once;               /* as of a mirror: no second try */
	const char *ca;          /* file with certificates to trust besides, NULL */
	const char *authfile;    /* NULL: the usual places */
	const char *credentials; /* "user:password", NULL: those of the files */
	pull_tell_fn *tell; /* NULL: nothing is told */
	void *tell_ctx;
};

/*
 * The manifest of the image that `text` names; with the policy "always" (or
 * "missing", and it is not there) it is fetched first, with "never" it is not.
 * *ret_use is image_store_use(), held: close it when something has pinned it.
 */
int pull_if_needed(const struct engine *g, const char *text, const char *policy,
		   const struct pull_options *o, struct digest *ret, int *ret_use, struct err *e)
	MUST_CHECK;

/* Fetches an image: from a registry, or from where "oci:DIR" and the like say. */
int pull_image(const struct engine *g, const char *text, const struct pull_options *o,
	       struct err *e) MUST_CHECK;

/* From one registry alone; `from` has a tag or a digest, and in the store it is called `name`. */
int pull_registry(const struct engine *g, const struct reference *from,
		  const struct reference *name, const struct pull_options *asked, struct err *e)
	MUST_CHECK;

/* Sets those that were given, those of the file that was given, or of the usual ones. In *a. */
int pull_credentials(const struct reference *from, const struct pull_options *asked,
		     struct arena *a, struct registry_options *ret, struct err *e) MUST_CHECK;

/* Whether registries.conf blocks a registry (-EACCES), and whether it says that it is insecure. */
int pull_is_insecure(const struct reference *name, bool *ret, struct err *e) MUST_CHECK;

/*
 * From wherever registries.conf says: what a short name may mean is tried in
 * order, each from its mirrors first. *ret, in *a, is what it is called in the store.
 */
int pull_by_name(const struct engine *g, const struct reference *name, const struct pull_options *o,
		 struct arena *a, const char **ret, struct err *e) MUST_CHECK;

/* The image in the store that registries.conf makes of a short name. -ENOENT, without a word: none. */
int pull_find_short(const struct engine *g, const char *text, struct arena *a,
		    struct image_record *ret, struct err *e) MUST_CHECK;

/* Where the image that comes with hull lies, an OCI layout; NULL: nowhere. */
const char *pull_default_layout(struct arena *a);

#endif
