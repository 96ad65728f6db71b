/* store_private.h - what the files of the store share; nobody else's. */
#ifndef HULL_IMAGE_STORE_PRIVATE_H
#define HULL_IMAGE_STORE_PRIVATE_H

#include <dirent.h>
#include <limits.h>

#include "image/store.h"

#define STORE_LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"

/* A name that nobody else has. */
void store_unique_name(char *ret, size_t size);

/* A file in staging/. It gets its place with link (-EEXIST: taken) or replace; then its fd stays open. */
int staged_open(const struct image_store *s, struct image_staged *ret, struct err *e) MUST_CHECK;
int staged_link(const struct image_store *s, const struct image_staged *f, int dir,
		const char *name) MUST_CHECK;
int staged_replace(const struct image_store *s, struct image_staged *f, int dir, const char *name)
	MUST_CHECK;
/* Closes it and takes a name in staging/ away. */
void staged_drop(const struct image_store *s, struct image_staged *f);

/* Replaces (or with `keep` makes, if it is missing) a small file of the root, synced. */
int store_write(const struct image_store *s, const char *name, const char *bytes, size_t len,
		bool keep, struct err *e) MUST_CHECK;

/* "sha256/HEX" */
struct store_place {
	char text[8 + 128];
};
struct store_place store_place(const struct digest *d);

/* Takes the lock file `name`, exclusively, for up to `wait_ms` (-EBUSY), or as all locks (-ETIMEDOUT, base/lock.h). */
#define STORE_WAIT_USUAL UINT_MAX
int store_lock_file(const struct image_store *s, const char *name, bool exclusive, unsigned wait_ms,
		    struct err *e) MUST_CHECK;

/* Calls fn for each name in dir/name but "." and ".."; a missing directory is empty. */
int store_each(int dir, const char *name, int (*fn)(const char *name, void *ctx, struct err *e),
	       void *ctx, struct err *e) MUST_CHECK;

/* Whether a layer is there and to be trusted: 1, 0, or a negative errno. */
int store_layer_state(const struct image_store *s, const char *place) MUST_CHECK;
/* Out of its place into staging/, then removed. */
int store_remove_layer(const struct image_store *s, const char *place) MUST_CHECK;

/* index.json; -ENOENT and -EINVAL as they come. */
int store_read_index(const struct image_store *s, struct image_index *ret, struct err *e)
	MUST_CHECK;
int store_write_index(const struct image_store *s, const struct image_index *index, struct err *e)
	MUST_CHECK;
/* The record that an entry of index.json is; false: it is no manifest. */
bool store_record(const struct image_descriptor *entry, struct image_record *ret);
/* All blobs of an image that was loaded: -ENOENT names the one that is missing. */
int store_check_blobs(const struct image_store *s, const struct image *image, struct err *e)
	MUST_CHECK;

#endif
