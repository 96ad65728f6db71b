/* update.h - the verb update where the limits are those of a cgroup. */
#ifndef HULL_RUNTIME_UPDATE_H
#define HULL_RUNTIME_UPDATE_H

#include "runtime/handle.h"

int update_cgroup(struct handle *h, struct spec_resources *resources, struct arena *a,
		  struct err *e) MUST_CHECK;

#endif
