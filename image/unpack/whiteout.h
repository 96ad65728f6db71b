/*
 * whiteout.h - entries that take something away: ".wh.NAME" hides NAME of the layers below,
 * ".wh..wh..opq" hides all that they have in its directory (image-spec, layer.md).
 *
 * For an overlayfs they become what the kernel understands: a character device 0:0 (any user may
 * make one since Linux 5.8) and an attribute of the directory; `trusted.` for root, `user.` where
 * it is mounted with `userxattr`. To apply them is to remove what the layers before have left in
 * the directory. What this layer brings itself is never hidden by it, in whatever order it comes.
 */
#ifndef HULL_IMAGE_UNPACK_WHITEOUT_H
#define HULL_IMAGE_UNPACK_WHITEOUT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "image/unpack/entry.h"
#include "image/unpack/seen.h"

enum whiteout_kind {
	WHITEOUT_NONE,
	WHITEOUT_HIDES,  /* one name */
	WHITEOUT_OPAQUE, /* a whole directory */
	WHITEOUT_META,   /* a file of AUFS's own (.wh..wh.plnk); of no meaning */
};

/* What a path is. Fails for a whiteout that hides no name, and for what lies below a whiteout. Pure. */
int whiteout_classify(const struct entry_path *path, enum whiteout_kind *ret, struct err *e)
	MUST_CHECK;

/* How they are written down. */
struct whiteout_mode {
	const char *name;
	const char *opaque; /* the directory's attribute; NULL: they are applied */
	bool plain; /* there are none: such names are names, and what is there stays (extract.h) */
};
/* NULL: there is none of this name. */
const struct whiteout_mode *whiteout_mode(const char *name);

/* `st` is a whiteout that stands in an overlayfs's layer. */
bool whiteout_is(const struct whiteout_mode *mode, const struct stat *st);

/* Hides `name`, the path `path` in whole, in the directory `parent`. */
int whiteout_hide(const struct whiteout_mode *mode, const struct seen *seen, int parent,
		  const char *name, const char *path, struct err *e) MUST_CHECK;
/* Hides what the layers below have in `directory`, whose path is `path`. */
int whiteout_opaque(const struct whiteout_mode *mode, const struct seen *seen, int directory,
		    const char *path, struct err *e) MUST_CHECK;

#endif
