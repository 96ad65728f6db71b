/* mounted.h - what was asked to be mounted in a container: volumes and directories of the host. */
#ifndef HULL_ENGINE_MOUNTED_H
#define HULL_ENGINE_MOUNTED_H

#include "base/list.h"
#include "engine/engine.h"

struct mounted {
	const char *volume; /* its name; NULL: it is none */
	const char *source, *target;
};
struct mounted_list {
	struct mounted *at;
	size_t n;
};

/* In the order of its configuration, all in *a. */
int mounted_read(const struct engine *g, const char *id, struct arena *a, struct mounted_list *ret,
		 struct err *e) MUST_CHECK;

#endif
