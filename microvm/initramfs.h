/*
 * initramfs.h - the guest's first file system, made in memory: the agent as /init and the
 * kernel's modules, in a "newc" archive (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
#ifndef HULL_MICROVM_INITRAMFS_H
#define HULL_MICROVM_INITRAMFS_H

#include "base/err.h"
#include "base/list.h"

/* Returns a memfd with it. The modules are /modules/NN, to be loaded in this order. */
int initramfs_make(int agent, const struct strings *modules, struct err *e) MUST_CHECK;

#endif
