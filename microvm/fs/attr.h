/* attr.h - what statx(2) says of a file, in the guest's words. */
#ifndef HULL_MICROVM_FS_ATTR_H
#define HULL_MICROVM_FS_ATTR_H

#include <linux/fuse.h>
#include <sys/stat.h>

struct fs_server;
struct inode;

struct fuse_attr attr_of(const struct fs_server *server, const struct inode *inode,
			 const struct statx *st);

/* How long the guest may believe it. */
uint64_t attr_seconds(const struct fs_server *server);

/* The answer to a lookup that found this. */
struct fuse_entry_out attr_entry(const struct fs_server *server, const struct inode *inode,
				 const struct statx *st);

#endif
