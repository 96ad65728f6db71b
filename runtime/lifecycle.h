/*
 * lifecycle.h - the end of a container whose configuration is in hand still.
 */
#ifndef HULL_RUNTIME_LIFECYCLE_H
#define HULL_RUNTIME_LIFECYCLE_H

#include "runtime/container.h"
#include "spec/spec.h"

/* container_end() by whoever has made it: `spec` is what was written down then, and is not read again. */
int lifecycle_end(const struct runtime *rt, const char *id, const struct spec *spec,
		  struct container_fate *ret, struct err *e) MUST_CHECK;

#endif
