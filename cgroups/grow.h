/* grow.h - lists in an arena that grow at their end. Private to cgroups/. */
#ifndef HULL_CGROUPS_GROW_H
#define HULL_CGROUPS_GROW_H

#include <string.h>

#include "base/arena.h"
#include "base/list.h"

/* Where the n elements are now, with room for one more: the room is always a power of two. */
static inline void *grow(struct arena *a, void *at, size_t n, size_t size)
{
	void *bigger;

	if ((n & (n - 1)) != 0)
		return at;
	bigger = arena_array(a, n ? 2 * n : 1, size);
	if (n)
		memcpy(bigger, at, n * size);
	return bigger;
}

/* A new element at the end of a LIST(T); it is zeroed. */
#define grow_list(a, list)                                                     \
	(((list)->at = grow((a), (list)->at, (list)->n, sizeof(*(list)->at))), \
	 &(list)->at[(list)->n++])

#endif
