/* server.c - see fs.h: which request is which, and what each must have before it is looked at. */
#include "microvm/fs/server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/util.h"
#include "microvm/fs/vec.h"
#include "microvm/fs/wire.h"

enum {
	SMALL_REQUEST = 2048, /* copied to the stack */
	SPARE_DESCRIPTORS = 128,
	MAX_ID_MAPS = 340,
	MOST_HANDLES = 64 << 10,
	DEFAULT_LOCK_WAITS = 64,
	MOST_IO = 1 << 20,
};

static const uint32_t default_inodes = 1 << 20;

enum op_flags {
	OP_EARLY = 1,   /* also before INIT */
	OP_SERVER = 2,  /* about no inode */
	OP_CHANGES = 4, /* EROFS where nothing may be changed */
	OP_SILENT = 8,  /* has no reply */
	OP_SEALED = 16, /* also on a sealed inode: it only says what is there */
	OP_DATA = 32,   /* what is beyond `least` stays in the guest's memory */
};

static const struct op {
	uint32_t code;
	unsigned flags;
	size_t least; /* bytes behind the header */
	size_t reply; /* room that the answer needs, or the request is not done */
	op_fn *function;
} ops[] = {
	{ FUSE_LOOKUP, 0, 2, sizeof(struct fuse_entry_out), op_lookup },
	{ FUSE_FORGET, OP_SERVER | OP_SILENT, sizeof(struct fuse_forget_in), 0, op_forget },
	{ FUSE_GETATTR, OP_SEALED, sizeof(struct fuse_getattr_in), sizeof(struct fuse_attr_out),
	  op_getattr },
	{ FUSE_SETATTR, OP_CHANGES, sizeof(struct fuse_setattr_in), sizeof(struct fuse_attr_out),
	  op_setattr },
	{ FUSE_READLINK, 0, 0, 1, op_readlink },
	{ FUSE_SYMLINK, OP_CHANGES, 3, sizeof(struct fuse_entry_out), op_symlink },
	{ FUSE_MKNOD, OP_CHANGES, sizeof(struct fuse_mknod_in) + 2, sizeof(struct fuse_entry_out),
	  op_mknod },
	{ FUSE_MKDIR, OP_CHANGES, sizeof(struct fuse_mkdir_in) + 2, sizeof(struct fuse_entry_out),
	  op_mkdir },
	{ FUSE_UNLINK, OP_CHANGES, 2, 0, op_unlink },
	{ FUSE_RMDIR, OP_CHANGES, 2, 0, op_rmdir },
	{ FUSE_RENAME, OP_CHANGES, sizeof(struct fuse_rename_in) + 4, 0, op_rename },
	{ FUSE_LINK, OP_CHANGES, sizeof(struct fuse_link_in) + 2, sizeof(struct fuse_entry_out),
	  op_link },
	{ FUSE_OPEN, 0, sizeof(struct fuse_open_in), sizeof(struct fuse_open_out), op_open },
	{ FUSE_READ, 0, sizeof(struct fuse_read_in), 0, op_read },
	{ FUSE_WRITE, OP_CHANGES | OP_DATA, sizeof(struct fuse_write_in),
	  sizeof(struct fuse_write_out), op_write },
	{ FUSE_STATFS, OP_SEALED, 0, sizeof(struct fuse_statfs_out), op_statfs },
	{ FUSE_RELEASE, 0, sizeof(struct fuse_release_in), 0, op_release },
	{ FUSE_FSYNC, 0, sizeof(struct fuse_fsync_in), 0, op_fsync },
	{ FUSE_SETXATTR, OP_CHANGES, FUSE_COMPAT_SETXATTR_IN_SIZE + 2, 0, op_setxattr },
	{ FUSE_GETXATTR, 0, sizeof(struct fuse_getxattr_in) + 2, 0, op_getxattr },
	{ FUSE_LISTXATTR, 0, sizeof(struct fuse_getxattr_in), 0, op_listxattr },
	{ FUSE_REMOVEXATTR, OP_CHANGES, 2, 0, op_removexattr },
	{ FUSE_FLUSH, 0, sizeof(struct fuse_flush_in), 0, op_flush },
	{ FUSE_INIT, OP_EARLY | OP_SERVER, 16, sizeof(struct fuse_init_out), op_init },
	{ FUSE_OPENDIR, 0, sizeof(struct fuse_open_in), sizeof(struct fuse_open_out), op_opendir },
	{ FUSE_READDIR, 0, sizeof(struct fuse_read_in), 0, op_readdir },
	{ FUSE_RELEASEDIR, 0, sizeof(struct fuse_release_in), 0, op_releasedir },
	{ FUSE_FSYNCDIR, 0, sizeof(struct fuse_fsync_in), 0, op_fsyncdir },
	{ FUSE_GETLK, 0, sizeof(struct fuse_lk_in), sizeof(struct fuse_lk_out), op_getlk },
	{ FUSE_SETLK, 0, sizeof(struct fuse_lk_in), 0, op_setlk },
	{ FUSE_SETLKW, 0, sizeof(struct fuse_lk_in), 0, op_setlkw },
	{ FUSE_CREATE, OP_CHANGES, sizeof(struct fuse_create_in) + 2,
	  sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out), op_create },
	{ FUSE_INTERRUPT, OP_SERVER | OP_SILENT, sizeof(struct fuse_interrupt_in), 0,
	  op_interrupt },
	{ FUSE_DESTROY, OP_SERVER, 0, 0, op_destroy },
	{ FUSE_BATCH_FORGET, OP_SERVER | OP_SILENT, sizeof(struct fuse_batch_forget_in), 0,
	  op_batch_forget },
	{ FUSE_FALLOCATE, OP_CHANGES, sizeof(struct fuse_fallocate_in), 0, op_fallocate },
	{ FUSE_READDIRPLUS, 0, sizeof(struct fuse_read_in), 0, op_readdirplus },
	{ FUSE_RENAME2, OP_CHANGES, sizeof(struct fuse_rename2_in) + 4, 0, op_rename2 },
	{ FUSE_LSEEK, 0, sizeof(struct fuse_lseek_in), sizeof(struct fuse_lseek_out), op_lseek },
	{ FUSE_COPY_FILE_RANGE, 0, sizeof(struct fuse_copy_file_range_in),
	  sizeof(struct fuse_write_out), op_copy_file_range },
	{ FUSE_SYNCFS, 0, 0, 0, op_syncfs },
	{ FS_OP_TMPFILE, OP_CHANGES, sizeof(struct fuse_create_in),
	  sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out), op_tmpfile },
	{ FS_OP_STATX, OP_SEALED, sizeof(struct fs_statx_in), sizeof(struct fs_statx_out),
	  op_statx },
};

/*
 * ACCESS is not there since virtio-fs has the guest's kernel check permissions; IOCTL, POLL,
 * BMAP and the rest would be for things that the guest cannot open.
 */
static const struct op *op_find(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		if (ops[i].code == code)
			return &ops[i];
	return NULL;
}

ssize_t request_reply(struct request *r, const void *body, size_t size)
{
	if (size > r->room)
		return -ERANGE;
	vec_write(r->out, r->n_out, sizeof(struct fuse_out_header), body, size);
	return (ssize_t)size;
}

/* May this be done to the inode, and here? */
static int op_allowed(const struct op *op, const struct request *r)
{
	if (r->inode && r->inode->sealed && !(op->flags & OP_SEALED))
		return -EACCES;
	if ((op->flags & OP_CHANGES) &&
	    (r->server->config.read_only || (r->inode && r->inode->read_only)))
		return -EROFS;
	return 0;
}

static ssize_t op_run(const struct op *op, struct request *r)
{
	ssize_t n;

	if (!(op->flags & OP_EARLY) && !r->server->started)
		return -EPROTO;
	if (!(op->flags & OP_SERVER))
		TRY(inode_get(r->server, r->head.nodeid, &r->inode));
	n = op_allowed(op, r);
	if (n == 0)
		n = op->function(r);
	if (r->inode)
		inode_put(r->server, r->inode);
	return n;
}

/* Copies what the request says, so that the guest does not change it meanwhile, and does it. */
static ssize_t op_copy_and_run(const struct op *op, struct request *r, size_t size)
{
	_Alignas(8) char small[SMALL_REQUEST];
	auto_free char *large = NULL;
	size_t copied = size;

	if (size < op->least || r->room < op->reply)
		return -EINVAL;
	if (op->flags & OP_DATA) {
		copied = op->least;
		r->data = size - copied;
	}
	if (copied > REQUEST_MAX)
		return -E2BIG;
	if (copied > sizeof(small))
		large = mem_zalloc(copied);
	r->args = large ? large : small;
	r->size = vec_read(r->in, r->n_in, sizeof(r->head), large ? large : small, copied);
	return op_run(op, r);
}

ssize_t fs_server_handle(struct fs_server *server, const struct iovec *request, int n_request,
			 const struct iovec *reply, int n_reply)
{
	struct request r = {
		.server = server, .in = request, .n_in = n_request, .out = reply, .n_out = n_reply
	};
	size_t there = vec_size(request, n_request), room = vec_size(reply, n_reply);
	struct fuse_out_header head;
	const struct op *op;
	ssize_t n;

	if (vec_read(request, n_request, 0, &r.head, sizeof(r.head)) < sizeof(r.head))
		return -EBADMSG;
	op = op_find(r.head.opcode);
	if (room < sizeof(head) && !(op && (op->flags & OP_SILENT)))
		return -ENOSPC;
	r.room = room < sizeof(head) ? 0 : room - sizeof(head);
	server->requests++;
	if (r.head.len < sizeof(r.head) || r.head.len > there)
		n = -EINVAL;
	else if (!op)
		n = -ENOSYS;
	else
		n = op_copy_and_run(op, &r, r.head.len - sizeof(r.head));
	if (n < 0)
		server->failed++;
	if (op && (op->flags & OP_SILENT))
		return 0;
	head = (struct fuse_out_header){
		.len = (uint32_t)sizeof(head) + (n > 0 ? (uint32_t)n : 0),
		.error = n < 0 ? (int32_t)n : 0,
		.unique = r.head.unique,
	};
	vec_write(reply, n_reply, 0, &head, sizeof(head));
	return head.len;
}

bool fs_request_waits(const struct iovec *request, int n_request)
{
	struct fuse_in_header head;

	return vec_read(request, n_request, 0, &head, sizeof(head)) == sizeof(head) &&
	       head.opcode == FUSE_SETLKW;
}

/* ---- the server */

const struct fs_config fs_defaults = {
	.root_fd = -1,
	.proc_fd = -1,
	.cache = FS_CACHE_AUTO,
	.file_capabilities = true,
};

static uint32_t or_default(uint32_t wanted, uint64_t otherwise)
{
	return wanted ? wanted : (uint32_t)otherwise;
}

static int set_limits(struct fs_server *server, struct err *e)
{
	struct fs_config *c = &server->config;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_sys(e, "read the limit of open files");
	if (files.rlim_cur > 1 << 30)
		files.rlim_cur = 1 << 30;
	if (files.rlim_cur < (rlim_t)2 * SPARE_DESCRIPTORS)
		return err_set(
			e, EMFILE,
			"share a directory with a guest: a limit of %ju open files is too low, "
			"it takes %d",
			(uintmax_t)files.rlim_cur, 2 * SPARE_DESCRIPTORS);
	c->max_descriptors = or_default(c->max_descriptors, files.rlim_cur - SPARE_DESCRIPTORS);
	c->max_handles =
		or_default(c->max_handles,
			   files.rlim_cur / 4 < MOST_HANDLES ? files.rlim_cur / 4 : MOST_HANDLES);
	c->max_inodes = or_default(c->max_inodes, default_inodes);
	c->max_lock_waits = or_default(c->max_lock_waits, DEFAULT_LOCK_WAITS);
	c->max_io = or_default(c->max_io, MOST_IO);
	if (c->max_io > MOST_IO || c->max_io % 4096)
		return err_set(e, EINVAL,
			       "share a directory with a guest: max_io %u is no multiple of 4096 "
			       "up to %d",
			       c->max_io, MOST_IO);
	server->inodes.max = c->max_inodes;
	server->inodes.max_descriptors = c->max_descriptors;
	server->handles.max = c->max_handles;
	server->locks.max_owners = c->max_handles;
	server->locks.max_waiters = c->max_lock_waits;
	return 0;
}

static struct fs_id_map *maps_copy(const struct fs_id_map *maps, unsigned n)
{
	struct fs_id_map *copied = mem_zalloc((n ? n : 1) * sizeof(*maps));

	if (n)
		memcpy(copied, maps, n * sizeof(*maps));
	return copied;
}

static int open_directories(struct fs_server *server, struct err *e)
{
	int root, r;

	server->proc_fd = server->config.proc_fd >= 0
				  ? fcntl(server->config.proc_fd, F_DUPFD_CLOEXEC, 0)
				  : open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (server->proc_fd < 0)
		return err_sys(e, "open /proc/self/fd");
	root = openat(server->config.root_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open the directory to share with the guest");
	r = inodes_root(server, root);
	return r < 0 ? err_neg(e, r, "look at the directory to share with the guest") : 0;
}

int fs_server_new(const struct fs_config *config, struct fs_server **ret, struct err *e)
{
	struct fs_server *server;
	int r;

	if (config->n_uids > MAX_ID_MAPS || config->n_gids > MAX_ID_MAPS)
		return err_set(e, EINVAL, "share a directory with a guest: more than %d id maps",
			       MAX_ID_MAPS);
	server = mem_zalloc(sizeof(*server));
	server->config = *config;
	server->proc_fd = -1;
	server->uid = geteuid();
	server->gid = getegid();
	server->uids = maps_copy(config->uids, config->n_uids);
	server->gids = maps_copy(config->gids, config->n_gids);
	server->config.uids = server->uids;
	server->config.gids = server->gids;
	inodes_init(server);
	handles_init(server);
	locks_init(server);
	r = set_limits(server, e);
	if (r == 0)
		r = open_directories(server, e);
	server->config.root_fd = server->config.proc_fd = -1; /* the caller's */
	if (r < 0) {
		fs_server_free(server);
		return r;
	}
	umask(0);
	*ret = server;
	return 0;
}

void fs_server_stop(struct fs_server *server)
{
	locks_stop(server);
}

void fs_server_free(struct fs_server *server)
{
	if (!server)
		return;
	locks_done(server);
	handles_done(server);
	inodes_done(server);
	close_fd(&server->proc_fd);
	free(server->uids);
	free(server->gids);
	free(server);
}

void fs_server_stats(struct fs_server *server, struct fs_stats *ret)
{
	*ret = (struct fs_stats){ .requests = server->requests, .failed = server->failed };
	pthread_mutex_lock(&server->inodes.lock);
	ret->inodes = server->inodes.n;
	ret->descriptors = server->inodes.descriptors;
	ret->evictions = server->inodes.evictions;
	pthread_mutex_unlock(&server->inodes.lock);
	pthread_mutex_lock(&server->handles.lock);
	ret->handles = server->handles.n;
	pthread_mutex_unlock(&server->handles.lock);
	pthread_mutex_lock(&server->locks.lock);
	ret->lock_waits = server->locks.n_waiters;
	pthread_mutex_unlock(&server->locks.lock);
}
