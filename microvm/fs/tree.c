/* tree.c - requests about names: found, made, taken away, moved. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/util.h"
#include "microvm/fs/attr.h"
#include "microvm/fs/name.h"
#include "microvm/fs/owner.h"
#include "microvm/fs/server.h"

/* Looks the name up for the guest and says what is there. */
static ssize_t reply_entry(struct request *r, const char *name)
{
	struct fuse_entry_out out;
	struct inode *inode;
	struct statx st;

	TRY(inode_lookup(r->server, r->inode, name, &inode, &st));
	out = attr_entry(r->server, inode, &st);
	inode_put(r->server, inode);
	return request_reply(r, &out, sizeof(out));
}

ssize_t op_lookup(struct request *r)
{
	struct fuse_entry_out none = { .entry_valid = attr_seconds(r->server) };
	const char *name;
	ssize_t n;

	TRY(name_parse(r->args, r->size, &name, 1));
	n = reply_entry(r, name);
	/* Where nobody else makes files, the guest may remember that there is none. */
	if (n == -ENOENT && r->server->config.cache == FS_CACHE_ALWAYS)
		return request_reply(r, &none, sizeof(none));
	return n;
}

ssize_t op_forget(struct request *r)
{
	const struct fuse_forget_in *in = r->args;

	inode_forget(r->server, r->head.nodeid, in->nlookup);
	return 0;
}

ssize_t op_batch_forget(struct request *r)
{
	const struct fuse_batch_forget_in *in = r->args;
	const struct fuse_forget_one *one = (const void *)(in + 1);
	size_t there = (r->size - sizeof(*in)) / sizeof(*one);

	for (size_t i = 0; i < in->count && i < there; i++)
		inode_forget(r->server, one[i].nodeid, one[i].nlookup);
	return 0;
}

/* What was made as `name` goes to its owner, or away again. */
static ssize_t finish(struct request *r, const char *name, const struct owner *owner, mode_t mode)
{
	int result = 0;

	if (!owner->is_us) {
		auto_fd int fd = name_open(r->inode->fd, name, O_PATH, 0);

		result = fd < 0 ? fd : owner_give(r->server, r->inode->fd, fd, owner, mode);
	}
	if (result < 0) {
		unlinkat(r->inode->fd, name, S_ISDIR(mode) ? AT_REMOVEDIR : 0);
		return result;
	}
	return reply_entry(r, name);
}

ssize_t op_mknod(struct request *r)
{
	const struct fuse_mknod_in in = *(const struct fuse_mknod_in *)r->args;
	dev_t device =
		makedev((in.rdev & 0xfff00) >> 8, (in.rdev & 0xff) | (in.rdev >> 12 & 0xfff00));
	const char *name;
	struct owner owner;

	TRY(name_parse((const char *)r->args + sizeof(in), r->size - sizeof(in), &name, 1));
	switch (in.mode & S_IFMT) {
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		device = 0;
		break;
	case S_IFCHR:
		if (device == 0) /* a whiteout: no device, and nobody needs a privilege for it */
			break;
		/* fall through */
	case S_IFBLK:
		if (!r->server->config.make_devices)
			return -EPERM;
		break;
	default:
		return -EINVAL;
	}
	TRY(owner_of(r, &owner));
	if (mknodat(r->inode->fd, name, (in.mode & S_IFMT) | owner_first_mode(&owner, in.mode),
		    device) < 0)
		return -errno;
	return finish(r, name, &owner, in.mode);
}

ssize_t op_mkdir(struct request *r)
{
	const struct fuse_mkdir_in in = *(const struct fuse_mkdir_in *)r->args;
	const char *name;
	struct owner owner;

	TRY(name_parse((const char *)r->args + sizeof(in), r->size - sizeof(in), &name, 1));
	TRY(owner_of(r, &owner));
	if (mkdirat(r->inode->fd, name, owner_first_mode(&owner, in.mode)) < 0)
		return -errno;
	return finish(r, name, &owner, S_IFDIR | (in.mode & 07777));
}

ssize_t op_symlink(struct request *r)
{
	const char *words[2]; /* name, target */
	struct owner owner;

	TRY(name_split(r->args, r->size, words, 2));
	TRY(name_check(words[0]));
	if (!words[1][0])
		return -ENOENT;
	if (strlen(words[1]) >= PATH_MAX)
		return -ENAMETOOLONG;
	TRY(owner_of(r, &owner));
	if (symlinkat(words[1], r->inode->fd, words[0]) < 0)
		return -errno;
	return finish(r, words[0], &owner, S_IFLNK | 0777);
}

ssize_t op_link(struct request *r)
{
	const struct fuse_link_in in = *(const struct fuse_link_in *)r->args;
	struct inode *old;
	const char *name;
	int result = 0;

	TRY(name_parse((const char *)r->args + sizeof(in), r->size - sizeof(in), &name, 1));
	TRY(inode_get(r->server, in.oldnodeid, &old));
	if (old->read_only || old->sealed)
		result = old->sealed ? -EACCES : -EROFS;
	else if (old->type == S_IFDIR)
		result = -EPERM;
	/* The link in /proc leads to the inode itself, also when that is a symbolic link. */
	else if (linkat(r->server->proc_fd, fd_name(old->fd).text, r->inode->fd, name,
			AT_SYMLINK_FOLLOW) < 0)
		result = -errno;
	inode_put(r->server, old);
	return result < 0 ? result : reply_entry(r, name);
}

static ssize_t take_away(struct request *r, int flags)
{
	const char *name;

	TRY(name_parse(r->args, r->size, &name, 1));
	return unlinkat(r->inode->fd, name, flags) < 0 ? -errno : 0;
}

ssize_t op_unlink(struct request *r)
{
	return take_away(r, 0);
}

ssize_t op_rmdir(struct request *r)
{
	return take_away(r, AT_REMOVEDIR);
}

static ssize_t move(struct request *r, uint64_t directory, uint32_t flags, size_t head)
{
	const char *names[2];
	struct inode *to;
	int result = 0;

	if (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	TRY(name_parse((const char *)r->args + head, r->size - head, names, 2));
	TRY(inode_get(r->server, directory, &to));
	if (to->read_only || to->sealed)
		result = to->sealed ? -EACCES : -EROFS;
	else if (renameat2(r->inode->fd, names[0], to->fd, names[1], flags) < 0)
		result = -errno;
	inode_put(r->server, to);
	return result;
}

ssize_t op_rename(struct request *r)
{
	const struct fuse_rename_in in = *(const struct fuse_rename_in *)r->args;

	return move(r, in.newdir, 0, sizeof(in));
}

ssize_t op_rename2(struct request *r)
{
	const struct fuse_rename2_in in = *(const struct fuse_rename2_in *)r->args;

	return move(r, in.newdir, in.flags, sizeof(in));
}
