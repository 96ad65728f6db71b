/* open.c - requests that open and close files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/util.h"
#include "microvm/fs/attr.h"
#include "microvm/fs/file.h"
#include "microvm/fs/name.h"
#include "microvm/fs/owner.h"
#include "microvm/fs/server.h"

/*
 * The flags for the host of the guest's. O_APPEND is not among them: a page of a mapping that
 * the guest writes back through such a descriptor would be appended (op_write() looks at the
 * handle instead). O_DIRECT would bring rules about alignment that the guest has not heard of.
 */
static int host_flags(const struct fs_server *server, uint32_t flags)
{
	int host = (int)(flags & (O_ACCMODE | O_TRUNC | O_SYNC | O_DSYNC | O_NOATIME));

	/* With its own cache the guest reads the rest of a page that it writes a part of. */
	if ((server->features & FUSE_WRITEBACK_CACHE) && (host & O_ACCMODE) == O_WRONLY)
		host = (host & ~O_ACCMODE) | O_RDWR;
	return host;
}

/* In writeback mode the guest knows the end of the file better than we do. */
static bool appends(const struct fs_server *server, uint32_t flags)
{
	return (flags & O_APPEND) && !(server->features & FUSE_WRITEBACK_CACHE);
}

static uint32_t open_flags(const struct fs_server *server)
{
	return server->config.cache == FS_CACHE_ALWAYS ? FOPEN_KEEP_CACHE : 0;
}

/* A descriptor of a file for a handle that is reserved, or a negative errno. */
static int open_inode(struct request *r, struct inode *inode, uint32_t flags, uint32_t kill)
{
	bool changes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
	int fd, result = 0;

	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	if (inode->type == S_IFDIR)
		return -EISDIR;
	if (inode->sealed)
		return -EACCES;
	if (changes && (r->server->config.read_only || inode->read_only))
		return -EROFS;
	fd = inode_open(r->server, inode, host_flags(r->server, flags));
	if (fd >= 0 && (flags & O_TRUNC) && (kill & FUSE_OPEN_KILL_SUIDGID))
		result = file_kill_suid(fd);
	if (result < 0) {
		close(fd);
		return result;
	}
	return fd;
}

ssize_t op_open(struct request *r)
{
	const struct fuse_open_in in = *(const struct fuse_open_in *)r->args;
	struct fuse_open_out out = { .open_flags = open_flags(r->server) };
	int fd;

	TRY(handle_reserve(r->server));
	fd = open_inode(r, r->inode, in.flags, in.open_flags);
	if (fd < 0) {
		handle_cancel(r->server);
		return fd;
	}
	out.fh = handle_new(r->server, r->inode, fd, appends(r->server, in.flags));
	return request_reply(r, &out, sizeof(out));
}

struct created {
	struct fuse_entry_out entry;
	struct fuse_open_out open;
};

static ssize_t reply_created(struct request *r, struct inode *inode, const struct statx *st, int fd,
			     uint32_t flags)
{
	struct created out = {
		.entry = attr_entry(r->server, inode, st),
		.open = { .open_flags = open_flags(r->server) },
	};

	out.open.fh = handle_new(r->server, inode, fd, appends(r->server, flags));
	inode_put(r->server, inode);
	return request_reply(r, &out, sizeof(out));
}

/* Gives a file that was just made to its owner and makes it known. Takes nothing. */
static int adopt(struct request *r, const char *name, int fd, const struct owner *owner,
		 mode_t mode, struct inode **ret, struct statx *ret_st)
{
	TRY(owner_give(r->server, r->inode->fd, fd, owner, S_IFREG | (mode & 07777)));
	return inode_adopt(r->server, r->inode, name, fd, ret, ret_st);
}

/* The file is there, somebody else was faster: 0 and its inode and descriptor, or a negative errno. */
static int create_found(struct request *r, const char *name, const struct fuse_create_in *in,
			struct inode **ret, struct statx *ret_st)
{
	struct inode *inode;
	int fd;

	TRY(inode_lookup(r->server, r->inode, name, &inode, ret_st));
	fd = open_inode(r, inode, in->flags, in->open_flags);
	if (fd >= 0 && (in->flags & O_TRUNC) && inode_stat(inode->fd, ret_st) < 0) {
		close(fd);
		fd = -EIO;
	}
	if (fd < 0) {
		/* Not a file: the guest has to look again, it follows links and opens devices itself. */
		if (fd == -ELOOP || fd == -ENXIO)
			fd = -ESTALE;
		inode_forget(r->server, inode->id, 1);
		inode_put(r->server, inode);
		return fd;
	}
	*ret = inode;
	return fd;
}

/* With a handle reserved: the new or found file's descriptor, or a negative errno. */
static int create(struct request *r, const char *name, const struct fuse_create_in *in,
		  struct inode **ret, struct statx *ret_st)
{
	int flags = host_flags(r->server, in->flags) & ~(O_TRUNC | O_NOATIME), result;
	struct owner owner;
	auto_fd int fd = -1;

	if ((in->flags & O_ACCMODE) == O_ACCMODE || (in->mode & S_IFMT & ~(unsigned)S_IFREG))
		return -EINVAL;
	TRY(owner_of(r, &owner));
	fd = name_open(r->inode->fd, name, flags | O_CREAT | O_EXCL | O_NOCTTY,
		       owner_first_mode(&owner, in->mode));
	if (fd == -EEXIST && !(in->flags & O_EXCL))
		return create_found(r, name, in, ret, ret_st);
	TRY(fd);
	result = adopt(r, name, fd, &owner, in->mode, ret, ret_st);
	if (result < 0) {
		unlinkat(r->inode->fd, name, 0);
		return result;
	}
	return take_fd(&fd);
}

ssize_t op_create(struct request *r)
{
	const struct fuse_create_in in = *(const struct fuse_create_in *)r->args;
	struct inode *inode;
	struct statx st;
	const char *name;
	int fd;

	TRY(name_parse((const char *)r->args + sizeof(in), r->size - sizeof(in), &name, 1));
	TRY(handle_reserve(r->server));
	fd = create(r, name, &in, &inode, &st);
	if (fd < 0) {
		handle_cancel(r->server);
		return fd;
	}
	return reply_created(r, inode, &st, fd, in.flags);
}

static int create_nameless(struct request *r, const struct fuse_create_in *in, struct inode **ret,
			   struct statx *ret_st)
{
	int flags = host_flags(r->server, in->flags) & ~(O_TRUNC | O_NOATIME);
	struct owner owner;
	auto_fd int fd = -1;

	if ((flags & O_ACCMODE) != O_WRONLY && (flags & O_ACCMODE) != O_RDWR)
		return -EINVAL;
	TRY(owner_of(r, &owner));
	fd = openat(r->inode->fd, ".", flags | O_TMPFILE | (int)(in->flags & O_EXCL) | O_CLOEXEC,
		    owner_first_mode(&owner, in->mode));
	if (fd < 0)
		return -errno;
	TRY(adopt(r, NULL, fd, &owner, in->mode, ret, ret_st));
	return take_fd(&fd);
}

/* The name that comes along, "/", says nothing. */
ssize_t op_tmpfile(struct request *r)
{
	const struct fuse_create_in in = *(const struct fuse_create_in *)r->args;
	struct inode *inode;
	struct statx st;
	int fd;

	TRY(handle_reserve(r->server));
	fd = create_nameless(r, &in, &inode, &st);
	if (fd < 0) {
		handle_cancel(r->server);
		return fd;
	}
	return reply_created(r, inode, &st, fd, in.flags);
}

ssize_t op_release(struct request *r)
{
	const struct fuse_release_in in = *(const struct fuse_release_in *)r->args;

	TRY(handle_release(r->server, in.fh, r->inode, false));
	if (in.release_flags & FUSE_RELEASE_FLOCK_UNLOCK)
		locks_wake(r->server);
	return 0;
}

/*
 * For each close(2) in the guest. Without locks there is nothing to do, and ENOSYS once means
 * that the guest does not ask again.
 */
ssize_t op_flush(struct request *r)
{
	const struct fuse_flush_in in = *(const struct fuse_flush_in *)r->args;
	struct handle *handle;

	if (!r->server->config.locks)
		return -ENOSYS;
	TRY(handle_get(r->server, in.fh, r->inode, false, &handle));
	handle_put(r->server, handle);
	locks_drop(r->server, r->inode, in.lock_owner);
	return 0;
}
