/* mount.h - what depends on the mount or the device that a file is on. */
#ifndef HULL_MICROVM_FS_MOUNT_H
#define HULL_MICROVM_FS_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Of the mount that the descriptor `fd` is on: may nothing be changed there, and is it a face of
 * the kernel (proc, sysfs ...), of which the guest sees no more than that it is there? 0 or a
 * negative errno.
 */
int mount_facts(int fd, bool *ret_read_only, bool *ret_sealed);

/*
 * What the guest sees as the number of file `number` on the tree's device of this index, the
 * root's being 0: the guest has one device for all of them.
 */
uint64_t inode_number(uint32_t device, uint64_t number);

#endif
