/* wire.h - parts of the FUSE protocol that Debian 12's <linux/fuse.h> does not have yet (7.39). */
#ifndef HULL_MICROVM_FS_WIRE_H
#define HULL_MICROVM_FS_WIRE_H

#include <linux/fuse.h>
#include <stdint.h>

enum { FS_OP_TMPFILE = 51, FS_OP_STATX = 52 };

struct fs_statx_in {
	uint32_t getattr_flags, reserved;
	uint64_t fh;
	uint32_t sx_flags, sx_mask;
};

struct fs_statx_time {
	int64_t seconds;
	uint32_t nanoseconds;
	int32_t reserved;
};

struct fs_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, spare0;
	uint64_t ino, size, blocks, attributes_mask;
	struct fs_statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t spare1[14];
};

struct fs_statx_out {
	uint64_t attr_valid;
	uint32_t attr_valid_nsec, flags;
	uint64_t spare[2];
	struct fs_statx stat;
};

#endif
