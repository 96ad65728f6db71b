/*
 * owner.h - whose a file is: ids of the guest and of the host, and what the guest makes
 * belonging to the one in the guest who makes it.
 *
 * Nothing changes this process's own ids for that: a file is made as ours with no permission
 * for anyone, then given away, then gets its mode. What is given away is what was made (for
 * files the descriptor says so; for the rest, that it is ours, of the kind, and without any
 * permission, which no file that is swapped in will be; of a symbolic link, that it is ours).
 */
#ifndef HULL_MICROVM_FS_OWNER_H
#define HULL_MICROVM_FS_OWNER_H

#include <stdbool.h>
#include <sys/types.h>

#include "microvm/fs/fs.h"

struct fs_server;
struct request;

/* 65534 for what no map names. */
uint32_t owner_to_guest(const struct fs_id_map *maps, unsigned n, uint32_t host);

/* 0, or -EOVERFLOW for what no map names. */
int owner_to_host(const struct fs_id_map *maps, unsigned n, uint32_t guest, uint32_t *ret);

struct owner {
	uid_t uid;
	gid_t gid;
	bool is_us; /* a new file belongs to it without our doing */
};

/* Who asks, as the host's ids. 0 or -EOVERFLOW. */
int owner_of(const struct request *r, struct owner *ret);

/* The mode with which something for this owner is made. */
mode_t owner_first_mode(const struct owner *owner, mode_t mode);

/*
 * Gives the new object behind `fd` (O_PATH or not) in the directory `parent` away, unless
 * owner->is_us, and its mode to it. 0 or a negative errno.
 */
int owner_give(struct fs_server *server, int parent, int fd, const struct owner *owner,
	       mode_t mode);

#endif
