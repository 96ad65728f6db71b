/*
 * list.h - a counted array whose element type shows in its declaration.
 *
 *	LIST(struct spec_mount) mounts;  ->  mounts.at[i], mounts.n
 *
 * The elements live in an arena or in static memory; a list owns nothing.
 */
#ifndef HULL_BASE_LIST_H
#define HULL_BASE_LIST_H

#include <stddef.h>

#define LIST(T)           \
	struct {          \
		T *at;    \
		size_t n; \
	}

/* A list of strings is passed between modules, so it has a name. */
struct strings {
	const char **at;
	size_t n;
};

#endif
