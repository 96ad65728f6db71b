/*
 * unpack.h - makes a directory out of an image layer, in the helper program hull-unpack.
 *
 *	struct unpack_options o = { .whiteouts = UNPACK_OVERLAY, .diff_id = "sha256:..." };
 *
 *	TRY(image_unpack(blob_fd, dir_fd, &o, &result, e));
 *
 * The helper shuts itself in before it reads a byte (image/unpack/sandbox.h), so that what is
 * wrong in a layer can harm nothing but the directory. On failure the directory holds what was
 * made so far: remove it. It must be empty (but for UNPACK_APPLY and UNPACK_PLAIN) and nobody
 * else's to write in (but for UNPACK_PLAIN: then they may harm what they could write to anyway).
 */
#ifndef HULL_IMAGE_UNPACK_H
#define HULL_IMAGE_UNPACK_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* What becomes of ".wh.NAME" and ".wh..wh..opq". */
enum unpack_whiteouts {
	UNPACK_OVERLAY, /* device 0:0, trusted.overlay.opaque: a lower of an overlayfs of root */
	UNPACK_USERXATTR, /* device 0:0, user.overlay.opaque: for `-o userxattr`, in user namespaces */
	UNPACK_PLAIN, /* files: it is no layer, and the directory is in use (unpack/extract.h) */
	UNPACK_APPLY, /* carried out on what is in the directory from the layers before */
};

struct unpack_options {
	enum unpack_whiteouts whiteouts;
	/*
	 * Who owns what: "u:FROM:TO:COUNT,g:FROM:TO:COUNT,..." as in a user namespace's maps (an
	 * owner without a row is refused), "squash" (everything is the caller's), NULL (as the
	 * layer says).
	 */
	const char *ids;
	const char *diff_id;  /* "sha256:HEX" that the uncompressed layer must have; NULL: any */
	uint64_t max_entries; /* 0: the helper's own limits */
	uint64_t max_bytes;   /* of the uncompressed layer, and of the files in it together */
};

struct unpack_result {
	char diff_id[sizeof("sha256:") + 64];
	uint64_t size;    /* bytes of the uncompressed layer */
	uint64_t entries; /* in it */
	uint64_t skipped; /* of them: sockets, FIFOs, AUFS's files; without privilege devices too */
};

/*
 * Reads the layer (tar, plain or compressed with gzip or zstd) from `blob_fd` to its end and
 * makes its entries beneath the directory `dir_fd`, which is opened for reading. -EBADMSG: the
 * helper has refused, in the sentence that is the message: it names the entry and why (a full disk
 * as well). Anything else: it did not run or did not answer.
 *
 * Memory: below 16 MB, for gzip and for zstd's windows up to 8 MiB (levels up to 19); a larger window, up
 * to 128 MiB, takes its size. UNPACK_APPLY takes about 20 bytes more for each entry.
 */
int image_unpack(int blob_fd, int dir_fd, const struct unpack_options *o, struct unpack_result *ret,
		 struct err *e) MUST_CHECK;

/* What the helper says when it is done; it may have been taken over. Pure. */
int image_unpack_answer(const struct buf *said, struct unpack_result *ret, struct err *e) MUST_CHECK;

#endif
