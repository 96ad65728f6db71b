/*
 * handle.h - open files and directories that the guest has a handle of.
 *
 * A handle is an index into the table with a generation above it, and good only together with
 * the node id that it was opened for.
 */
#ifndef HULL_MICROVM_FS_HANDLE_H
#define HULL_MICROVM_FS_HANDLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct fs_server;
struct inode;

/* A part of a directory as getdents64(2) gave it; see dir.c. */
struct dir_chunk {
	char *bytes; /* DIR_CHUNK of them */
	uint32_t used;
	uint64_t begin, end; /* offsets of its first entry, and of what follows its last one */
};

struct handle {
	uint64_t id;
	uint32_t users; /* requests, and 1 until it is released */
	int fd;
	struct inode *inode; /* with a user that is this handle */
	bool is_dir;
	bool append;          /* each write goes to the end, as opened with O_APPEND */
	pthread_mutex_t lock; /* of `chunk`, held while the directory is read */
	struct dir_chunk chunk;
};

struct handle_table {
	pthread_mutex_t lock;
	struct handle_slot {
		struct handle *handle;
		uint32_t generation, next_free;
	} * slots;
	uint32_t n_slots, free, n, max;
};

void handles_init(struct fs_server *server);
void handles_done(struct fs_server *server);

/* Releases all. */
void handles_clear(struct fs_server *server);

/* May there be one more? 0 or -ENFILE; then handle_new() or handle_cancel() has to follow. */
int handle_reserve(struct fs_server *server);
void handle_cancel(struct fs_server *server);

/* Takes `fd`, open on `inode` (borrowed, gets one more user); returns the handle's id. */
uint64_t handle_new(struct fs_server *server, struct inode *inode, int fd, bool append);

/*
 * Of a snapshot: the same with this id, which may be in use already: then -EEXIST, or -EINVAL for
 * one that cannot be. handles_placed() follows the last one, before there are requests.
 */
int handle_place(struct fs_server *server, uint64_t id, struct inode *inode, int fd, bool append);
void handles_placed(struct fs_server *server);

/* For handle_put(). 0, or -EBADF if it is no handle of this inode or not of this kind. */
int handle_get(struct fs_server *server, uint64_t id, const struct inode *inode, bool is_dir,
	       struct handle **ret);
void handle_put(struct fs_server *server, struct handle *handle);

/* The guest has closed it. 0 or -EBADF. */
int handle_release(struct fs_server *server, uint64_t id, const struct inode *inode, bool is_dir);

#endif
