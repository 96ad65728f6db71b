/*
 * initramfs.h - the guest's first file system, made in memory: the agent as /init and the
 * kernel's modules, in a "newc" archive (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
#ifndef HULL_MICROVM_INITRAMFS_H
#define HULL_MICROVM_INITRAMFS_H

#include "base/err.h"
#include "base/list.h"

/* What the names of modules begin with that are loaded when they are needed. */
#define INITRAMFS_NETWORK "net-"
#define INITRAMFS_DISK "disk-"

/*
 * Returns a memfd with it. The modules are /modules/NN, to be loaded in this
 * order; those of `network` and of `disk` are /modules/net-NN, /modules/disk-NN.
 */
int initramfs_make(int agent, const struct strings *modules, const struct strings *network,
		   const struct strings *disk, struct err *e) MUST_CHECK;

#endif
