/*
 * kernel.h - the guest's kernel among the host's files: which one, and the modules that it
 * lacks for our devices.
 */
#ifndef HULL_MICROVM_KERNEL_H
#define HULL_MICROVM_KERNEL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"

struct kernel {
	int fd; /* the image */
	const char *path, *version;
	/* paths, in the order in which they are to be loaded */
	struct strings modules;
	struct strings network, disk; /* beyond the others: for a network, for the root's image */
	bool has_network, has_disk;   /* it can drive them */
};

struct kernel_wish {
	/* NULL: the newest of /usr/lib/hull/vmlinuz* and /boot/vmlinuz-*, Debian's cloud kernels first. */
	const char *path;
	const char *disk; /* the type of the file system in the root's image; NULL: there is none */
	bool vsock;       /* it is to drive one */
};

/* Opens it and finds its modules. All strings live in `a`. */
int kernel_open(const struct kernel_wish *wish, struct arena *a, struct kernel *ret, struct err *e)
	MUST_CHECK;

/*
 * Pure: which of the files of `dep` (a modules.dep) are to be loaded for the
 * module `name`, in order, after those in `ret`. `builtin` is a
 * modules.builtin. -ENOENT: the kernel does not have it at all.
 */
int kernel_resolve(const char *dep, const char *builtin, const char *name, struct arena *a,
		   struct strings *ret);

enum { KERNEL_MODULES_MAX = 64 };

#endif
