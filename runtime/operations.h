/*
 * operations.h - what `create` would do, in words: `hull plan`.
 *
 * The plan and the two tables that carry it out (runtime/creation.h, init.h)
 * are put together in the order in which they meet (runtime/handshake.h). A
 * row that has nothing to do for this container is left out. Nothing is done,
 * and nothing needs privilege.
 */
#ifndef HULL_RUNTIME_OPERATIONS_H
#define HULL_RUNTIME_OPERATIONS_H

#include "runtime/container.h"

struct operation {
	const char *by;   /* "hull" or "init" */
	const char *when; /* the verb that it is a part of: "create" or "start" */
	const char *step; /* its row */
	struct strings what;
};

struct operations {
	const char *id, *bundle, *rootfs;
	struct strings warnings;
	struct {
		struct operation *at;
		size_t n;
	} list;
};

struct plan;

/* Pure. Everything in *ret lives in `a` or is the plan's; `root` is the state directory. */
void operations_plan(const struct plan *p, const char *root, struct arena *a,
		     struct operations *ret);

/* The same for a bundle, as `create` by this caller would decide. *ret lives in `a`. */
int container_plan(const struct runtime *rt, const struct create_request *req, struct arena *a,
		   struct operations *ret, struct err *e) MUST_CHECK;

/* The rows that are known here: NULL after the last one. Each table's rows have to be. */
const char *operations_row(const char *by, size_t i);

#endif
