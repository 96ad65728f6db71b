/*
 * tar_tree.h - what lies in a directory as a tar: what `export`, `cp` and `commit` write.
 *
 *	auto_tar_tree struct tar_tree t = { .out = fd };
 *
 *	TRY(tar_tree_add(&t, root, ".", ".", e));
 *	TRY(tar_tree_end(&t, e));
 *
 * The tree is a stranger's, who may change it while it is read. Names are taken one at a time, from a
 * directory's descriptor, and no link is followed; only regular files are opened. A file that
 * shrinks while it is read ends in zeros (and a warning says so).
 *
 * Directories are in the order of their names and times are whole seconds: the same tree gives
 * the same bytes. What is mounted below is gone into, unless it is one of the kernel's own file
 * systems (proc and the like): their directories are empty. Hard links lead to the name that came first; sockets are left out and counted.
 * Of extended attributes there are those that hull-unpack takes (unpack/entry.h).
 */
#ifndef HULL_IMAGE_TAR_TREE_H
#define HULL_IMAGE_TAR_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

struct tar_link;

struct tar_tree {
	int out; /* borrowed */
	bool no_link; /* -ELOOP if what is to be added, not what is below it, is a link by now */
	/* Ours: */
	struct buf path;        /* as the archive has it */
	struct buf pending;     /* not written yet */
	struct tar_link *links; /* files with several names, a table of hashes */
	size_t links_size, links_n;
	int proc; /* /proc, once it is open */
	bool proc_open;
	unsigned depth;
	uint64_t skipped; /* sockets */
};

/* Frees memory, closes what it opened itself. */
void tar_tree_done(struct tar_tree *t);
#define auto_tar_tree __attribute__((cleanup(tar_tree_done)))

/*
 * To be called before a process leaves the mount namespace whose /proc it knows; else done as it is
 * needed.
 */
int tar_tree_prepare(struct tar_tree *t, struct err *e) MUST_CHECK;

/*
 * Adds `name` of the directory `dir` (".": itself), called `as` in the archive, with all below it.
 * With `as` "" only what is below: it is a directory then.
 */
int tar_tree_add(struct tar_tree *t, int dir, const char *name, const char *as, struct err *e)
	MUST_CHECK;
/* That alone, without what is below. */
int tar_tree_add_one(struct tar_tree *t, int dir, const char *name, const char *as, struct err *e)
	MUST_CHECK;
/* An empty file, owned by root: what a layer has for a name that is gone (image-spec, layer.md). */
int tar_tree_add_empty(struct tar_tree *t, const char *as, struct err *e) MUST_CHECK;

/* The end-of-archive mark. */
int tar_tree_end(struct tar_tree *t, struct err *e) MUST_CHECK;

#endif
