/*
 * dir.c - requests about open directories.
 *
 * A handle holds one chunk of what getdents64(2) gave, and a reply never goes beyond it. The
 * guest may ask again from any entry of its last reply (a program's buffer was full there), and
 * finds it in the chunk; so the descriptor itself only moves on, as it does for a program on
 * the host. To seek instead loses entries on tmpfs while files are deleted (rm -r).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/util.h"
#include "microvm/fs/attr.h"
#include "microvm/fs/mount.h"
#include "microvm/fs/server.h"

enum {
	DIR_CHUNK = 32 << 10,
	DIR_REPLY = 64 << 10, /* the most that is gathered for one reply */
};

ssize_t op_opendir(struct request *r)
{
	struct fuse_open_out out = { 0 };
	int fd;

	if (r->inode->type != S_IFDIR)
		return -ENOTDIR;
	TRY(handle_reserve(r->server));
	fd = inode_open(r->server, r->inode, O_RDONLY | O_DIRECTORY);
	if (fd < 0) {
		handle_cancel(r->server);
		return fd;
	}
	out.fh = handle_new(r->server, r->inode, fd, false);
	if (r->server->config.cache == FS_CACHE_ALWAYS)
		out.open_flags = FOPEN_KEEP_CACHE | FOPEN_CACHE_DIR;
	return request_reply(r, &out, sizeof(out));
}

ssize_t op_releasedir(struct request *r)
{
	const struct fuse_release_in *in = r->args;

	return handle_release(r->server, in->fh, r->inode, true);
}

ssize_t op_fsyncdir(struct request *r)
{
	const struct fuse_fsync_in *in = r->args;
	struct handle *handle;
	int result;

	TRY(handle_get(r->server, in->fh, r->inode, true, &handle));
	result = fsync(handle->fd) < 0 ? -errno : 0;
	handle_put(r->server, handle);
	return result;
}

static const struct dirent64 *entry_at(const struct dir_chunk *chunk, uint32_t at)
{
	return at < chunk->used ? (const void *)(chunk->bytes + at) : NULL;
}

/* Where in the chunk the entry at `offset` begins; false when it is not in there. */
static bool chunk_find(const struct dir_chunk *chunk, uint64_t offset, uint32_t *ret_at)
{
	uint32_t at = 0;

	if (!chunk->used || offset == chunk->end)
		return false;
	if (offset != chunk->begin)
		do {
			const struct dirent64 *entry = entry_at(chunk, at);

			if (!entry)
				return false;
			at += entry->d_reclen;
			if ((uint64_t)entry->d_off == offset)
				break;
		} while (true);
	*ret_at = at;
	return true;
}

/* Makes the chunk the one that has the entry at `offset`, if there is one; where, in *ret_at. */
static int chunk_seek(struct handle *handle, uint64_t offset, uint32_t *ret_at)
{
	struct dir_chunk *chunk = &handle->chunk;
	ssize_t n;
	uint32_t at = 0;

	/* From the start is rewinddir(3), which wants to see what is new. */
	if (offset != 0 && chunk_find(chunk, offset, ret_at))
		return 0;
	if (!chunk->bytes)
		chunk->bytes = mem_zalloc(DIR_CHUNK);
	if (offset != chunk->end && lseek(handle->fd, (off_t)offset, SEEK_SET) < 0)
		return -errno;
	chunk->used = 0;
	n = getdents64(handle->fd, chunk->bytes, DIR_CHUNK);
	if (n < 0) {
		n = -errno;
		chunk->end = UINT64_MAX; /* wherever it is now */
		return (int)n;
	}
	chunk->begin = chunk->end = offset;
	chunk->used = (uint32_t)n;
	for (const struct dirent64 *entry; (entry = entry_at(chunk, at)); at += entry->d_reclen)
		chunk->end = (uint64_t)entry->d_off;
	*ret_at = 0;
	return 0;
}

/* Fills in the entry for READDIRPLUS: with one lookup more, or as nothing known. */
static void entry_fill(struct request *r, const char *name, struct fuse_entry_out *ret)
{
	struct inode *inode;
	struct statx st;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return;
	if (inode_lookup(r->server, r->inode, name, &inode, &st) < 0)
		return;
	*ret = attr_entry(r->server, inode, &st);
	inode_put(r->server, inode);
}

/* What is above the root is none of the guest's business. */
static uint64_t entry_number(const struct request *r, const struct dirent64 *entry)
{
	uint64_t number = entry->d_ino;

	if (r->head.nodeid == FUSE_ROOT_ID && strcmp(entry->d_name, "..") == 0)
		number = r->inode->number;
	return inode_number(r->inode->device, number);
}

static ssize_t fill(struct request *r, const struct dir_chunk *chunk, uint32_t at, char *out,
		    size_t room, bool plus)
{
	size_t head = plus ? FUSE_NAME_OFFSET_DIRENTPLUS : FUSE_NAME_OFFSET, used = 0;
	const struct dirent64 *entry;

	for (; (entry = entry_at(chunk, at)); at += entry->d_reclen) {
		size_t length = strlen(entry->d_name), whole = FUSE_DIRENT_ALIGN(head + length);
		struct fuse_dirent *to =
			(void *)(out + used + (plus ? sizeof(struct fuse_entry_out) : 0));

		if (whole > room - used)
			break;
		if (plus)
			entry_fill(r, entry->d_name, (void *)(out + used));
		to->ino = entry_number(r, entry);
		to->off = (uint64_t)entry->d_off;
		to->namelen = (uint32_t)length;
		to->type = entry->d_type;
		memcpy(to->name, entry->d_name, length);
		used += whole;
	}
	return used || !entry ? (ssize_t)used : -EINVAL; /* no room for one is no end */
}

static ssize_t read_directory(struct request *r, bool plus)
{
	const struct fuse_read_in in = *(const struct fuse_read_in *)r->args;
	size_t room = in.size < r->room ? in.size : r->room;
	auto_free char *out = NULL;
	struct handle *handle;
	uint32_t at = 0;
	ssize_t n;

	TRY(handle_get(r->server, in.fh, r->inode, true, &handle));
	room = room < DIR_REPLY ? room : DIR_REPLY;
	out = mem_zalloc(room ? room : 1);
	pthread_mutex_lock(&handle->lock);
	n = chunk_seek(handle, in.offset, &at);
	if (n == 0)
		n = fill(r, &handle->chunk, at, out, room, plus);
	pthread_mutex_unlock(&handle->lock);
	handle_put(r->server, handle);
	return n < 0 ? n : request_reply(r, out, (size_t)n);
}

ssize_t op_readdir(struct request *r)
{
	return read_directory(r, false);
}

ssize_t op_readdirplus(struct request *r)
{
	return read_directory(r, true);
}
