/*
 * inode.h - what the guest knows by a node id: a file, directory, link or special file.
 *
 * A node id is an index into the table with a generation above it, so that a forged or
 * outdated one names nothing. Each inode is held by an O_PATH descriptor, which pins what it
 * is: nothing that the guest or somebody on the host renames makes it another. One inode is
 * one (mount, device, number): the same file under a read-only and a writable mount is two,
 * since what may be done with it differs.
 *
 * When descriptors run out, files (never directories) that no request or handle uses lose
 * theirs, the least recently used first, and are opened again by the name that they were last
 * seen with, if it is still the same file there. If not, -ESTALE makes the guest's kernel
 * look the path up anew.
 */
#ifndef HULL_MICROVM_FS_INODE_H
#define HULL_MICROVM_FS_INODE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct fs_server;

struct inode {
	uint64_t id;
	uint64_t lookups; /* that the guest has not forgotten yet */
	uint32_t users;   /* requests at work and open handles */
	int fd;           /* O_PATH; -1 when taken away */
	mode_t type;      /* S_IFREG and so on; never changes */
	uint64_t mount, number;
	uint32_t device_major, device_minor;
	uint32_t device; /* index for inode_number() in mount.h */
	struct statx_timestamp born;
	bool read_only; /* its mount is */
	bool sealed;    /* on a file system that is the kernel's face: see fs.h */
	bool submount;  /* the root of a mount */
	bool lost;      /* its number belongs to another file now */
	uint64_t parent;
	char *name; /* where it was seen last; NULL for a directory, or without a name */
	struct inode *next_in_bucket, *older, *newer;
};

struct inode_slot {
	struct inode *inode;
	uint32_t generation, next_free;
};

struct inode_table {
	pthread_mutex_t lock;
	struct inode_slot *slots; /* [0] is no inode, [FUSE_ROOT_ID] the root */
	uint32_t n_slots, free, n, max;
	struct inode **buckets;
	uint32_t n_buckets;
	struct inode *oldest, *newest; /* may lose their descriptors */
	uint32_t descriptors, max_descriptors;
	uint64_t evictions;
	struct inode_device {
		uint32_t major, minor;
	} * devices;
	uint32_t n_devices;
};

void inodes_init(struct fs_server *server);

/* The root is `fd`, which is taken. 0 or a negative errno. */
int inodes_root(struct fs_server *server, int fd);
void inodes_done(struct fs_server *server);

/* Forgets all but the root, as after an unmount. */
void inodes_clear(struct fs_server *server);

/* The inode of a node id, for inode_put(): 0, -ENOENT (never was one) or -ESTALE. */
int inode_get(struct fs_server *server, uint64_t id, struct inode **ret);

/* One more user of an inode that has one. */
void inode_hold(struct fs_server *server, struct inode *inode);
void inode_put(struct fs_server *server, struct inode *inode);

/* The guest has forgotten `n` lookups. The root stays. */
void inode_forget(struct fs_server *server, uint64_t id, uint64_t n);

/* All that statx(2) says here of a descriptor, O_PATH or not. 0 or a negative errno. */
int inode_stat(int fd, struct statx *ret);

/*
 * The inode behind `name` in `parent`, with one more lookup and one more user; its state in
 * *ret_st. 0 or a negative errno.
 */
int inode_lookup(struct fs_server *server, struct inode *parent, const char *name,
		 struct inode **ret, struct statx *ret_st);

/* The same for an open descriptor (not O_PATH) of a file in `parent`; `name` may be NULL. */
int inode_adopt(struct fs_server *server, struct inode *parent, const char *name, int fd,
		struct inode **ret, struct statx *ret_st);

/*
 * Of a snapshot: an inode with this id, and with `fd`, which is taken; without one it is lost, so
 * that the guest looks for it anew. inodes_placed() follows the last one, before there are
 * requests. 0 or a negative errno.
 */
int inode_place(struct fs_server *server, const struct inode *like, int fd);
void inodes_placed(struct fs_server *server);

/* Opens it anew as open(2) would; never anything but files and directories. */
int inode_open(struct fs_server *server, const struct inode *inode, int flags);

/* Room for one more descriptor of the server, found by taking one from an inode: 0 or -ENFILE. */
int inode_reserve(struct fs_server *server);
void inode_unreserve(struct fs_server *server);

/* The name of a descriptor below server->proc_fd. */
struct fd_name {
	char text[12];
};
struct fd_name fd_name(int fd);

#endif
