/*
 * recording.h - which system calls a container makes, and the least filter that lets them through.
 *
 * While it is recorded, a container has our own profile, but for what that lets through hull-record
 * is asked (security/record_main.c), which notes it and lets it through. So what our profile
 * refuses is refused as ever, and the result is never wider than that: it is our profile without
 * the calls that were not made (struct seccomp_choice in engine/config.h).
 */
#ifndef HULL_ENGINE_RECORDING_H
#define HULL_ENGINE_RECORDING_H

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "base/scratch.h"
#include "runtime/container.h"

struct recording {
	int root;
	struct scratch place; /* in the state directory: nobody else can reach the socket in it */
	const char *listener; /* its path, in an arena */
	int until;            /* as long as it is open, calls are noted */
	int names;
};

/* clang-format off */
#define RECORDING_NONE { .root = -1, .place = SCRATCH_NONE, .until = -1, .names = -1 }
/* clang-format on */
#define auto_recording __attribute__((cleanup(recording_done)))

/* Starts hull-record; ret->listener, in *a, is for wish.listener. */
int recording_begin(const struct runtime *rt, struct arena *a, struct recording *ret, struct err *e)
	MUST_CHECK;
/* After the end of the container: the names of the calls that were made, in *a. */
int recording_end(struct recording *r, struct arena *a, struct strings *ret, struct err *e)
	MUST_CHECK;
void recording_done(struct recording *r);

#endif
