/* lock.h - locks on files that the host's processes and other guests see too. */
#ifndef HULL_MICROVM_FS_LOCK_H
#define HULL_MICROVM_FS_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct fs_server;
struct inode;

/*
 * A process of the guest that has locked parts of a file. On the host that is an open file
 * description of its own, so that owners conflict with each other as they would there.
 */
struct lock_owner {
	struct inode *inode; /* with a user */
	uint64_t owner;
	int fd;
	struct lock_owner *next;
};

/* A request that waits. */
struct lock_waiter {
	uint64_t unique;
	bool cancelled;
	struct lock_waiter *next;
};

struct lock_table {
	pthread_mutex_t lock;
	pthread_cond_t released;
	struct lock_owner *owners;
	struct lock_waiter *waiters;
	uint32_t n_owners, n_waiters, max_owners, max_waiters;
	bool stopped;
};

void locks_init(struct fs_server *server);
void locks_done(struct fs_server *server);

/* Ends all waiting and drops all locks. */
void locks_clear(struct fs_server *server);

/* The owner has closed a descriptor of this file, which drops its locks as POSIX has it. */
void locks_drop(struct fs_server *server, const struct inode *inode, uint64_t owner);

/* A file was closed, and with it a lock may have gone: who waits looks again. */
void locks_wake(struct fs_server *server);

/* Makes all that waits, now and later, fail with EINTR. */
void locks_stop(struct fs_server *server);

#endif
