/* io.c - requests about the content of open files. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/util.h"
#include "microvm/fs/file.h"
#include "microvm/fs/server.h"
#include "microvm/fs/vec.h"

enum {
	PIECES = 64,           /* of scattered memory in one system call */
	COPY_MOST = 256 << 20, /* bytes that one request copies; the guest asks for the rest */
};

/* Straight into the guest's memory. A short read is the end of the file, so never for another reason. */
ssize_t op_read(struct request *r)
{
	const struct fuse_read_in in = *(const struct fuse_read_in *)r->args;
	struct iovec pieces[PIECES];
	size_t want = in.size, done = 0, length;
	struct handle *handle;
	ssize_t n = 0;

	if (want > r->server->config.max_io)
		want = r->server->config.max_io;
	if (want > r->room)
		want = r->room;
	if (in.offset > (uint64_t)INT64_MAX - want)
		return -EINVAL;
	TRY(handle_get(r->server, in.fh, r->inode, false, &handle));
	while (done < want) {
		int k = vec_slice(r->out, r->n_out, sizeof(struct fuse_out_header) + done,
				  want - done, pieces, PIECES, &length);

		n = preadv(handle->fd, pieces, k, (off_t)(in.offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	n = n < 0 && done == 0 ? -errno : (ssize_t)done;
	handle_put(r->server, handle);
	return n;
}

/* Writes the data of the request; returns how much, or a negative errno if that is nothing. */
static ssize_t write_all(const struct request *r, int fd, size_t size, uint64_t offset, int flags)
{
	struct iovec pieces[PIECES];
	size_t done = 0, length;

	while (done < size) {
		int k = vec_slice(r->in, r->n_in, sizeof(r->head) + r->size + done, size - done,
				  pieces, PIECES, &length);
		ssize_t n = pwritev2(fd, pieces, k, (off_t)(offset + done), flags);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && done == 0)
			return -errno;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t op_write(struct request *r)
{
	const struct fuse_write_in in = *(const struct fuse_write_in *)r->args;
	struct fuse_write_out out = { 0 };
	struct handle *handle;
	ssize_t n = 0;
	int flags;

	if (in.size > r->data || in.size > r->server->config.max_io)
		return -EINVAL;
	if (in.offset > (uint64_t)INT64_MAX - in.size)
		return -EFBIG;
	TRY(handle_get(r->server, in.fh, r->inode, false, &handle));
	/* A page of the guest's cache has its place, whichever handle it comes by. */
	flags = handle->append && !(in.write_flags & FUSE_WRITE_CACHE) ? RWF_APPEND : 0;
	if (in.write_flags & FUSE_WRITE_KILL_SUIDGID)
		n = file_kill_suid(handle->fd);
	if (n == 0)
		n = write_all(r, handle->fd, in.size, in.offset, flags);
	handle_put(r->server, handle);
	if (n < 0)
		return n;
	out.size = (uint32_t)n;
	return request_reply(r, &out, sizeof(out));
}

ssize_t op_fsync(struct request *r)
{
	const struct fuse_fsync_in in = *(const struct fuse_fsync_in *)r->args;
	struct handle *handle;
	int result;

	TRY(handle_get(r->server, in.fh, r->inode, false, &handle));
	result = in.fsync_flags & FUSE_FSYNC_FDATASYNC ? fdatasync(handle->fd) : fsync(handle->fd);
	result = result < 0 ? -errno : 0;
	handle_put(r->server, handle);
	return result;
}

/* sync(2) and syncfs(2) in the guest. */
ssize_t op_syncfs(struct request *r)
{
	auto_fd int fd = inode_open(r->server, r->inode, O_RDONLY | O_NONBLOCK);

	TRY(fd);
	return syncfs(fd) < 0 ? -errno : 0;
}

ssize_t op_fallocate(struct request *r)
{
	const struct fuse_fallocate_in in = *(const struct fuse_fallocate_in *)r->args;
	struct handle *handle;
	int result;

	if (in.mode &
	    ~(unsigned)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (in.offset > INT64_MAX || in.length > INT64_MAX)
		return -EFBIG;
	TRY(handle_get(r->server, in.fh, r->inode, false, &handle));
	result = fallocate(handle->fd, (int)in.mode, (off_t)in.offset, (off_t)in.length) < 0
			 ? -errno
			 : 0;
	handle_put(r->server, handle);
	return result;
}

ssize_t op_lseek(struct request *r)
{
	const struct fuse_lseek_in in = *(const struct fuse_lseek_in *)r->args;
	struct fuse_lseek_out out = { 0 };
	struct handle *handle;
	off_t at;

	/* The rest the guest does itself; our descriptors' positions mean nothing. */
	if (in.whence != SEEK_DATA && in.whence != SEEK_HOLE)
		return -EINVAL;
	if (in.offset > INT64_MAX)
		return -ENXIO;
	TRY(handle_get(r->server, in.fh, r->inode, false, &handle));
	at = lseek(handle->fd, (off_t)in.offset, (int)in.whence);
	if (at < 0)
		at = -errno;
	handle_put(r->server, handle);
	if (at < 0)
		return at;
	out.offset = (uint64_t)at;
	return request_reply(r, &out, sizeof(out));
}

static ssize_t copy(struct request *r, const struct fuse_copy_file_range_in *in,
		    const struct handle *from, const struct inode *inode_to)
{
	struct fuse_write_out out = { 0 };
	off_t at_from = (off_t)in->off_in, at_to = (off_t)in->off_out;
	struct handle *to;
	ssize_t n;

	TRY(handle_get(r->server, in->fh_out, inode_to, false, &to));
	n = copy_file_range(from->fd, &at_from, to->fd, &at_to,
			    in->len < COPY_MOST ? in->len : COPY_MOST, 0);
	if (n < 0)
		n = -errno;
	handle_put(r->server, to);
	if (n < 0)
		return n;
	out.size = (uint32_t)n;
	return request_reply(r, &out, sizeof(out));
}

ssize_t op_copy_file_range(struct request *r)
{
	const struct fuse_copy_file_range_in in = *(const struct fuse_copy_file_range_in *)r->args;
	struct inode *inode_to;
	struct handle *from;
	ssize_t n;

	if (in.flags || in.off_in > INT64_MAX || in.off_out > INT64_MAX)
		return -EINVAL;
	TRY(inode_get(r->server, in.nodeid_out, &inode_to));
	n = handle_get(r->server, in.fh_in, r->inode, false, &from);
	if (n == 0) {
		n = copy(r, &in, from, inode_to);
		handle_put(r->server, from);
	}
	inode_put(r->server, inode_to);
	return n;
}
