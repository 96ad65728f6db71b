/*
 * vmm_options.h - what hull tells hull-vmm: "name=value" words in its arguments.
 *
 * Both sides use the same table. Numbers of descriptors are of the new
 * program; -1 is none.
 */
#ifndef HULL_MICROVM_VMM_OPTIONS_H
#define HULL_MICROVM_VMM_OPTIONS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"

struct vmm_options {
	const char *id;         /* of the container, for messages and ps(1) */
	const char *line;       /* the kernel's parameters */
	const char *vsock_name; /* "" without a vsock */
	/* descriptors */
	int64_t sock, gate;             /* handshake.h, gate.h; gate -1: GO comes by sock */
	int64_t kvm, kernel, initramfs; /* /dev/kvm; files */
	int64_t document;               /* document.h, a file */
	int64_t proc;                   /* /proc/self/fd of this process */
	int64_t control;                /* listens for exec; -1: none */
	int64_t disk;                   /* the root's image (disk.h), a file; -1: none */
	int64_t vsock, vsock_directory; /* vsock_host.h: a socket, a directory; -1: none */
	int64_t log;                    /* -1: standard error */
	/* numbers */
	int64_t log_level, log_json;
	int64_t memory, cpus; /* bytes */
	int64_t terminal;     /* standard input and output are the container's terminal */
};

/* The arguments, with the program's name first and a NULL behind the last; in `a`. */
struct strings vmm_options_write(const struct vmm_options *o, struct arena *a);
int vmm_options_read(char *const *argv, struct vmm_options *ret, struct err *e) MUST_CHECK;

#endif
