/*
 * entry.h - what an archive may ask for: names, types, owners, attributes. Pure.
 *
 * A layer is written by a stranger. Everything it says passes through here before anything is
 * made of it (extract.h); what is refused is refused with a sentence about the entry.
 */
#ifndef HULL_IMAGE_UNPACK_ENTRY_H
#define HULL_IMAGE_UNPACK_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"

enum {
	ENTRY_PATH_MAX = 4096, /* bytes with the NUL, of names and of links' targets */
	ENTRY_NAME_MAX = 255,  /* bytes between two slashes */
	ENTRY_DEPTH_MAX = 256, /* names in a path */
	ENTRY_XATTRS_MAX = 256,
};

/* A name beneath the directory: "a/b/c", no slash at its ends, no "." or ".."; "" is the directory. */
struct entry_path {
	char text[ENTRY_PATH_MAX];
	size_t len;
	size_t name;    /* where the last part begins; what is above ends one before */
	unsigned depth; /* parts; 0: the directory itself */
};

struct entry_xattr {
	const char *name;
	const void *value;
	size_t size;
};

/* An entry as the archive has it, but for its path. Borrows from the reader until the next one. */
struct entry {
	struct entry_path path;
	mode_t type;      /* S_IFMT's bits; 0 with `hardlink` */
	mode_t mode;      /* 07777 */
	const char *link; /* what a symbolic or hard link leads to */
	bool hardlink;
	int64_t uid, gid, size;
	struct timespec mtime;
	unsigned long major, minor;
	struct entry_xattr xattrs[ENTRY_XATTRS_MAX];
	size_t xattrs_n;
};

/*
 * Absolute names lose their slashes, "." and doubled slashes go; ".." and what is too long or
 * too deep is refused. `what` begins the message.
 */
int entry_path_set(struct entry_path *ret, const char *name, const char *what, struct err *e)
	MUST_CHECK;

/* The path of its parent; of the directory itself that is the directory. */
void entry_path_parent(const struct entry_path *p, struct entry_path *ret);

/* Everything but the path: sizes, times, owners, links, xattrs. */
int entry_check(const struct entry *n, struct err *e) MUST_CHECK;

/* "a regular file" and so on, from S_IFMT's bits. */
const char *entry_type_name(mode_t type);

/* Which extended attributes go into the tree. The others are left out and counted. */
enum xattr_rule {
	XATTR_KEEP,
	XATTR_DROP,
	XATTR_ACL,        /* kept, with the ids in it mapped */
	XATTR_CAPABILITY, /* kept where we may set it */
};
enum xattr_rule entry_xattr_rule(const char *name);

#endif
