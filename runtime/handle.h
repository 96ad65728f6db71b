/*
 * handle.h - a container that exists, in the hands of one command.
 *
 *	auto_handle struct handle h = HANDLE_NONE;
 *
 *	TRY(handle_open(&h, rt, id, e));
 *	TRY(handle_lock(&h, e));         before anything is changed
 *	... h.state.status ...
 */
#ifndef HULL_RUNTIME_HANDLE_H
#define HULL_RUNTIME_HANDLE_H

#include "cgroups/cgroup.h"
#include "runtime/container.h"

struct executor;

struct handle {
	const struct runtime *rt;
	const char *id;
	int root, dir;
	int pidfd;  /* of init while it lives, else -1 */
	bool begun; /* there is a state; false: a create came no further than the directory */
	struct state state;
	const struct executor *executor; /* never NULL once opened */
	struct cgroup_host host;
	struct cgroup cgroup; /* fd -1: none, or gone */
	bool unsure; /* of the cgroup only the name is known, which may be another's; fd -1 */
};

/* clang-format off */
#define HANDLE_NONE \
	{ .root = -1, .dir = -1, .pidfd = -1, .host = CGROUP_HOST_NONE, .cgroup = CGROUP_CLOSED }
/* clang-format on */
#define auto_handle __attribute__((cleanup(handle_close)))

/* -ENOENT: "container does not exist". The state is what it is now. */
int handle_open(struct handle *h, const struct runtime *rt, const char *id, struct err *e)
	MUST_CHECK;

/* Takes the container's lock and looks again. */
int handle_lock(struct handle *h, struct err *e) MUST_CHECK;

void handle_close(struct handle *h);

#endif
