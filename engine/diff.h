/* diff.h - what a container has changed of its image. */
#ifndef HULL_ENGINE_DIFF_H
#define HULL_ENGINE_DIFF_H

#include "base/arena.h"
#include "engine/engine.h"
#include "mounts/overlay.h"
#include "spec/spec.h"

struct change {
	char kind; /* 'A', added; 'C', changed; 'D', deleted */
	const char *path;
};
struct changes {
	struct arena arena; /* of the paths */
	struct change *at;
	size_t n;
};
void changes_done(struct changes *c);
#define auto_changes __attribute__((cleanup(changes_done)))

/*
 * All of them, in the order of the tree; for a process that may read both sides (userns.h). Directories
 * above a change are changed too. What was made for mounts is left out.
 */
int changes_find(const struct mount_overlay *overlay, const struct spec *spec, struct changes *ret,
		 struct err *e) MUST_CHECK;

/*
 * Writes a line for each path to `fd`, in the order of the tree: "A /new", "C /changed",
 * "D /deleted". Control characters of names are written as "\xHH". -ENOTSUP: it has no image.
 */
int engine_diff(const struct engine *g, const char *who, int fd, struct err *e) MUST_CHECK;

#endif
