/*
 * server.h - what the parts of the file system server share: the server, a request, and the
 * row of the table in server.c that answers it.
 *
 * Locks: inodes.lock and handles.lock guard the tables' own memory and are never held over a
 * system call that may wait for the file system (an unlocked lookup, then the table), nor one
 * within the other. locks.lock is outside of both, and a directory handle's lock outside of
 * inodes.lock; they are held while a file is opened or a directory read. What a request uses is
 * kept by a count (`users`), not by a lock.
 */
#ifndef HULL_MICROVM_FS_SERVER_H
#define HULL_MICROVM_FS_SERVER_H

#include <linux/fuse.h>
#include <stdatomic.h>

#include "microvm/fs/fs.h"
#include "microvm/fs/handle.h"
#include "microvm/fs/inode.h"
#include "microvm/fs/lock.h"

struct fs_server {
	struct fs_config config;
	struct fs_id_map *uids, *gids;
	int proc_fd; /* /proc/self/fd */
	uid_t uid;   /* whose a file is that this process makes */
	gid_t gid;
	_Atomic uint64_t features; /* FUSE_... agreed on with the guest */
	atomic_bool started;       /* INIT was answered */
	atomic_uint_fast64_t requests, failed;
	struct inode_table inodes;
	struct handle_table handles;
	struct lock_table locks;
};

struct request {
	struct fs_server *server;
	struct fuse_in_header head;
	const void *args;    /* our copy of what follows the header; of WRITE without the data */
	size_t size;         /* of `args` */
	struct inode *inode; /* of head.nodeid, for rows that say so */
	const struct iovec *in, *out;
	int n_in, n_out;
	size_t data; /* bytes that follow `args` in the request (WRITE) */
	size_t room; /* for the reply, without its header */
};

/* The longest request, but for what is written. */
enum { REQUEST_MAX = 160 << 10 };

/* Returns bytes of the reply behind its header, or a negative errno. */
typedef ssize_t op_fn(struct request *r);

/* A reply that is in our memory; returns `size`, or -ERANGE when there is no room for it. */
ssize_t request_reply(struct request *r, const void *body, size_t size);

/* init.c */
uint64_t init_features(const struct fs_config *c);
op_fn op_init, op_destroy;
/* attr.c */
op_fn op_getattr, op_setattr, op_statfs, op_statx, op_readlink;
/* tree.c */
op_fn op_lookup, op_forget, op_batch_forget, op_mknod, op_mkdir, op_symlink, op_link, op_unlink,
	op_rmdir, op_rename, op_rename2;
/* dir.c */
op_fn op_opendir, op_readdir, op_readdirplus, op_releasedir, op_fsyncdir;
/* open.c */
op_fn op_open, op_create, op_tmpfile, op_release, op_flush;
/* io.c */
op_fn op_read, op_write, op_fsync, op_fallocate, op_lseek, op_copy_file_range, op_syncfs;
/* xattr.c */
op_fn op_setxattr, op_getxattr, op_listxattr, op_removexattr;
/* lock.c */
op_fn op_getlk, op_setlk, op_setlkw, op_interrupt;

#endif
