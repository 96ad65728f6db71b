/* mount.h - with what musl does not declare: the mount API by descriptor, as in the man pages. */
#ifndef HULL_COMPAT_SYS_MOUNT_H
#define HULL_COMPAT_SYS_MOUNT_H

#include_next <sys/mount.h>

#include <linux/mount.h>
#include <stddef.h>

int open_tree(int dirfd, const char *path, unsigned flags);
int move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags);
int fsopen(const char *type, unsigned flags);
int fsconfig(int fd, unsigned command, const char *key, const void *value, int aux);
int fsmount(int fd, unsigned flags, unsigned attributes);
int fspick(int dirfd, const char *path, unsigned flags);
int mount_setattr(int dirfd, const char *path, unsigned flags, struct mount_attr *attr, size_t size);

#endif
