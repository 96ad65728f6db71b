/*
 * tree.h - the directory that the layer becomes, and the only way to its inside.
 *
 * Names are resolved by openat2(2) beneath its descriptor, through real directories: a symbolic
 * link on the way is refused, whoever made it. What a name's last part does is left to the *at()
 * calls on the parent's descriptor, with that part alone and never followed.
 */
#ifndef HULL_IMAGE_UNPACK_TREE_H
#define HULL_IMAGE_UNPACK_TREE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"
#include "image/unpack/entry.h"

/* An open directory beneath `root`, "" is itself; a descriptor or a negative errno. */
int tree_directory(int root, const char *path) MUST_CHECK;

/* Fails with a sentence about the first part of `path` that is no directory. */
int tree_explain(int root, const struct entry_path *path, int r, struct err *e);

/* Takes away whatever has this name; crosses no mount. */
int tree_remove(int parent, const char *name, struct err *e) MUST_CHECK;

#endif
