/* name.h - names that come from the guest: one component each, opened beneath one directory. */
#ifndef HULL_MICROVM_FS_NAME_H
#define HULL_MICROVM_FS_NAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * `n` strings, each with its NUL, that fill `size` bytes exactly. 0 or -EINVAL; the pointers
 * in `ret` are into `bytes`.
 */
int name_split(const void *bytes, size_t size, const char **ret, int n);

/* Is it one component, and neither "." nor ".."? 0, -EINVAL or -ENAMETOOLONG. */
int name_check(const char *name);

/* Both: `n` components that fill the rest of a request. */
int name_parse(const void *bytes, size_t size, const char **ret, int n);

/*
 * Opens the component `name` of the directory `dir` without following anything; `flags` as of
 * open(2), close-on-exec is added. Returns a descriptor or a negative errno.
 */
int name_open(int dir, const char *name, int flags, mode_t mode);

#endif
