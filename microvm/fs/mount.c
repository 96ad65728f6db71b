/* mount.c - see mount.h. */
#include "microvm/fs/mount.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/util.h"

/* File systems whose files are not storage: writing to one is a request to the host's kernel. */
static const unsigned long faces[] = {
	PROC_SUPER_MAGIC, SYSFS_MAGIC,          CGROUP_SUPER_MAGIC,   CGROUP2_SUPER_MAGIC,
	DEBUGFS_MAGIC,    TRACEFS_MAGIC,        SECURITYFS_MAGIC,     BPF_FS_MAGIC,
	SELINUX_MAGIC,    SMACK_MAGIC,          DEVPTS_SUPER_MAGIC,   NSFS_MAGIC,
	PSTOREFS_MAGIC,   EFIVARFS_MAGIC,       RDTGROUP_SUPER_MAGIC, BINFMTFS_MAGIC,
	AAFS_MAGIC,       BINDERFS_SUPER_MAGIC, 0x62656570, /* configfs */
	0x65735543,                                         /* fusectl */
	0x19800202,                                         /* mqueue */
	0x50495045,                                         /* pipefs */
	0x534f434b,                                         /* sockfs */
};

int mount_facts(int fd, bool *ret_read_only, bool *ret_sealed)
{
	struct statfs s;

	if (fstatfs(fd, &s) < 0)
		return -errno;
	*ret_read_only = (s.f_flags & ST_RDONLY) != 0;
	*ret_sealed = false;
	for (size_t i = 0; i < ARRAY_LEN(faces); i++)
		if ((unsigned long)s.f_type == faces[i])
			*ret_sealed = true;
	return 0;
}

uint64_t inode_number(uint32_t device, uint64_t number)
{
	uint64_t mixed;

	if (number < 1ULL << 48 && device < 1U << 14)
		return (uint64_t)device << 48 | number;
	/* An overlay's or a large file system's numbers fill all bits: 63 of a mixture of them. */
	mixed = (number ^ (uint64_t)device * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd;
	mixed = (mixed ^ mixed >> 33) * 0xc4ceb9fe1a85ec53;
	return mixed >> 1 | 1ULL << 63;
}
