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

static void put_octal(char *ret, size_t size, uint64_t value)
{
	ret[--size] = '\0';
	for (; size; value >>= 3)
		ret[--size] = (char)('0' + (value & 7));
}

/* Of all bytes, with the sum itself as blanks. */
static void put_checksum(struct header *h)
{
	unsigned sum = 0;

	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	memset(h->checksum, ' ', sizeof(h->checksum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += ((const unsigned char *)h)[i];
	snprintf(h->checksum, sizeof(h->checksum), "%06o", sum);
}

void tar_header(const char *name, uint64_t size, char ret[TAR_BLOCK])
{
	size_t len = strlen(name);
	bool directory = len && name[len - 1] == '/';
	struct header h = { .type = directory ? TAR_DIRECTORY : TAR_FILE };

	assert(len && len <= TAR_NAME_MAX);
	memcpy(h.name, name, len);
	put_octal(h.mode, sizeof(h.mode), directory ? 0755 : 0644);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_size(h.size, size);
	put_octal(h.mtime, sizeof(h.mtime), 0);
	put_checksum(&h);
	memcpy(ret, &h, sizeof(h));
}

/*
 * Extended headers: "LENGTH KEY=VALUE\n", the length counts itself.
 */

static void add_record(struct buf *b, const char *prefix, const char *key, const void *value,
		       size_t size)
{
	size_t rest = strlen(prefix) + strlen(key) + size + strlen(" =\n"), digits = 1;

	while ((size_t)snprintf(NULL, 0, "%zu", rest + digits) > digits)
		digits++;
	buf_printf(b, "%zu %s%s=", rest + digits, prefix, key);
	buf_add(b, value, size);
	buf_char(b, '\n');
}

static void add_number(struct buf *b, const char *key, int64_t value)
{
	char text[24];

	add_record(b, "", key, text,
		   (size_t)snprintf(text, sizeof(text), "%lld", (long long)value));
}

/* What has no place in the fields of a header. */
enum { IDS_MAX = 07777777 };
#define TIME_MAX INT64_C(077777777777)

static void add_records(const struct tar_entry *t, struct buf *b)
{
	if (strlen(t->name) > TAR_NAME_MAX)
		add_record(b, "", "path", t->name, strlen(t->name));
	if (t->link && strlen(t->link) > TAR_NAME_MAX)
		add_record(b, "", "linkpath", t->link, strlen(t->link));
	if (t->uid > IDS_MAX)
		add_number(b, "uid", t->uid);
	if (t->gid > IDS_MAX)
		add_number(b, "gid", t->gid);
	if (t->size > TIME_MAX)
		add_number(b, "size", (int64_t)t->size);
	if (t->mtime < 0 || t->mtime > TIME_MAX)
		add_number(b, "mtime", t->mtime);
	for (size_t i = 0; i < t->xattrs_n; i++)
		add_record(b, "SCHILY.xattr.", t->xattrs[i].name, t->xattrs[i].value,
			   t->xattrs[i].size);
}

static void add_padding(struct buf *b, size_t size)
{
	if (size % TAR_BLOCK)
		buf_add(b, zeros, TAR_BLOCK - size % TAR_BLOCK);
}

static void add_extended(const struct tar_entry *t, struct buf *ret)
{
	auto_buf struct buf records = { 0 };
	struct header h = { .name = "././@PaxHeader", .type = 'x' };

	add_records(t, &records);
	if (!records.len)
		return;
	put_octal(h.mode, sizeof(h.mode), 0);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), records.len);
	put_octal(h.mtime, sizeof(h.mtime), 0);
	put_checksum(&h);
	buf_add(ret, &h, sizeof(h));
	buf_add(ret, records.text, records.len);
	add_padding(ret, records.len);
}

void tar_entry_header(const struct tar_entry *t, struct buf *ret)
{
	struct header h = { .type = (char)t->type };
	const char *link = t->link ? t->link : "";

	assert(t->name[0]);
	add_extended(t, ret);
	memcpy(h.name, t->name, strnlen(t->name, sizeof(h.name)));
	memcpy(h.link, link, strnlen(link, sizeof(h.link)));
	put_octal(h.mode, sizeof(h.mode), t->mode & 07777);
	put_octal(h.uid, sizeof(h.uid), t->uid > IDS_MAX ? 0 : t->uid);
	put_octal(h.gid, sizeof(h.gid), t->gid > IDS_MAX ? 0 : t->gid);
	put_octal(h.size, sizeof(h.size), t->size > TIME_MAX ? 0 : t->size);
	put_octal(h.mtime, sizeof(h.mtime),
		  t->mtime < 0 || t->mtime > TIME_MAX ? 0 : (uint64_t)t->mtime);
	if (t->type == TAR_CHARACTER || t->type == TAR_BLOCK_DEVICE) {
		put_octal(h.major, sizeof(h.major), t->major);
		put_octal(h.minor, sizeof(h.minor), t->minor);
	}
	put_checksum(&h);
	buf_add(ret, &h, sizeof(h));
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
