/*
 * initramfs.h - the guest's first file system, made in memory: the agent as /init and the
 * kernel's modules, in a "newc" archive (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
#ifndef HULL_MICROVM_INITRAMFS_H
#define HULL_MICROVM_INITRAMFS_H

#include "base/err.h"
#include "base/list.h"

#define INITRAMFS_NETWORK "net-" /* what the names of a network's modules begin with */

/*
 * Returns a memfd with it. The modules are /modules/NN, to be loaded in this
 * order; those of `network`, which is loaded when there is one, /modules/net-NN.
 */
int initramfs_make(int agent, const struct strings *modules, const struct strings *network,
		   struct err *e) MUST_CHECK;

#endif
