/*
 * rootfd.h - names inside a container's root, before and after the pivot.
 *
 * The content of a root file system is hostile: any component of any path may
 * be a symbolic link, and may change while we look (CVE-2019-16884,
 * CVE-2021-30465, CVE-2024-45310, CVE-2026-41579). So a path is resolved only
 * here, by openat2(2) beneath a descriptor of the root, where links end at
 * that root, and what comes back is a descriptor. No caller makes a path from
 * it again, and no failure falls back to one.
 */
#ifndef HULL_MOUNTS_ROOTFD_H
#define HULL_MOUNTS_ROOTFD_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* openat2(2) with RESOLVE_IN_ROOT; returns a descriptor or a negative errno. */
int rootfd_open(int root, const char *path, uint64_t flags);

/* The same, and a symbolic link anywhere in the path is -ELOOP. */
int rootfd_open_nofollow(int root, const char *path, uint64_t flags);

/*
 * O_PATH descriptors of a directory, or of a file, that is made if it is
 * missing, with what is missing above it (mode 0755, owner: ours).
 */
int rootfd_make_dir(int root, const char *path, mode_t mode, struct err *e) MUST_CHECK;
int rootfd_make_file(int root, const char *path, mode_t mode, struct err *e) MUST_CHECK;

/*
 * The directory that holds the last component of `path`, made if missing;
 * *ret_name is that component, within `path`. "/" has none: -EINVAL.
 */
int rootfd_make_parent(int root, const char *path, const char **ret_name, struct err *e) MUST_CHECK;

#endif
