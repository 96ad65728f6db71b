/* attr.c - see attr.h; and the requests about what is not a file's content. */
#include "microvm/fs/attr.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "base/util.h"
#include "microvm/fs/file.h"
#include "microvm/fs/mount.h"
#include "microvm/fs/owner.h"
#include "microvm/fs/server.h"
#include "microvm/fs/wire.h"

/* As the kernel's new_encode_dev(). */
static uint32_t device_encode(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | major << 8 | (minor & ~0xffU) << 12;
}

struct fuse_attr attr_of(const struct fs_server *server, const struct inode *inode,
			 const struct statx *st)
{
	const struct fs_config *c = &server->config;

	return (struct fuse_attr){
		.ino = inode_number(inode->device, st->stx_ino),
		.size = st->stx_size,
		.blocks = st->stx_blocks,
		.atime = (uint64_t)st->stx_atime.tv_sec,
		.mtime = (uint64_t)st->stx_mtime.tv_sec,
		.ctime = (uint64_t)st->stx_ctime.tv_sec,
		.atimensec = st->stx_atime.tv_nsec,
		.mtimensec = st->stx_mtime.tv_nsec,
		.ctimensec = st->stx_ctime.tv_nsec,
		.mode = st->stx_mode,
		.nlink = st->stx_nlink,
		.uid = owner_to_guest(c->uids, c->n_uids, st->stx_uid),
		.gid = owner_to_guest(c->gids, c->n_gids, st->stx_gid),
		.rdev = device_encode(st->stx_rdev_major, st->stx_rdev_minor),
		.blksize = st->stx_blksize,
		.flags = inode->submount && (server->features & FUSE_SUBMOUNTS) ? FUSE_ATTR_SUBMOUNT
										: 0,
	};
}

uint64_t attr_seconds(const struct fs_server *server)
{
	static const uint64_t seconds[] = {
		[FS_CACHE_NONE] = 0,
		[FS_CACHE_AUTO] = 1,
		[FS_CACHE_ALWAYS] = 3600,
	};

	return seconds[server->config.cache];
}

struct fuse_entry_out attr_entry(const struct fs_server *server, const struct inode *inode,
				 const struct statx *st)
{
	return (struct fuse_entry_out){
		.nodeid = inode->id,
		.entry_valid = attr_seconds(server),
		.attr_valid = attr_seconds(server),
		.attr = attr_of(server, inode, st),
	};
}

static ssize_t reply_attr(struct request *r)
{
	struct fuse_attr_out out = { .attr_valid = attr_seconds(r->server) };
	struct statx st;

	TRY(inode_stat(r->inode->fd, &st));
	out.attr = attr_of(r->server, r->inode, &st);
	return request_reply(r, &out, sizeof(out));
}

ssize_t op_getattr(struct request *r)
{
	return reply_attr(r);
}

/* Only when the guest says so: it knows whether who writes has CAP_FSETID, and we always have it. */
int file_kill_suid(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!(st.st_mode & S_ISUID) && (st.st_mode & (S_ISGID | S_IXGRP)) != (S_ISGID | S_IXGRP))
		return 0;
	st.st_mode &= st.st_mode & S_IXGRP ? ~(mode_t)(S_ISUID | S_ISGID) : ~(mode_t)S_ISUID;
	return fchmod(fd, st.st_mode & 07777) < 0 ? -errno : 0;
}

static int set_owner(struct request *r, const struct fuse_setattr_in *in)
{
	const struct fs_config *c = &r->server->config;
	uint32_t uid = UINT32_MAX, gid = UINT32_MAX;

	if (in->valid & FATTR_UID)
		TRY(owner_to_host(c->uids, c->n_uids, in->uid, &uid));
	if (in->valid & FATTR_GID)
		TRY(owner_to_host(c->gids, c->n_gids, in->gid, &gid));
	if (fchownat(r->inode->fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}

static int set_mode(struct request *r, const struct fuse_setattr_in *in)
{
	if (r->inode->type == S_IFLNK) /* has none on Linux, and the call would follow it */
		return -EOPNOTSUPP;
	if (fchmodat(r->server->proc_fd, fd_name(r->inode->fd).text, in->mode & 07777, 0) < 0)
		return -errno;
	return 0;
}

static int set_size(struct request *r, const struct fuse_setattr_in *in)
{
	struct handle *handle = NULL;
	auto_fd int opened = -1;
	int fd, result = 0;

	if (r->inode->type != S_IFREG)
		return r->inode->type == S_IFDIR ? -EISDIR : -EINVAL;
	if (in->size > INT64_MAX)
		return -EFBIG;
	if (in->valid & FATTR_FH) {
		TRY(handle_get(r->server, in->fh, r->inode, false, &handle));
		fd = handle->fd;
	} else {
		fd = opened = inode_open(r->server, r->inode, O_WRONLY);
		TRY(fd);
	}
	if (in->valid & FATTR_KILL_SUIDGID)
		result = file_kill_suid(fd);
	if (result == 0 && ftruncate(fd, (off_t)in->size) < 0)
		result = -errno;
	if (handle)
		handle_put(r->server, handle);
	return result;
}

static struct timespec time_of(uint32_t valid, uint32_t set, uint32_t now, uint64_t seconds,
			       uint32_t ns)
{
	if (valid & now)
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	if (!(valid & set))
		return (struct timespec){ .tv_nsec = UTIME_OMIT };
	return (struct timespec){ .tv_sec = (time_t)seconds, .tv_nsec = ns };
}

static int set_times(struct request *r, const struct fuse_setattr_in *in)
{
	struct timespec times[2] = {
		time_of(in->valid, FATTR_ATIME, FATTR_ATIME_NOW, in->atime, in->atimensec),
		time_of(in->valid, FATTR_MTIME, FATTR_MTIME_NOW, in->mtime, in->mtimensec),
	};

	/* What the kernel takes for UTIME_NOW and UTIME_OMIT is no time of the guest's. */
	if (((in->valid & FATTR_ATIME) && in->atimensec > 999999999) ||
	    ((in->valid & FATTR_MTIME) && in->mtimensec > 999999999))
		return -EINVAL;
	return utimensat(r->inode->fd, "", times, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/* Owner before mode, since chown(2) takes set-user-id away; size before times, which it changes. */
ssize_t op_setattr(struct request *r)
{
	const struct fuse_setattr_in in = *(const struct fuse_setattr_in *)r->args;

	if (in.valid & (FATTR_UID | FATTR_GID))
		TRY(set_owner(r, &in));
	if (in.valid & FATTR_MODE)
		TRY(set_mode(r, &in));
	if (in.valid & FATTR_SIZE)
		TRY(set_size(r, &in));
	if (in.valid & (FATTR_ATIME | FATTR_MTIME | FATTR_ATIME_NOW | FATTR_MTIME_NOW))
		TRY(set_times(r, &in));
	return reply_attr(r);
}

ssize_t op_statx(struct request *r)
{
	const struct fs_config *c = &r->server->config;
	struct fs_statx_out out = { .attr_valid = attr_seconds(r->server) };
	struct statx st;

	TRY(inode_stat(r->inode->fd, &st));
	out.stat = (struct fs_statx){
		.mask = st.stx_mask & (STATX_BASIC_STATS | STATX_BTIME),
		.blksize = st.stx_blksize,
		.attributes = st.stx_attributes & st.stx_attributes_mask,
		.attributes_mask = st.stx_attributes_mask,
		.nlink = st.stx_nlink,
		.uid = owner_to_guest(c->uids, c->n_uids, st.stx_uid),
		.gid = owner_to_guest(c->gids, c->n_gids, st.stx_gid),
		.mode = st.stx_mode,
		.ino = inode_number(r->inode->device, st.stx_ino),
		.size = st.stx_size,
		.blocks = st.stx_blocks,
		.atime = { st.stx_atime.tv_sec, st.stx_atime.tv_nsec, 0 },
		.btime = { st.stx_btime.tv_sec, st.stx_btime.tv_nsec, 0 },
		.ctime = { st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec, 0 },
		.mtime = { st.stx_mtime.tv_sec, st.stx_mtime.tv_nsec, 0 },
		.rdev_major = st.stx_rdev_major,
		.rdev_minor = st.stx_rdev_minor,
	};
	return request_reply(r, &out, sizeof(out));
}

ssize_t op_readlink(struct request *r)
{
	char target[PATH_MAX];
	ssize_t n;

	if (r->inode->type != S_IFLNK)
		return -EINVAL;
	n = readlinkat(r->inode->fd, "", target, sizeof(target));
	return n < 0 ? -errno : request_reply(r, target, (size_t)n);
}

ssize_t op_statfs(struct request *r)
{
	struct fuse_statfs_out out = { 0 };
	struct statvfs s;

	if (fstatvfs(r->inode->fd, &s) < 0)
		return -errno;
	out.st = (struct fuse_kstatfs){
		.blocks = s.f_blocks,
		.bfree = s.f_bfree,
		.bavail = s.f_bavail,
		.files = s.f_files,
		.ffree = s.f_ffree,
		.bsize = (uint32_t)s.f_bsize,
		.namelen = (uint32_t)s.f_namemax,
		.frsize = (uint32_t)s.f_frsize,
	};
	return request_reply(r, &out, sizeof(out));
}
