/*
 * save.c - what the guest knows of the files, out of the server and into another one.
 *
 * A file is written down by its path beneath the root, its number and when it was made. A
 * directory is what it is by where it is: an overlay that is mounted anew has another number for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "microvm/fs/mount.h"
#include "microvm/fs/name.h"
#include "microvm/fs/server.h"
#include "microvm/saved.h"

enum { DEVICES_MAX = 4096, FLAGS = O_ACCMODE | O_SYNC | O_DSYNC | O_NOATIME };

/* Beneath the root, of what is there by that path and nowhere else: O_PATH, or a negative errno. */
static int open_beneath(const struct fs_server *server, const char *path)
{
	int root = server->inodes.slots[FUSE_ROOT_ID].inode->fd, fd;

	fd = sys_openat2(root, path[0] ? path : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS);
	return fd < 0 ? -errno : fd;
}

static int path_of(const struct fs_server *server, int fd, char ret[PATH_MAX])
{
	ssize_t n = readlinkat(server->proc_fd, fd_name(fd).text, ret, PATH_MAX - 1);

	if (n < 0)
		return -errno;
	ret[n] = '\0';
	return 0;
}

static bool is_same(const struct inode *inode, const struct statx *st)
{
	return inode->number == st->stx_ino && inode->born.tv_sec == st->stx_btime.tv_sec &&
	       inode->born.tv_nsec == st->stx_btime.tv_nsec;
}

/* ---- out */

/* The kernel's name for it, without the root's; false if there is another file by that name, or none. */
static bool find_path(const struct fs_server *server, const struct inode *inode, const char *root,
		      char ret[PATH_MAX])
{
	size_t above = strcmp(root, "/") == 0 ? 0 : strlen(root);
	auto_fd int fd = -1;
	struct statx st;

	if (path_of(server, inode->fd, ret) < 0 || strncmp(ret, root, above) != 0)
		return false;
	if (ret[above] == '/')
		above++;
	else if (ret[above])
		return false;
	memmove(ret, ret + above, strlen(ret + above) + 1);
	fd = open_beneath(server, ret);
	return fd >= 0 && inode_stat(fd, &st) == 0 && is_same(inode, &st) &&
	       inode->mount == st.stx_mnt_id;
}

static void put_text(struct saved_out *o, const char *text)
{
	saved_put_counted(o, text, text ? strlen(text) : 0);
}

static void save_inode(struct fs_server *server, uint64_t id, const char *root, struct saved_out *o)
{
	struct inode *inode = server->inodes.slots[(uint32_t)id].inode, *got = NULL;
	char path[PATH_MAX];
	bool found = inode_get(server, id, &got) == 0 && find_path(server, inode, root, path);

	saved_put_u64(o, id);
	saved_put_u64(o, inode->lookups);
	saved_put_u32(o, inode->type);
	saved_put_u64(o, inode->number);
	saved_put_u64(o, (uint64_t)inode->born.tv_sec);
	saved_put_u32(o, inode->born.tv_nsec);
	saved_put_u32(o, inode->device);
	saved_put_u32(o, inode->submount);
	saved_put_u64(o, inode->parent);
	put_text(o, inode->name);
	saved_put_u32(o, found);
	put_text(o, found ? path : NULL);
	if (got)
		inode_put(server, got);
}

static int save_handle(struct fs_server *server, const struct handle *h, const char *root,
		       struct saved_out *o, struct err *e)
{
	int flags = fcntl(h->fd, F_GETFL);
	char path[PATH_MAX] = "?";

	if (flags < 0)
		return err_sys(e, "read how a file of the guest is open");
	if (!find_path(server, h->inode, root, path)) {
		if (path_of(server, h->fd, path) < 0)
			snprintf(path, sizeof(path), "one without a name");
		return err_set(e, ENOTSUP,
			       "the guest has a file open that has its name no more, which a "
			       "snapshot can't have: %s",
			       path);
	}
	saved_put_u64(o, h->id);
	saved_put_u64(o, h->inode->id);
	saved_put_u32(o, (uint32_t)flags & FLAGS);
	saved_put_u32(o, h->append);
	put_text(o, path);
	return 0;
}

int fs_server_save(struct fs_server *server, struct saved_out *o, struct err *e)
{
	struct inode_table *inodes = &server->inodes;
	struct handle_table *handles = &server->handles;
	char root[PATH_MAX];
	int r;

	if (server->config.locks)
		return err_set(e, ENOTSUP, "locks that are the host's can't be in a snapshot");
	r = path_of(server, inodes->slots[FUSE_ROOT_ID].inode->fd, root);
	if (r < 0)
		return err_neg(e, r, "read where the container's root is");
	saved_begin(o, SAVED_FILES, 0);
	saved_put_u64(o, server->features);
	saved_put_u32(o, server->started);
	saved_put_u32(o, inodes->n);
	for (uint32_t i = 0; i < inodes->n_slots; i++)
		if (inodes->slots[i].inode)
			save_inode(server, inodes->slots[i].inode->id, root, o);
	saved_put_u32(o, handles->n);
	for (uint32_t i = 0; i < handles->n_slots; i++)
		if (handles->slots[i].handle)
			TRY(save_handle(server, handles->slots[i].handle, root, o, e));
	return 0;
}

/* ---- in */

/* One of a snapshot, and its path beneath the root; without one it is lost. */
struct known {
	struct inode inode;
	bool found;
	char name[NAME_MAX + 1], path[PATH_MAX];
};

static bool take_truth(struct saved_in *in)
{
	uint32_t value = saved_u32(in);

	if (value > 1)
		in->bad = true;
	return value == 1;
}

static int take_inode(struct saved_in *in, struct known *k, struct err *e)
{
	struct inode *i = &k->inode;

	*i = (struct inode){ .fd = -1 };
	i->id = saved_u64(in);
	i->lookups = saved_u64(in);
	i->type = saved_u32(in);
	i->number = saved_u64(in);
	i->born.tv_sec = (int64_t)saved_u64(in);
	i->born.tv_nsec = saved_u32(in);
	i->device = saved_u32(in);
	i->submount = take_truth(in);
	i->parent = saved_u64(in);
	saved_text(in, k->name, sizeof(k->name));
	k->found = take_truth(in);
	saved_text(in, k->path, sizeof(k->path));
	if (in->bad)
		return saved_end(in, e);
	if (k->name[0] && (name_check(k->name) < 0 || i->type == S_IFDIR))
		return saved_refuse(in, e, "the name of an inode is none");
	if (k->name[0])
		i->name = k->name;
	if (i->device >= DEVICES_MAX)
		return saved_refuse(in, e, "more than %d file systems", DEVICES_MAX);
	if (i->lookups == 0)
		return saved_refuse(in, e, "an inode that the guest does not know");
	return 0;
}

/* The guest tells files of two file systems apart by our index for them (mount.h). */
static bool place_device(struct inode_table *t, const struct inode *inode)
{
	const struct inode_device d = { inode->device_major, inode->device_minor };

	for (uint32_t i = 0; i < t->n_devices; i++) {
		bool same = t->devices[i].major == d.major && t->devices[i].minor == d.minor;

		if (same != (i == inode->device) &&
		    (same || t->devices[i].major || t->devices[i].minor))
			return false;
	}
	while (t->n_devices <= inode->device) {
		t->devices = mem_grow(t->devices, t->n_devices + 1, sizeof(*t->devices));
		t->devices[t->n_devices++] = (struct inode_device){ 0, 0 };
	}
	t->devices[inode->device] = d;
	return true;
}

/* What is there now. `fd` -1: it is not the file that it was. */
static int look_at(struct fs_server *server, struct known *k, int *ret_fd, struct err *e)
{
	struct inode *i = &k->inode;
	auto_fd int fd = open_beneath(server, k->path);
	struct statx st;
	int r = fd;

	if (fd >= 0)
		r = inode_stat(fd, &st);
	if (r < 0 && i->type != S_IFDIR)
		return 0;
	if (r < 0)
		return err_neg(e, r, "the snapshot's directory /%s", k->path);
	if ((st.stx_mode & S_IFMT) != i->type || (i->type != S_IFDIR && !is_same(i, &st))) {
		if (i->type != S_IFDIR)
			return 0;
		return err_set(e, ENOTDIR, "the snapshot's directory /%s is none any more",
			       k->path);
	}
	i->number = st.stx_ino;
	i->born = st.stx_btime;
	i->mount = st.stx_mnt_id;
	i->device_major = st.stx_dev_major;
	i->device_minor = st.stx_dev_minor;
	r = mount_facts(fd, &i->read_only, &i->sealed);
	if (r < 0)
		return err_neg(e, r, "look at the file system of /%s", k->path);
	if (!place_device(&server->inodes, i))
		return err_set(e, EXDEV,
			       "the snapshot's file /%s is on another file system than it was",
			       k->path);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The root is there already. */
static int load_root(struct fs_server *server, const struct known *k, struct saved_in *in,
		     struct err *e)
{
	struct inode *root = server->inodes.slots[FUSE_ROOT_ID].inode;

	if (k->inode.type != S_IFDIR || k->path[0] || k->inode.device != root->device)
		return saved_refuse(in, e, "its root is none");
	root->lookups = k->inode.lookups;
	return 0;
}

static int load_inode(struct fs_server *server, struct saved_in *in, struct err *e)
{
	struct known k;
	int fd = -1, r;

	TRY(take_inode(in, &k, e));
	if (k.inode.id == FUSE_ROOT_ID)
		return load_root(server, &k, in, e);
	if (k.found)
		TRY(look_at(server, &k, &fd, e));
	r = inode_place(server, &k.inode, fd);
	if (r == -EINVAL || r == -EEXIST)
		return saved_refuse(in, e, "inode 0x%llx is there twice, or cannot be",
				    (unsigned long long)k.inode.id);
	return r < 0 ? err_neg(e, r, "hold the snapshot's file /%s", k.path) : 0;
}

static int open_handle(struct fs_server *server, const struct inode *inode, const char *path,
		       int flags, struct err *e)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;
	int fd = -EROFS;

	if (inode->sealed)
		fd = -EACCES;
	else if (!writes || !(server->config.read_only || inode->read_only))
		fd = inode_open(server, inode,
				inode->type == S_IFDIR ? O_RDONLY | O_DIRECTORY : flags);
	return fd < 0 ? err_neg(e, fd, "open the snapshot's file /%s again", path) : fd;
}

static int load_handle(struct fs_server *server, struct saved_in *in, struct err *e)
{
	uint64_t id = saved_u64(in), node = saved_u64(in);
	uint32_t flags = saved_u32(in);
	bool append = take_truth(in);
	char path[PATH_MAX];
	struct inode *inode;
	int fd, r;

	saved_text(in, path, sizeof(path));
	if (in->bad)
		return saved_end(in, e);
	if ((flags & ~(uint32_t)FLAGS) || (flags & O_ACCMODE) == O_ACCMODE)
		return saved_refuse(in, e, "a file is open as 0%o", flags);
	r = inode_get(server, node, &inode);
	if (r == -ENOENT)
		return saved_refuse(in, e, "a file is open that is none of those that it knows");
	if (r < 0)
		return err_set(e, ESTALE,
			       "the snapshot's guest has /%s open, which is not the same file any "
			       "more",
			       path);
	r = handle_reserve(server);
	if (r < 0)
		err_neg(e, r, "open the snapshot's file /%s again", path);
	fd = r < 0 ? r : open_handle(server, inode, path, (int)flags, e);
	r = fd < 0 ? fd : handle_place(server, id, inode, fd, append);
	inode_put(server, inode);
	if (fd >= 0 && r < 0)
		return saved_refuse(in, e, "handle 0x%llx is there twice, or cannot be",
				    (unsigned long long)id);
	return r;
}

int fs_server_load(struct fs_server *server, const struct saved *s, struct err *e)
{
	struct saved_in in;
	uint64_t features;
	uint32_t n;

	TRY(saved_part(s, SAVED_FILES, 0, &in, e));
	features = saved_u64(&in);
	if (features & ~init_features(&server->config))
		return saved_refuse(&in, e, "its guest has agreed to features 0x%llx of ours",
				    (unsigned long long)features);
	server->features = features;
	server->started = take_truth(&in);
	n = saved_u32(&in);
	for (uint32_t i = 0; i < n; i++)
		TRY(load_inode(server, &in, e));
	inodes_placed(server);
	n = saved_u32(&in);
	for (uint32_t i = 0; i < n; i++)
		TRY(load_handle(server, &in, e));
	handles_placed(server);
	return saved_end(&in, e);
}
