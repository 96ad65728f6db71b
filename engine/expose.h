/*
 * expose.h - --expose and --publish-all: which ports a container has, and which of them others reach.
 */
#ifndef HULL_ENGINE_EXPOSE_H
#define HULL_ENGINE_EXPOSE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "image/documents.h"

struct expose_wish {
	const struct image_set *image;   /* its EXPOSE; NULL: none */
	const struct strings *exposed;   /* "PORT[-PORT][/PROTOCOL]" */
	const struct strings *published; /* of --publish, right notations */
	bool publish_all;
};

/* The notations of --expose. */
int expose_check(const struct strings *exposed, struct err *e) MUST_CHECK;

/*
 * *ret_exposed is what the image and --expose say, each once. *ret_published is what --publish says,
 * and with `publish_all` each exposed port that is not in there, by a free port of the host. What the
 * image says may be no port: then it is left out, but with `publish_all` -EINVAL.
 */
int expose_plan(const struct expose_wish *w, struct arena *a, struct strings *ret_exposed,
		struct strings *ret_published, struct err *e) MUST_CHECK;

#endif
