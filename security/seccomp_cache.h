/*
 * seccomp_cache.h - compiled filters, kept by what they were compiled from.
 *
 * Engines give most containers the same profile, and libseccomp takes
 * milliseconds for it. A file of the cache holds a filter behind its key: all
 * of the profile, with the versions of the compiler, of libseccomp and of the
 * kernel. Its name is only a hash of that: what is loaded has the very key
 * that was asked for, so a collision costs a compilation and nothing else.
 *
 * A filter is the container's cage, so none is taken that somebody else could
 * have written: the directory has to be ours with mode 0700, the file ours
 * with mode 0600 and one name, whole by its checksum. Anything else is
 * compiled anew, and replaced.
 */
#ifndef HULL_SECURITY_SECCOMP_CACHE_H
#define HULL_SECURITY_SECCOMP_CACHE_H

#include "security/seccomp.h"

/* No container's id: store_check_id() allows no ":". */
#define SECCOMP_CACHE_NAME ".seccomp:cache"

enum { SECCOMP_CACHE_FILES = 64 }; /* at most; the oldest goes */

/*
 * seccomp_filter_compile() by way of the cache in the directory `root`, which
 * is made if it is missing. That it can't be used is logged, and no failure.
 * What has to be compiled is, with `apart`, by a process of its own, which takes
 * with it what libseccomp needs: most of a megabyte, in small pieces.
 */
int seccomp_cache_get(int root, const struct spec_seccomp *profile, bool apart, struct arena *a,
		      struct seccomp_filter *ret, struct err *e) MUST_CHECK;

#endif
