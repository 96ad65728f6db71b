/* init.c - the first request and the last. */
#include <errno.h>
#include <stddef.h>

#include "microvm/fs/server.h"

enum { OLDEST_MINOR = 31, NEWEST_MINOR = 38, MAX_BACKGROUND = 64 };

/* What both sides have to want; the rest of what the guest offers is left. */
uint64_t init_features(const struct fs_config *c)
{
	uint64_t wanted = FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES |
			  FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO | FUSE_ASYNC_DIO |
			  FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES | FUSE_HANDLE_KILLPRIV_V2 |
			  FUSE_SETXATTR_EXT | FUSE_INIT_EXT;

	if (c->cache != FS_CACHE_ALWAYS)
		wanted |= FUSE_AUTO_INVAL_DATA;
	if (c->cache != FS_CACHE_NONE)
		wanted |= FUSE_CACHE_SYMLINKS;
	if (c->writeback && !c->read_only)
		wanted |= FUSE_WRITEBACK_CACHE;
	if (c->locks)
		wanted |= FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS;
	if (c->submounts)
		wanted |= FUSE_SUBMOUNTS;
	return wanted;
}

static void forget_all(struct fs_server *server)
{
	locks_clear(server);
	handles_clear(server);
	inodes_clear(server);
}

ssize_t op_init(struct request *r)
{
	const struct fs_config *c = &r->server->config;
	const struct fuse_init_in *in = r->args;
	/* Before 7.36 there was nothing behind `flags`. */
	bool extended =
		(in->flags & FUSE_INIT_EXT) && r->size >= offsetof(struct fuse_init_in, unused);
	struct fuse_init_out out = { .major = FUSE_KERNEL_VERSION,
				     .minor = NEWEST_MINOR };
	uint64_t features;

	if (in->major > FUSE_KERNEL_VERSION) /* it will ask again, in our version */
		return request_reply(r, &out, sizeof(out));
	if (in->major < FUSE_KERNEL_VERSION || in->minor < OLDEST_MINOR)
		return -EPROTO;
	forget_all(r->server);
	features = in->flags | (extended ? (uint64_t)in->flags2 << 32 : 0);
	features &= init_features(c);
	r->server->features = features;
	r->server->started = true;

	out.minor = in->minor < out.minor ? in->minor : out.minor;
	out.max_readahead = in->max_readahead;
	out.flags = (uint32_t)features;
	out.flags2 = (uint32_t)(features >> 32);
	out.max_background = MAX_BACKGROUND;
	out.congestion_threshold = MAX_BACKGROUND * 3 / 4;
	out.max_write = c->max_io;
	out.max_pages = (uint16_t)(c->max_io / 4096);
	out.time_gran = 1;
	return request_reply(r, &out, sizeof(out));
}

ssize_t op_destroy(struct request *r)
{
	r->server->started = false;
	forget_all(r->server);
	return 0;
}
