/*
 * helper.h - where the programs are that do for hull what it does not do itself.
 *
 * libexec/hull/NAME: in the directory that HULL_LIBEXEC names, else below the directory of the
 * running program (the build tree), else where `make install` puts them.
 */
#ifndef HULL_BASE_HELPER_H
#define HULL_BASE_HELPER_H

#include "base/err.h"

struct helper_path {
	char text[4096];
};

/*
 * Puts the running program's own directory into HULL_LIBEXEC, if the helpers
 * are there: for after it runs from a copy that has no place.
 */
void helper_remember(void);

/* Fails with a sentence that names the program and the last place where it was looked for. */
int helper_find(const char *name, struct helper_path *ret, struct err *e) MUST_CHECK;

#endif
