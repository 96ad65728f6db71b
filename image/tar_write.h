/*
 * tar_write.h - a tar of files of our own, as a stream: the archives that `save` makes.
 *
 * Ustar with short names, no owners and no times, so that the same files give
 * the same bytes. What is not ours to name (a root file system) is not written here.
 */
#ifndef HULL_IMAGE_TAR_WRITE_H
#define HULL_IMAGE_TAR_WRITE_H

#include <stdint.h>

#include "base/err.h"

enum { TAR_BLOCK = 512, TAR_NAME_MAX = 100 };

/* The header of a file, or with a name that ends with "/", of a directory. Pure. */
void tar_header(const char *name, uint64_t size, char ret[TAR_BLOCK]);

/* Negative errno; what was written to `fd` is then half an entry. */
int tar_write_directory(int fd, const char *name) MUST_CHECK;
int tar_write_file(int fd, const char *name, const void *bytes, size_t len) MUST_CHECK;
/* What follows the `size` bytes of content that the caller wrote after a header of its own. */
int tar_write_padding(int fd, uint64_t size) MUST_CHECK;
/* Two empty blocks. */
int tar_write_end(int fd) MUST_CHECK;

#endif
