/* inode.c - see inode.h. */
#include "microvm/fs/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/util.h"
#include "microvm/fs/mount.h"
#include "microvm/fs/name.h"
#include "microvm/fs/server.h"

enum { FIRST_SLOTS = 256, STAT_MASK = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID };

struct fd_name fd_name(int fd)
{
	struct fd_name name;

	snprintf(name.text, sizeof(name.text), "%d", fd);
	return name;
}

int inode_stat(int fd, struct statx *ret)
{
	if (statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STAT_MASK, ret) <
	    0)
		return -errno;
	return 0;
}

/* ---- the table, with its lock held */

static struct inode **bucket_of(struct inode_table *t, uint64_t mount, uint64_t number)
{
	uint64_t mixed = (number ^ mount << 40) * 0x9e3779b97f4a7c15;

	return &t->buckets[mixed >> 32 & (t->n_buckets - 1)];
}

static void buckets_grow(struct inode_table *t)
{
	struct inode **old = t->buckets;
	uint32_t n_old = t->n_buckets;

	t->n_buckets = n_old ? n_old * 2 : FIRST_SLOTS;
	t->buckets = mem_zalloc(t->n_buckets * sizeof(struct inode *));
	for (uint32_t i = 0; i < n_old; i++)
		for (struct inode *inode = old[i], *next; inode; inode = next) {
			struct inode **bucket = bucket_of(t, inode->mount, inode->number);

			next = inode->next_in_bucket;
			inode->next_in_bucket = *bucket;
			*bucket = inode;
		}
	free(old);
}

static void bucket_remove(struct inode_table *t, struct inode *inode)
{
	struct inode **at = bucket_of(t, inode->mount, inode->number);

	while (*at != inode)
		at = &(*at)->next_in_bucket;
	*at = inode->next_in_bucket;
}

static bool is_same_file(const struct inode *inode, const struct statx *st)
{
	return inode->number == st->stx_ino && inode->mount == st->stx_mnt_id &&
	       inode->device_major == st->stx_dev_major && inode->device_minor == st->stx_dev_minor;
}

/* A file that we hold no descriptor of may have gone, and its number have been given again. */
static bool is_as_old(const struct inode *inode, const struct statx *st)
{
	return inode->born.tv_sec == st->stx_btime.tv_sec &&
	       inode->born.tv_nsec == st->stx_btime.tv_nsec &&
	       inode->type == (st->stx_mode & S_IFMT);
}

static struct inode *inode_find(struct inode_table *t, const struct statx *st)
{
	struct inode *inode = *bucket_of(t, st->stx_mnt_id, st->stx_ino);

	while (inode && !is_same_file(inode, st))
		inode = inode->next_in_bucket;
	return inode;
}

static void slots_grow(struct inode_table *t)
{
	uint32_t n = t->n_slots ? t->n_slots * 2 : FIRST_SLOTS;

	t->slots = mem_grow(t->slots, n, sizeof(*t->slots));
	memset(t->slots + t->n_slots, 0, (n - t->n_slots) * sizeof(*t->slots));
	/* Slot 0 is never given out, it ends the list. */
	for (uint32_t i = n - 1; i >= t->n_slots && i > 0; i--) {
		t->slots[i].next_free = t->free;
		t->free = i;
	}
	t->n_slots = n;
}

static uint32_t slot_take(struct inode_table *t)
{
	uint32_t slot;

	if (!t->free)
		slots_grow(t);
	slot = t->free;
	t->free = t->slots[slot].next_free;
	t->n++;
	return slot;
}

static uint32_t device_index(struct inode_table *t, uint32_t major, uint32_t minor)
{
	uint32_t i = 0;

	while (i < t->n_devices && (t->devices[i].major != major || t->devices[i].minor != minor))
		i++;
	if (i == t->n_devices) {
		t->devices = mem_grow(t->devices, i + 1, sizeof(*t->devices));
		t->devices[t->n_devices++] = (struct inode_device){ major, minor };
	}
	return i;
}

static void queue_remove(struct inode_table *t, struct inode *inode)
{
	*(inode->older ? &inode->older->newer : &t->oldest) = inode->newer;
	*(inode->newer ? &inode->newer->older : &t->newest) = inode->older;
	inode->older = inode->newer = NULL;
}

static void queue_add(struct inode_table *t, struct inode *inode)
{
	inode->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = inode;
	t->newest = inode;
}

/* Only what nobody uses and has a name to come back by is in the queue. */
static bool is_queued(const struct inode *inode)
{
	return inode->users == 0 && inode->name && inode->fd >= 0;
}

/* Returns the descriptor to close when the lock is free, or -1. */
static int inode_remove(struct inode_table *t, struct inode *inode)
{
	uint32_t slot = (uint32_t)inode->id;
	int fd = inode->fd;

	if (!inode->lost)
		bucket_remove(t, inode);
	t->slots[slot].inode = NULL;
	t->slots[slot].generation++;
	t->slots[slot].next_free = t->free;
	t->free = slot;
	t->n--;
	if (fd >= 0)
		t->descriptors--;
	free(inode->name);
	free(inode);
	return fd;
}

static void inode_use(struct inode_table *t, struct inode *inode)
{
	if (is_queued(inode))
		queue_remove(t, inode);
	inode->users++;
}

/* Returns a descriptor to close, or -1. */
static int inode_unuse(struct inode_table *t, struct inode *inode)
{
	if (--inode->users > 0)
		return -1;
	if (inode->lookups == 0)
		return inode_remove(t, inode);
	if (is_queued(inode))
		queue_add(t, inode);
	return -1;
}

static void inode_rename(struct inode *inode, const struct inode *parent, const char *name)
{
	if (inode->type == S_IFDIR)
		return;
	inode->parent = parent->id;
	if (inode->name && name && strcmp(inode->name, name) == 0)
		return;
	free(inode->name);
	inode->name = name ? mem_strdup(name) : NULL;
}

/* ---- descriptors */

int inode_reserve(struct fs_server *server)
{
	struct inode_table *t = &server->inodes;
	struct inode *oldest;
	int fd = -1;

	pthread_mutex_lock(&t->lock);
	if (t->descriptors >= t->max_descriptors) {
		oldest = t->oldest;
		if (!oldest) {
			pthread_mutex_unlock(&t->lock);
			return -ENFILE;
		}
		queue_remove(t, oldest);
		fd = take_fd(&oldest->fd);
		t->evictions++;
	} else {
		t->descriptors++;
	}
	pthread_mutex_unlock(&t->lock);
	close_fd(&fd);
	return 0;
}

void inode_unreserve(struct fs_server *server)
{
	pthread_mutex_lock(&server->inodes.lock);
	server->inodes.descriptors--;
	pthread_mutex_unlock(&server->inodes.lock);
}

/* Opens an inode again that has lost its descriptor; its user keeps it in the table. */
static int inode_reopen(struct fs_server *server, struct inode *inode)
{
	struct inode_table *t = &server->inodes;
	auto_free char *name = NULL;
	struct inode *parent;
	uint64_t parent_id;
	auto_fd int fd = -1;
	struct statx st;
	int r;

	pthread_mutex_lock(&t->lock);
	parent_id = inode->parent;
	name = inode->lost || !inode->name ? NULL : mem_strdup(inode->name);
	pthread_mutex_unlock(&t->lock);
	if (!name || inode_get(server, parent_id, &parent) < 0)
		return -ESTALE;
	fd = name_open(parent->fd, name, O_PATH, 0);
	inode_put(server, parent);
	if (fd < 0)
		return fd == -EMFILE || fd == -ENFILE ? -ENFILE : -ESTALE;
	if (inode_stat(fd, &st) < 0 || !is_same_file(inode, &st) || !is_as_old(inode, &st))
		return -ESTALE;
	r = inode_reserve(server);
	if (r < 0)
		return r;
	pthread_mutex_lock(&t->lock);
	if (inode->fd < 0)
		inode->fd = take_fd(&fd);
	else
		t->descriptors--; /* another request was faster */
	pthread_mutex_unlock(&t->lock);
	return 0;
}

/* ---- for requests */

int inode_get(struct fs_server *server, uint64_t id, struct inode **ret)
{
	struct inode_table *t = &server->inodes;
	struct inode *inode = NULL;
	int r = 0;

	pthread_mutex_lock(&t->lock);
	if ((uint32_t)id < t->n_slots)
		inode = t->slots[(uint32_t)id].inode;
	if (!inode || inode->id != id) {
		pthread_mutex_unlock(&t->lock);
		return -ENOENT;
	}
	inode_use(t, inode);
	if (inode->fd < 0)
		r = -ESTALE;
	pthread_mutex_unlock(&t->lock);
	if (r < 0)
		r = inode_reopen(server, inode);
	if (r < 0)
		inode_put(server, inode);
	else
		*ret = inode;
	return r;
}

void inode_hold(struct fs_server *server, struct inode *inode)
{
	pthread_mutex_lock(&server->inodes.lock);
	inode->users++;
	pthread_mutex_unlock(&server->inodes.lock);
}

void inode_put(struct fs_server *server, struct inode *inode)
{
	int fd;

	pthread_mutex_lock(&server->inodes.lock);
	fd = inode_unuse(&server->inodes, inode);
	pthread_mutex_unlock(&server->inodes.lock);
	close_fd(&fd);
}

void inode_forget(struct fs_server *server, uint64_t id, uint64_t n)
{
	struct inode_table *t = &server->inodes;
	struct inode *inode = NULL;
	int fd = -1;

	if (id == FUSE_ROOT_ID)
		return;
	pthread_mutex_lock(&t->lock);
	if ((uint32_t)id < t->n_slots)
		inode = t->slots[(uint32_t)id].inode;
	if (inode && inode->id == id) {
		inode_use(t, inode);
		inode->lookups -= n < inode->lookups ? n : inode->lookups;
		fd = inode_unuse(t, inode);
	}
	pthread_mutex_unlock(&t->lock);
	close_fd(&fd);
}

/*
 * Enters what the O_PATH descriptor *fd shows, which is taken if it is new, with one lookup
 * and one user more. `parent` is NULL for the root.
 */
static int inode_enter(struct fs_server *server, struct inode *parent, const char *name, int *fd,
		       const struct statx *st, struct inode **ret)
{
	struct inode_table *t = &server->inodes;
	bool is_root_of_mount = !parent || parent->mount != st->stx_mnt_id;
	bool read_only = false, sealed = false;
	struct inode *inode;
	int r;

	if (is_root_of_mount) {
		TRY(mount_facts(*fd, &read_only, &sealed));
	} else {
		read_only = parent->read_only;
		sealed = parent->sealed;
	}
	r = inode_reserve(server); /* before the table is looked at: it may take one away */
	pthread_mutex_lock(&t->lock);
	inode = inode_find(t, st);
	if (inode && inode->fd < 0 && !is_as_old(inode, st)) {
		bucket_remove(t, inode);
		inode->lost = true;
		inode = NULL;
	}
	if (inode) {
		inode_use(t, inode);
		if (inode->fd < 0 && r == 0)
			inode->fd = take_fd(fd);
		else if (r == 0)
			t->descriptors--;
		r = inode->fd < 0 ? -ENFILE : 0;
	} else if (r == 0 && t->n >= t->max) {
		t->descriptors--;
		r = -ENFILE;
	} else if (r == 0) {
		uint32_t slot = slot_take(t);

		if (t->n > t->n_buckets)
			buckets_grow(t);
		inode = mem_zalloc(sizeof(*inode));
		*inode = (struct inode){
			.id = (uint64_t)t->slots[slot].generation << 32 | slot,
			.users = 1,
			.fd = take_fd(fd),
			.type = st->stx_mode & S_IFMT,
			.mount = st->stx_mnt_id,
			.number = st->stx_ino,
			.device_major = st->stx_dev_major,
			.device_minor = st->stx_dev_minor,
			.device = device_index(t, st->stx_dev_major, st->stx_dev_minor),
			.born = st->stx_btime,
			.read_only = read_only,
			.sealed = sealed,
			.submount = parent && is_root_of_mount && S_ISDIR(st->stx_mode),
		};
		t->slots[slot].inode = inode;
		inode->next_in_bucket = *bucket_of(t, inode->mount, inode->number);
		*bucket_of(t, inode->mount, inode->number) = inode;
	}
	if (r == 0) {
		inode->lookups++;
		if (parent)
			inode_rename(inode, parent, name);
		*ret = inode;
	} else if (inode) {
		int unused = inode_unuse(t, inode); /* it has no descriptor */

		(void)unused;
	}
	pthread_mutex_unlock(&t->lock);
	return r;
}

/* One that is known already, and has its descriptor: then it cannot be another of its number. */
static bool inode_known(struct fs_server *server, const struct inode *parent, const char *name,
			const struct statx *st, struct inode **ret)
{
	struct inode_table *t = &server->inodes;
	struct inode *inode;

	pthread_mutex_lock(&t->lock);
	inode = inode_find(t, st);
	if (inode && inode->fd >= 0) {
		inode_use(t, inode);
		inode->lookups++;
		inode_rename(inode, parent, name);
		*ret = inode;
	} else {
		inode = NULL;
	}
	pthread_mutex_unlock(&t->lock);
	return inode;
}

int inode_lookup(struct fs_server *server, struct inode *parent, const char *name,
		 struct inode **ret, struct statx *ret_st)
{
	auto_fd int fd = -1;

	TRY(name_check(name));
	/* Guests look again and again: for what they know, one call instead of three. */
	if (statx(parent->fd, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STAT_MASK, ret_st) < 0)
		return -errno;
	if (inode_known(server, parent, name, ret_st, ret))
		return 0;
	fd = name_open(parent->fd, name, O_PATH, 0);
	TRY(fd);
	TRY(inode_stat(fd, ret_st));
	return inode_enter(server, parent, name, &fd, ret_st, ret);
}

int inode_adopt(struct fs_server *server, struct inode *parent, const char *name, int fd,
		struct inode **ret, struct statx *ret_st)
{
	auto_fd int path = openat(server->proc_fd, fd_name(fd).text, O_PATH | O_CLOEXEC);

	if (path < 0)
		return -errno;
	TRY(inode_stat(path, ret_st));
	return inode_enter(server, parent, name, &path, ret_st, ret);
}

int inode_open(struct fs_server *server, const struct inode *inode, int flags)
{
	int fd;

	/* Opening a device, a FIFO or a socket does something on the host. */
	if (inode->type != S_IFREG && inode->type != S_IFDIR)
		return inode->type == S_IFLNK ? -ELOOP : -ENXIO;
	fd = openat(server->proc_fd, fd_name(inode->fd).text, flags | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* ---- the whole table */

void inodes_init(struct fs_server *server)
{
	pthread_mutex_init(&server->inodes.lock, NULL);
	buckets_grow(&server->inodes);
}

int inodes_root(struct fs_server *server, int fd)
{
	auto_fd int root = fd;
	struct inode *inode;
	struct statx st;

	TRY(inode_stat(root, &st));
	if (!(st.stx_mask & STATX_MNT_ID)) /* Linux 5.8 */
		return -ENOSYS;
	return inode_enter(server, NULL, NULL, &root, &st, &inode); /* it keeps its user */
}

void inodes_clear(struct fs_server *server)
{
	struct inode_table *t = &server->inodes;

	bool more = true;

	for (uint32_t i = FUSE_ROOT_ID + 1; more; i++) {
		uint64_t id = 0;

		pthread_mutex_lock(&t->lock);
		more = i < t->n_slots;
		if (more && t->slots[i].inode)
			id = t->slots[i].inode->id;
		pthread_mutex_unlock(&t->lock);
		if (id)
			inode_forget(server, id, UINT64_MAX);
	}
}

int inode_place(struct fs_server *server, const struct inode *like, int fd)
{
	struct inode_table *t = &server->inodes;
	uint32_t slot = (uint32_t)like->id;
	const struct statx st = { .stx_mnt_id = like->mount,
				  .stx_ino = like->number,
				  .stx_dev_major = like->device_major,
				  .stx_dev_minor = like->device_minor };
	auto_fd int path = fd;
	struct inode *inode;
	int r = 0;

	if (slot <= FUSE_ROOT_ID || slot / 2 >= t->max || t->n >= t->max)
		return -EINVAL;
	if (path >= 0)
		TRY(inode_reserve(server));
	pthread_mutex_lock(&t->lock);
	while (slot >= t->n_slots)
		slots_grow(t);
	if (t->slots[slot].inode || (path >= 0 && inode_find(t, &st))) {
		r = -EEXIST;
		t->descriptors -= path >= 0;
	} else {
		if (++t->n > t->n_buckets)
			buckets_grow(t);
		inode = mem_zalloc(sizeof(*inode));
		*inode = *like;
		inode->name = like->name ? mem_strdup(like->name) : NULL;
		inode->lost = path < 0;
		inode->fd = take_fd(&path);
		t->slots[slot].inode = inode;
		t->slots[slot].generation = (uint32_t)(like->id >> 32);
		if (!inode->lost) {
			inode->next_in_bucket = *bucket_of(t, inode->mount, inode->number);
			*bucket_of(t, inode->mount, inode->number) = inode;
		}
		if (is_queued(inode))
			queue_add(t, inode);
	}
	pthread_mutex_unlock(&t->lock);
	return r;
}

void inodes_placed(struct fs_server *server)
{
	struct inode_table *t = &server->inodes;

	pthread_mutex_lock(&t->lock);
	t->free = 0;
	for (uint32_t i = t->n_slots - 1; i > 0; i--)
		if (!t->slots[i].inode) {
			t->slots[i].next_free = t->free;
			t->free = i;
		}
	pthread_mutex_unlock(&t->lock);
}

void inodes_done(struct fs_server *server)
{
	struct inode_table *t = &server->inodes;

	for (uint32_t i = 0; i < t->n_slots; i++)
		if (t->slots[i].inode) {
			close_fd(&t->slots[i].inode->fd);
			free(t->slots[i].inode->name);
			free(t->slots[i].inode);
		}
	free(t->slots);
	free(t->buckets);
	free(t->devices);
	pthread_mutex_destroy(&t->lock);
	*t = (struct inode_table){ 0 };
}
