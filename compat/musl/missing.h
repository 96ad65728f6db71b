/*
 * missing.h - what hull uses of the C library and musl does not have. Included before
 * anything else when hull is built with musl (compat/local.mk says when and why).
 */
#ifndef HULL_COMPAT_MISSING_H
#define HULL_COMPAT_MISSING_H

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>

#include "compat/musl/fortify.h"

#ifndef RENAME_NOREPLACE /* stdio.h has them elsewhere: renameat2(2) */
	#define RENAME_NOREPLACE (1 << 0)
	#define RENAME_EXCHANGE (1 << 1)
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
#endif
#ifndef CLOSE_RANGE_CLOEXEC
	#define CLOSE_RANGE_CLOEXEC (1U << 2)
int close_range(unsigned first, unsigned last, int flags);
#endif
#ifndef EM_LOONGARCH
	#define EM_LOONGARCH 258
#endif
#ifndef SCHED_ISO
	#define SCHED_ISO 4
#endif

/* The kernel's (linux/limits.h, linux/utsname.h), where musl has its own. */
#undef NGROUPS_MAX
#define NGROUPS_MAX 65536
#undef HOST_NAME_MAX
#define HOST_NAME_MAX 64

/* As of glibc: signal(7). musl keeps one more of them for itself, which no container has to know. */
#undef SIGRTMIN
#define SIGRTMIN 34
#undef SIGRTMAX
#define SIGRTMAX 64

const char *sigabbrev_np(int sig);
int malloc_trim(size_t keep); /* malloc.h has it elsewhere */

#endif
