/* layer.h - what a container has changed of its image, as a layer. */
#ifndef HULL_ENGINE_LAYER_H
#define HULL_ENGINE_LAYER_H

#include "mounts/overlay.h"
#include "spec/spec.h"

/* A plain tar to `out`; for a process that may read both sides (userns.h). */
int layer_write(const struct mount_overlay *overlay, const struct spec *spec, int out,
		struct err *e) MUST_CHECK;

#endif
