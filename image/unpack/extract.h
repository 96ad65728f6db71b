/*
 * extract.h - makes entries beneath a directory, one after the other, as they come.
 *
 *	TRY(extract_begin(&x, dir_fd, &settings, e));
 *	for each entry: TRY(extract_entry(&x, &entry, &data, e));
 *	TRY(extract_finish(&x, e));
 *	extract_done(&x);
 *
 * Nothing is followed: parents are real directories (tree.h), what stands in the way of an entry
 * is removed and never written through, a hard link leads to what the layer itself has made.
 *
 * Hard links lead to regular files and symbolic links (the link itself; Nix makes such), never to
 * directories or devices. A parent that the layer does not name is made as root's with 0755, also
 * where a layer below has it otherwise; containers/storage does the same.
 *
 * With `plain` whiteouts (as `cp` copies) the directory is one that somebody uses: directories that
 * are there stay as they are, a file takes the place of what is no directory, and no device is made.
 * What is to have another owner than the archive says is nobody's set-user-ID program.
 *
 * Sockets and FIFOs are skipped and counted; so are devices without the privilege to make them
 * (as Podman does in a user namespace).
 */
#ifndef HULL_IMAGE_UNPACK_EXTRACT_H
#define HULL_IMAGE_UNPACK_EXTRACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "image/unpack/entry.h"
#include "image/unpack/ids.h"
#include "image/unpack/late.h"
#include "image/unpack/seen.h"
#include "image/unpack/whiteout.h"

struct extract_settings {
	const struct whiteout_mode *whiteouts;
	struct ids ids;
	bool devices;      /* mknod(2) is ours to call */
	bool capabilities; /* security.capability is ours to set */
	bool any_mode;     /* no directory's mode can shut us out */
	uint64_t max_entries, max_bytes;
};

struct extract {
	const struct extract_settings *settings;
	int root; /* borrowed */
	/* The directory of the entry before; most have the same. -1: none is open. */
	int parent;
	struct entry_path parent_path;
	struct late late;
	struct seen seen; /* where whiteouts are applied */
	bool default_acl; /* some directory hands an ACL on to what is made in it */
	uint64_t entries, bytes, skipped, dropped_xattrs;
};

/* A file's content: the next piece and its place, which lie in order. 0 at the end. */
struct extract_data {
	int (*next)(void *ctx, const void **bytes, size_t *len, int64_t *offset, struct err *e);
	void *ctx;
};

int extract_begin(struct extract *x, int root, const struct extract_settings *s, struct err *e)
	MUST_CHECK;
/* The message begins with the entry's name. */
int extract_entry(struct extract *x, const struct entry *n, const struct extract_data *data,
		  struct err *e) MUST_CHECK;
int extract_finish(struct extract *x, struct err *e) MUST_CHECK;
void extract_done(struct extract *x);

#endif
