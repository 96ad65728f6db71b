/* vec.c - see vec.h. */
#include "microvm/fs/vec.h"

#include <stdint.h>
#include <string.h>

size_t vec_size(const struct iovec *vec, int n)
{
	size_t size = 0;

	for (int i = 0; i < n; i++)
		size = vec[i].iov_len > SIZE_MAX - size ? SIZE_MAX : size + vec[i].iov_len;
	return size;
}

int vec_slice(const struct iovec *vec, int n, size_t offset, size_t size, struct iovec *ret,
	      int max, size_t *ret_size)
{
	size_t covered = 0;
	int k = 0;

	for (int i = 0; i < n && k < max && covered < size; i++) {
		size_t length = vec[i].iov_len;

		if (offset >= length) {
			offset -= length;
			continue;
		}
		length -= offset;
		if (length > size - covered)
			length = size - covered;
		ret[k++] = (struct iovec){ (char *)vec[i].iov_base + offset, length };
		covered += length;
		offset = 0;
	}
	*ret_size = covered;
	return k;
}

size_t vec_read(const struct iovec *vec, int n, size_t offset, void *to, size_t size)
{
	size_t done = 0, length;
	struct iovec piece;

	while (done < size &&
	       vec_slice(vec, n, offset + done, size - done, &piece, 1, &length) == 1) {
		memcpy((char *)to + done, piece.iov_base, length);
		done += length;
	}
	return done;
}

size_t vec_write(const struct iovec *vec, int n, size_t offset, const void *from, size_t size)
{
	size_t done = 0, length;
	struct iovec piece;

	while (done < size &&
	       vec_slice(vec, n, offset + done, size - done, &piece, 1, &length) == 1) {
		memcpy(piece.iov_base, (const char *)from + done, length);
		done += length;
	}
	return done;
}
