/* diff.h - what a container has changed of its image. */
#ifndef HULL_ENGINE_DIFF_H
#define HULL_ENGINE_DIFF_H

#include "engine/engine.h"

/*
 * Writes a line for each path to `fd`, in the order of the tree: "A /new", "C /changed",
 * "D /deleted". Directories above a change are changed too. What was made for mounts is left
 * out. Control characters of names are written as "\xHH". -ENOTSUP: it has no image.
 */
int engine_diff(const struct engine *g, const char *who, int fd, struct err *e) MUST_CHECK;

#endif
