/*
 * layout.h - OCI image layout directories: what `skopeo copy ... oci:DIR:REF` makes and takes.
 *
 * The directory is somebody else's: nothing in it is followed out of it, and
 * all that comes from it is verified.
 */
#ifndef HULL_IMAGE_LAYOUT_H
#define HULL_IMAGE_LAYOUT_H

#include "base/arena.h"
#include "base/err.h"
#include "image/platform.h"
#include "image/store.h"

struct layout_import {
	const char *path; /* of the directory, for messages too */
	const char *ref; /* org.opencontainers.image.ref.name in it; NULL: there is but one image */
	const char *name;                /* to give it here, a reference in full; NULL: none */
	const struct platform *platform; /* to choose from an index; NULL: this machine's */
};
/*
 * Copies one image into the store and names it. Takes and lets go of
 * image_store_use() itself. *ret (strings in *a) is its record.
 */
int layout_import(const struct image_store *s, const struct layout_import *what, struct arena *a,
		  struct image_record *ret, struct err *e) MUST_CHECK;

/*
 * Writes the image to the directory `path`, made if it is missing, under the
 * name `ref` (NULL: none); what is in it already stays, an entry of the same
 * name is replaced.
 */
int layout_export(const struct image_store *s, const struct digest *manifest, const char *path,
		  const char *ref, struct err *e) MUST_CHECK;

#endif
