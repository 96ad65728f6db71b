/*
 * xattr.c - requests about extended attributes.
 *
 *	user.*			as on the host
 *	security.capability	read; set and removed if the configuration allows it
 *	other security.*	of the host's security modules: as if there were none
 *	trusted.*		would tell the host's overlayfs what to do: as if there were none
 *	system.*		access lists, which the guest's kernel would not enforce: as if
 *				the file system had none
 *
 * "As if there were none" is EOPNOTSUPP, and they are not listed. Only files and directories
 * have attributes for the guest: those of others are of the kinds that it does not see.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/mem.h"
#include "base/util.h"
#include "microvm/fs/name.h"
#include "microvm/fs/server.h"

static bool is_shown(const char *name)
{
	return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0;
}

static int name_allowed(const struct request *r, const char *name, bool set)
{
	if (!name[0])
		return -EINVAL;
	if (strlen(name) > XATTR_NAME_MAX)
		return -ERANGE;
	if (!is_shown(name))
		return -EOPNOTSUPP;
	if (set && name[0] == 's' && !r->server->config.file_capabilities)
		return -EPERM;
	return 0;
}

/* f*xattr(2) refuse O_PATH, and there need not be a /proc to name it by. */
static int open_for_attributes(struct request *r)
{
	if (r->inode->type != S_IFREG && r->inode->type != S_IFDIR)
		return -EOPNOTSUPP;
	return inode_open(r->server, r->inode, O_RDONLY | O_NONBLOCK);
}

ssize_t op_setxattr(struct request *r)
{
	size_t head = r->server->features & FUSE_SETXATTR_EXT ? sizeof(struct fuse_setxattr_in)
							      : FUSE_COMPAT_SETXATTR_IN_SIZE;
	const struct fuse_setxattr_in *in = r->args; /* `size` and `flags` are all that is read */
	const char *name, *value;
	auto_fd int fd = -1;
	size_t length;

	if (r->size < head)
		return -EINVAL;
	name = (const char *)r->args + head;
	length = strnlen(name, r->size - head);
	if (length == r->size - head)
		return -EINVAL;
	value = name + length + 1;
	if (in->size > XATTR_SIZE_MAX)
		return -E2BIG;
	if (in->size != r->size - head - length - 1 ||
	    (in->flags & ~(unsigned)(XATTR_CREATE | XATTR_REPLACE)))
		return -EINVAL;
	TRY(name_allowed(r, name, true));
	fd = open_for_attributes(r);
	TRY(fd);
	return fsetxattr(fd, name, value, in->size, (int)in->flags) < 0 ? -errno : 0;
}

ssize_t op_removexattr(struct request *r)
{
	auto_fd int fd = -1;
	const char *name;

	TRY(name_split(r->args, r->size, &name, 1));
	TRY(name_allowed(r, name, true));
	fd = open_for_attributes(r);
	TRY(fd);
	return fremovexattr(fd, name) < 0 ? -errno : 0;
}

/* Size 0 asks how much there is. */
static ssize_t reply_value(struct request *r, uint32_t asked, const char *value, size_t size)
{
	struct fuse_getxattr_out out = { .size = (uint32_t)size };

	if (asked == 0)
		return request_reply(r, &out, sizeof(out));
	return size > asked ? -ERANGE : request_reply(r, value, size);
}

ssize_t op_getxattr(struct request *r)
{
	const struct fuse_getxattr_in in = *(const struct fuse_getxattr_in *)r->args;
	auto_free char *value = NULL;
	auto_fd int fd = -1;
	const char *name;
	ssize_t n;

	TRY(name_split((const char *)r->args + sizeof(in), r->size - sizeof(in), &name, 1));
	TRY(name_allowed(r, name, false));
	fd = open_for_attributes(r);
	TRY(fd);
	if (in.size == 0) {
		n = fgetxattr(fd, name, NULL, 0);
	} else {
		value = mem_zalloc(in.size < XATTR_SIZE_MAX ? in.size : XATTR_SIZE_MAX);
		n = fgetxattr(fd, name, value, in.size < XATTR_SIZE_MAX ? in.size : XATTR_SIZE_MAX);
	}
	return n < 0 ? -errno : reply_value(r, in.size, value, (size_t)n);
}

/* Leaves only the names in `list` that are shown; returns what they take. */
static size_t list_filter(char *list, size_t size)
{
	size_t kept = 0, length;

	for (size_t at = 0; at < size; at += length) {
		length = strnlen(list + at, size - at - 1) + 1;
		if (is_shown(list + at)) {
			memmove(list + kept, list + at, length);
			kept += length;
		}
	}
	return kept;
}

ssize_t op_listxattr(struct request *r)
{
	const struct fuse_getxattr_in in = *(const struct fuse_getxattr_in *)r->args;
	auto_free char *list = NULL;
	auto_fd int fd = open_for_attributes(r);
	ssize_t n;

	if (fd == -EOPNOTSUPP) /* it has none, and to ask is no mistake */
		return reply_value(r, in.size, NULL, 0);
	TRY(fd);
	list = mem_zalloc(XATTR_LIST_MAX);
	n = flistxattr(fd, list, XATTR_LIST_MAX);
	if (n < 0)
		return errno == EOPNOTSUPP ? reply_value(r, in.size, NULL, 0) : -errno;
	return reply_value(r, in.size, list, list_filter(list, (size_t)n));
}
