/*
 * place.h - what a path of `cp` means: in a container or on the host, there or not yet.
 *
 * Docker's meaning of what is behind the last name: "/" says that it is a directory (and a link is
 * followed), "/." that what is in it is meant, and not itself.
 */
#ifndef HULL_ENGINE_PLACE_H
#define HULL_ENGINE_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

enum { PLACE_HOST = -1 };

struct place {
	int dir;                  /* what has the name; or, without a name, the directory itself */
	char name[NAME_MAX + 1];  /* in `dir`; "": itself */
	char given[NAME_MAX + 1]; /* the last name as it was given, before links were followed */
	bool contents;            /* "/." */
	bool slash;               /* "/": it has to be a directory */
	bool exists;
	struct stat st; /* if it exists */
};

/* clang-format off */
#define PLACE_NONE { .dir = -1 }
/* clang-format on */
#define auto_place __attribute__((cleanup(place_close)))
void place_close(struct place *p);

/*
 * Looks beneath the directory `root` of a container, from "/" (mounts/rootfd.h), or with PLACE_HOST
 * as any program does. Its last name is followed if it is a link with `follow`, or with a slash. What
 * has the name has to exist.
 */
int place_find(int root, const char *path, bool follow, struct place *ret, struct err *e)
	MUST_CHECK;

/* What is copied. */
struct place_source {
	bool stream;    /* a tar: its names are its own */
	bool directory; /* else a file */
	bool contents;
	char given[NAME_MAX + 1];
};
void place_source(const struct place *from, struct place_source *ret);

/*
 * What it will be called in the target; "": what is in it goes there by its own names. Pure.
 * *ret_below: below the place, which is a directory; else beside it, in place->dir.
 */
int place_choose(const struct place_source *from, const struct place *to, const char *path,
		 char ret_name[NAME_MAX + 1], bool *ret_below, struct err *e) MUST_CHECK;

#endif
