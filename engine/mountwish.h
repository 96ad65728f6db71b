/*
 * mountwish.h - what -v, --mount and --tmpfs say, in Docker's and Podman's notations. Pure.
 */
#ifndef HULL_ENGINE_MOUNTWISH_H
#define HULL_ENGINE_MOUNTWISH_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"

enum mount_wish_kind { WISH_BIND, WISH_VOLUME, WISH_TMPFS };

/* -v, --mount or --tmpfs. */
struct mount_wish {
	enum mount_wish_kind kind;
	const char *source; /* a path, or a volume's name; NULL: a volume without one */
	const char *target; /* absolute */
	bool readonly;
	bool makes_source;      /* -v makes a missing directory; --mount does not */
	bool is_flat;           /* a bind without what is mounted below its source */
	bool is_shallow;        /* read-only is it alone, not what is mounted below */
	bool is_bare;           /* a volume that does not begin with what the image has there */
	struct strings options; /* of the runtime specification, in place of our own choice */
};

/* "SOURCE:TARGET[:OPTION,...]", or "TARGET". `cwd` is where relative sources start. */
int wish_volume(const char *text, const char *cwd, struct arena *a, struct mount_wish *ret,
		struct err *e) MUST_CHECK;
/* "type=bind,source=PATH,target=PATH[,readonly]..." */
int wish_mount(const char *text, const char *cwd, struct arena *a, struct mount_wish *ret,
	       struct err *e) MUST_CHECK;
/* "TARGET[:OPTION,...]" */
int wish_tmpfs(const char *text, struct arena *a, struct mount_wish *ret, struct err *e) MUST_CHECK;

#endif
