/*
 * options.h - mount options, as the runtime specification and mount(8) name them.
 *
 * One table maps each name to what it does: attributes of the mount (set or
 * cleared, on it alone or on all below it), its propagation, a flag of the
 * file system, or something that hull itself acts on. A name that is not in
 * the table belongs to the file system and is passed on as it is.
 */
#ifndef HULL_MOUNTS_OPTIONS_H
#define HULL_MOUNTS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"

#define MOUNT_CONTEXT "context=" /* an option of every file system where SELinux is on */

/* A set of attributes to set and one to clear (mount_setattr(2), MOUNT_ATTR_*). */
struct mount_attrs {
	uint64_t set, clear;
};

/* One call's worth of propagation: MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE. */
struct mount_propagation {
	unsigned long type;
	bool recursive;
};

enum mount_flag {
	MOUNT_BIND = 1 << 0,
	MOUNT_RECURSIVE = 1 << 1,       /* rbind */
	MOUNT_COPY_UP = 1 << 2,         /* tmpcopyup */
	MOUNT_IDMAP = 1 << 3,           /* idmap */
	MOUNT_IDMAP_RECURSIVE = 1 << 4, /* ridmap */
	MOUNT_SOURCE_NOFOLLOW = 1 << 5, /* src-nofollow: a source that is a link, itself */
	MOUNT_TARGET_NOFOLLOW = 1 << 6, /* dest-nofollow: on the link, not where it leads */
	MOUNT_COPY_SYMLINK = 1 << 7,    /* copy-symlink: a source that is a link becomes one */
	MOUNT_REMOUNT = 1 << 8,         /* change what is mounted there already */
};

struct mount_options {
	struct mount_attrs attrs;     /* of the mount itself */
	struct mount_attrs recursive; /* of it and everything below */
	LIST(struct mount_propagation) propagation;
	unsigned flags;       /* enum mount_flag */
	const char *idmap;    /* crun's "idmap=THIS", else NULL */
	struct strings super; /* "key" or "key=value" for fsconfig(2) */
};

/* What an option is, for `features`. */
struct mount_option {
	const char *name;
	enum {
		OPTION_NOTHING,
		OPTION_SET,
		OPTION_CLEAR,
		OPTION_ATIME,
		OPTION_SET_RECURSIVE,
		OPTION_CLEAR_RECURSIVE,
		OPTION_ATIME_RECURSIVE,
		OPTION_PROPAGATION,
		OPTION_SUPER,
		OPTION_FLAG,
	} kind;
	uint64_t value;
	const char *super; /* for OPTION_SUPER: what the file system is told; "" for nothing */
};

extern const struct mount_option mount_options_table[]; /* ends with a NULL name */

/* Pure: reads a list of options; later ones win. The lists of *ret live in `a`. */
void mount_options_parse(const struct strings *options, struct arena *a, struct mount_options *ret);

#endif
