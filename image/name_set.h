/*
 * name_set.h - names that were met; add all, then ask.
 *
 *	struct name_set set = { 0 };
 *
 *	name_set_add(&set, "a");
 *	name_set_has(&set, "a")
 *	name_set_done(&set);
 */
#ifndef HULL_IMAGE_NAME_SET_H
#define HULL_IMAGE_NAME_SET_H

#include <stdbool.h>
#include <stddef.h>

struct name_set {
	char **at;
	size_t n, size;
	bool sorted; /* by the first question since the last add */
};

void name_set_add(struct name_set *s, const char *name);
bool name_set_has(struct name_set *s, const char *name);
void name_set_done(struct name_set *s);
#define auto_name_set __attribute__((cleanup(name_set_done)))

#endif
