/* vec.h - scattered memory of the guest, as if it were in one piece. */
#ifndef HULL_MICROVM_FS_VEC_H
#define HULL_MICROVM_FS_VEC_H

#include <stddef.h>
#include <sys/uio.h>

/* All bytes of it, SIZE_MAX if they are more than that. */
size_t vec_size(const struct iovec *vec, int n);

/* Copies up to `size` bytes that begin at `offset`; returns how many there were. */
size_t vec_read(const struct iovec *vec, int n, size_t offset, void *to, size_t size);
size_t vec_write(const struct iovec *vec, int n, size_t offset, const void *from, size_t size);

/*
 * The pieces, at most `max`, of `size` bytes that begin at `offset`, in `ret`; returns how many.
 * What they cover may be less than `size`, if there were more pieces, and is in *ret_size.
 */
int vec_slice(const struct iovec *vec, int n, size_t offset, size_t size, struct iovec *ret,
	      int max, size_t *ret_size);

#endif
