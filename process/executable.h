/*
 * executable.h - from process.args[0] to a file that can be executed, and why one can't.
 *
 * To be called inside the container's root, as its user and in its working
 * directory. The texts are those that engines look for (docs/clients): "not
 * found" becomes exit status 127, "permission denied" 126. What we know
 * beyond them follows in parentheses.
 */
#ifndef HULL_PROCESS_EXECUTABLE_H
#define HULL_PROCESS_EXECUTABLE_H

#include "base/arena.h"
#include "base/err.h"

/*
 * What to give execve(2) for `name`: itself if it has a slash, otherwise the
 * first executable file of that name in the directories of `path` (the value
 * of the program's PATH; NULL: the usual ones).
 */
int executable_find(const char *name, const char *path, struct arena *a, const char **ret,
		    struct err *e) MUST_CHECK;

/*
 * Says why execve(2) of `path` failed with `code`; returns -code. Opens the
 * file, and its interpreter, to find out.
 */
int executable_diagnose(const char *path, int code, struct err *e);

/* The same for stat(2) of `path`, which failed with `code`. */
int executable_diagnose_missing(const char *path, int code, struct err *e);

#endif
