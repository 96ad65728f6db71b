/*
 * sys.h - system calls and constants that the C library does not have yet.
 *
 * Thin: each returns what the kernel returns, -1 with errno on failure, and
 * follows the man page of the same name in section 2. Debian 12's headers are
 * the oldest that hull builds with.
 */
#ifndef HULL_BASE_SYS_H
#define HULL_BASE_SYS_H

#include <linux/openat2.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/types.h>

#ifndef MOVE_MOUNT_BENEATH
	#define MOVE_MOUNT_BENEATH 0x00000200
#endif
#ifndef CLONE_NEWTIME
	#define CLONE_NEWTIME 0x00000080
#endif

/* clone3(2) as fork: 0 in the child, its pid in the parent. */
pid_t sys_clone3(struct clone_args *args);
/*
 * openat2(2). The kernel gives up on a path (EAGAIN) when anybody renamed or mounted anything
 * meanwhile; that passes, so it is tried again, but not forever.
 */
int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int sys_pivot_root(const char *new_root, const char *put_old);

#endif
