/*
 * metadata.h - owner, mode, attributes and time of what was just made, in the order in which the
 * kernel lets them stand: chown(2) takes away setuid and capabilities, so it comes first.
 */
#ifndef HULL_IMAGE_UNPACK_METADATA_H
#define HULL_IMAGE_UNPACK_METADATA_H

#include "image/unpack/extract.h"

/* The entry's owner as we have to give it. */
int metadata_owner(const struct extract *x, const struct entry *n, uid_t *ret_uid, gid_t *ret_gid,
		   struct err *e) MUST_CHECK;

/* Of an open file or directory. Directories get their time later. */
int metadata_set(struct extract *x, const struct entry *n, int fd, struct err *e) MUST_CHECK;

/* Of what cannot be opened, by its name in `parent`. */
int metadata_set_at(struct extract *x, const struct entry *n, int parent, const char *name,
		    struct err *e) MUST_CHECK;

/* Takes away what a directory has from a layer or an entry before, but for overlayfs's own. */
int metadata_clear_xattrs(int fd, struct err *e) MUST_CHECK;

#endif
