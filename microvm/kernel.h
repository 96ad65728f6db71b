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
	/* paths, in the order in which they are to be loaded; those of a network beyond the others */
	struct strings modules, network;
	bool has_network; /* it can drive a network device */
};

/*
 * Opens `path`, or without one (NULL) the newest of /usr/lib/hull/vmlinuz* and
 * /boot/vmlinuz-*, Debian's cloud kernels first. All strings live in `a`.
 */
int kernel_open(const char *path, struct arena *a, struct kernel *ret, struct err *e) MUST_CHECK;

/*
 * Pure: which of the files of `dep` (a modules.dep) are to be loaded for the
 * module `name`, in order, after those in `ret`. `builtin` is a
 * modules.builtin. -ENOENT: the kernel does not have it at all.
 */
int kernel_resolve(const char *dep, const char *builtin, const char *name, struct arena *a,
		   struct strings *ret);

enum { KERNEL_MODULES_MAX = 64 };

#endif
