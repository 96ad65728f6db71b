/*
 * disk.h - the container's root as a disk image: which file, what is in it, and the guest's
 * overlay over it.
 *
 * The annotation names an image of the host, EROFS or ext4 (`hull image pack`
 * makes one). The guest mounts it read-only and writes to its own memory above
 * it; the container's root on the host is then only where volumes are bound,
 * and the guest binds them from there.
 */
#ifndef HULL_MICROVM_DISK_H
#define HULL_MICROVM_DISK_H

#include <stdint.h>

#include "base/err.h"
#include "runtime/executor.h"

#define DISK_ANNOTATION EXECUTOR_VM_ANNOTATIONS "rootfs"

/* How much of an image tells its type. */
enum { DISK_HEAD = 2048 };

/* "erofs" or "ext4", by the superblock; NULL: neither. */
const char *disk_type(const uint8_t head[DISK_HEAD]);

/*
 * Opens the image that the annotation names, for reading: a descriptor, and
 * *ret_type. -ENOTSUP: it is of neither type, or no file.
 */
int disk_open(const char *path, const char **ret_type, struct err *e) MUST_CHECK;

/*
 * In the guest: mounts the first disk at DISK_LOWER, and at DISK_ROOT an overlay of it and of
 * memory.
 */
int disk_mount(struct err *e) MUST_CHECK;

#define DISK_LOWER "/disk"
#define DISK_CHANGES "/changes"
#define DISK_ROOT "/container"

#endif
