#include "image/tar_write.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"

/* POSIX.1-1988, ustar. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8];
	char prefix[155], rest[12];
};
static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

static const char zeros[2 * TAR_BLOCK];

/* Eleven octal digits, or GNU's and star's base-256 for what has more. */
static void put_size(char ret[12], uint64_t size)
{
	if (size < UINT64_C(1) << 33) {
		snprintf(ret, 12, "%011llo", (unsigned long long)size);
		return;
	}
	memset(ret, 0, 12);
	ret[0] = (char)0x80;
	for (int i = 11; size; i--, size >>= 8)
		ret[i] = (char)(size & 0xff);
}

void tar_header(const char *name, uint64_t size, char ret[TAR_BLOCK])
{
	size_t len = strlen(name);
	bool directory = len && name[len - 1] == '/';
	struct header h = { .type = directory ? '5' : '0' };
	unsigned sum = 0;

	assert(len && len <= TAR_NAME_MAX);
	memcpy(h.name, name, len);
	memcpy(h.mode, directory ? "0000755" : "0000644", 8);
	memcpy(h.uid, "0000000", 8);
	memcpy(h.gid, "0000000", 8);
	put_size(h.size, size);
	memcpy(h.mtime, "00000000000", 12);
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	/* Of all bytes, with the sum itself as blanks. */
	memset(h.checksum, ' ', sizeof(h.checksum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const unsigned char *)&h)[i];
	snprintf(h.checksum, sizeof(h.checksum), "%06o", sum);
	memcpy(ret, &h, sizeof(h));
}

int tar_write_directory(int fd, const char *name)
{
	char header[TAR_BLOCK];

	tar_header(name, 0, header);
	return io_write_all(fd, header, sizeof(header));
}

int tar_write_padding(int fd, uint64_t size)
{
	size_t over = (size_t)(size % TAR_BLOCK);

	return over ? io_write_all(fd, zeros, TAR_BLOCK - over) : 0;
}

int tar_write_file(int fd, const char *name, const void *bytes, size_t len)
{
	char header[TAR_BLOCK];

	tar_header(name, len, header);
	TRY(io_write_all(fd, header, sizeof(header)));
	TRY(io_write_all(fd, bytes, len));
	return tar_write_padding(fd, len);
}

int tar_write_end(int fd)
{
	return io_write_all(fd, zeros, sizeof(zeros));
}
