/*
 * tar_write.h - a tar as a stream, entry by entry.
 *
 * Files of our own (the archives that `save` makes) are ustar with short names, no owners and no times, so
 * that the same files give the same bytes. What a container has in its file
 * system (tar_tree.h) may be called anything: what ustar has no place for goes
 * into an extended header (pax(1), POSIX.1-2001), and only that.
 */
#ifndef HULL_IMAGE_TAR_WRITE_H
#define HULL_IMAGE_TAR_WRITE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { TAR_BLOCK = 512, TAR_NAME_MAX = 100 };

enum tar_type {
	TAR_FILE = '0',
	TAR_HARD_LINK = '1',
	TAR_SYMLINK = '2',
	TAR_CHARACTER = '3',
	TAR_BLOCK_DEVICE = '4',
	TAR_DIRECTORY = '5',
	TAR_FIFO = '6',
};

struct tar_xattr {
	const char *name;
	const void *value;
	size_t size;
};

struct tar_entry {
	const char *name; /* of any length; a directory's ends with "/" */
	enum tar_type type;
	const char *link; /* what the two kinds of links lead to, else NULL */
	unsigned mode;    /* 07777 */
	uint32_t uid, gid;
	uint64_t size; /* of a file */
	int64_t mtime; /* seconds */
	unsigned major, minor;
	const struct tar_xattr *xattrs;
	size_t xattrs_n;
};

/* Appends its blocks but for the content: an extended header where it takes one, and its own. Pure. */
void tar_entry_header(const struct tar_entry *t, struct buf *ret);

/* The header of a file, or with a name that ends with "/", of a directory. Pure. */
void tar_header(const char *name, uint64_t size, char ret[TAR_BLOCK]);

/* Negative errno; what was written to `fd` is then half an entry. */
int tar_write_directory(int fd, const char *name) MUST_CHECK;
int tar_write_file(int fd, const char *name, const void *bytes, size_t len) MUST_CHECK;
/* What follows the `size` bytes of content that the caller wrote after a header of its own. */
int tar_write_padding(int fd, uint64_t size) MUST_CHECK;
/* Two empty blocks. */
int tar_write_end(int fd) MUST_CHECK;

#endif
