#include "engine/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "engine/userns.h"
#include "image/passwd.h"
#include "image/unpack.h"

struct unpacking {
	const struct engine *g;
	const struct image *image;
	const char *ids; /* NULL: as the layers say */
};

static int unpack_layer(const struct unpacking *u, size_t i, struct err *e)
{
	const struct digest *diff_id = &u->image->config.rootfs.diff_ids.at[i];
	const struct unpack_options o = {
		.whiteouts = u->g->rootless ? UNPACK_USERXATTR : UNPACK_OVERLAY,
		.ids = u->ids,
		.diff_id = diff_id->text,
	};
	auto_image_layer struct image_layer layer = { 0 };
	struct unpack_result result;
	auto_fd int blob = -1;
	struct digest found;

	TRY(image_layer_begin(&u->g->store, diff_id, &layer, e));
	if (layer.present)
		return 0;
	blob = image_store_open_blob(&u->g->store, &u->image->manifest.layers.at[i].digest, e);
	TRY(blob);
	log_info("unpacking layer %zu of %zu", i + 1, u->image->config.rootfs.diff_ids.n);
	if (image_unpack(blob, layer.fs, &o, &result, e) < 0)
		return err_wrap(e, "unpack layer %zu (%s)", i + 1, diff_id->text);
	TRY(digest_parse(result.diff_id, &found, e));
	return image_layer_commit(&layer, &found, e);
}

static int unpack(void *ctx, struct err *e)
{
	const struct unpacking *u = ctx;

	for (size_t i = 0; i < u->image->config.rootfs.diff_ids.n; i++)
		TRY(unpack_layer(u, i, e));
	return 0;
}

static bool all_there(const struct engine *g, const struct image *image)
{
	for (size_t i = 0; i < image->config.rootfs.diff_ids.n; i++) {
		auto_fd int fd =
			image_layer_open(&g->store, &image->config.rootfs.diff_ids.at[i], NULL);

		if (fd < 0)
			return false;
	}
	return true;
}

int rootfs_unpack(const struct engine *g, const struct image *image, struct err *e)
{
	struct unpacking u = { g, image, NULL };
	auto_arena struct arena a = { 0 };
	struct spec_idmaps uids, gids;

	if (all_there(g, image))
		return 0;
	if (g->rootless) {
		TRY(userns_maps(&a, &uids, &gids, e));
		if (uids.n == 1)
			u.ids = "squash"; /* there is but one owner that files can have */
	}
	return userns_run(unpack, &u, e);
}

void rootfs_layers(const struct engine *g, const struct image *image, struct arena *a,
		   struct strings *ret)
{
	size_t n = image->config.rootfs.diff_ids.n;

	ret->at = arena_array(a, n + 1, sizeof(*ret->at));
	ret->n = n;
	for (size_t i = 0; i < n; i++)
		ret->at[n - 1 - i] = arena_printf(a, "%s/layers/sha256/%s/fs", g->path.text,
						  digest_hex(&image->config.rootfs.diff_ids.at[i]));
}

/* The root directory itself shows the owner and mode of the upper one. */
static int make_upper(int dir, const char *top, struct err *e)
{
	struct stat st;

	if (stat(top, &st) < 0)
		return err_sys(e, "open the layer %s", top);
	/* In a file there is a root that nobody has seen yet. */
	if (!S_ISDIR(st.st_mode))
		st = (struct stat){ .st_mode = S_IFDIR | 0755 };
	if (mkdirat(dir, "upper", 0700) < 0 || mkdirat(dir, "work", 0700) < 0)
		return err_sys(e, "make the container's directories");
	if (geteuid() == 0 && fchownat(dir, "upper", st.st_uid, st.st_gid, 0) < 0)
		return err_sys(e, "make the container's directories");
	if (fchmodat(dir, "upper", st.st_mode & 07777, 0) < 0)
		return err_sys(e, "make the container's directories");
	return 0;
}

int rootfs_make(const struct engine *g UNUSED, int dir, const struct record *r, struct err *e)
{
	if (mkdirat(dir, "rootfs", 0755) < 0)
		return err_sys(e, "make the container's directories");
	return r->layers.n ? make_upper(dir, r->layers.at[0], e) : 0;
}

struct mount_overlay *rootfs_overlay(const struct engine *g, const struct record *r,
				     struct arena *a)
{
	struct mount_overlay *o;

	if (!r->layers.n)
		return NULL;
	o = arena_alloc(a, sizeof(*o));
	o->lowers = r->layers;
	o->upper = arena_printf(a, "%s/containers/%s/upper", g->path.text, r->id);
	o->work = arena_printf(a, "%s/containers/%s/work", g->path.text, r->id);
	o->in_place = g->rootless;
	return o;
}

struct mount_overlay *rootfs_look(const struct engine *g, const struct record *r, bool changed,
				  struct arena *a)
{
	struct mount_overlay *o = rootfs_overlay(g, r, a);
	struct strings lowers;

	if (!o)
		return NULL;
	if (changed) {
		lowers.n = o->lowers.n + 1;
		lowers.at = arena_array(a, lowers.n, sizeof(*lowers.at));
		lowers.at[0] = o->upper;
		memcpy(lowers.at + 1, o->lowers.at, o->lowers.n * sizeof(*lowers.at));
		o->lowers = lowers;
	}
	o->upper = o->work = NULL;
	return o;
}

struct reading {
	const struct mount_overlay *overlay;
	const char *rootfs;
	int files[2]; /* memfds: they come back from a child, too */
};

static int read_one(int root, const char *name, int to, struct err *e)
{
	auto_buf struct buf text = { 0 };
	int w;

	TRY(passwd_read(root, name, &text, e));
	w = text.len ? io_write_all(to, text.text, text.len) : 0;
	return w < 0 ? err_neg(e, w, "keep %s", name) : 0;
}

/*
 * The layer that has /etc/NAME, looked for without mounting anything: in almost all images /etc is a directory in
 * each layer that has one, and the file a file. Returns a descriptor of that layer; -ENOENT: no layer has it;
 * -EXDEV: there is a link, a whiteout or an opaque directory, and only overlayfs should say what that comes to.
 */
static int find_layer(const struct mount_overlay *o, const char *name)
{
	const char *opaque = o->in_place ? "user.overlay.opaque" : "trusted.overlay.opaque";
	char etc[64];
	struct stat st;

	for (size_t i = 0; i < o->lowers.n; i++) {
		auto_fd int layer = open(o->lowers.at[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		auto_fd int dir = -1;

		if (layer < 0)
			return -EXDEV; /* a file, say */
		dir = openat(layer, "etc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir < 0 && errno == ENOENT)
			continue;
		if (dir < 0)
			return -EXDEV;
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return S_ISREG(st.st_mode) ? take_fd(&layer) : -EXDEV;
		if (errno != ENOENT || fgetxattr(dir, opaque, etc, sizeof(etc)) >= 0)
			return -EXDEV;
	}
	return -ENOENT;
}

/* 1: the names that there are were read; 0: it needs the overlay. */
static int read_plain(const struct reading *r, const char *const *names, size_t n, struct err *e)
{
	int layers[2];
	int result = 1;

	for (size_t i = 0; i < n; i++) {
		layers[i] = find_layer(r->overlay, names[i] + sizeof("etc/") - 1);
		if (layers[i] < 0 && layers[i] != -ENOENT)
			result = 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (result > 0 && layers[i] >= 0 &&
		    read_one(layers[i], names[i], r->files[i], e) < 0)
			result = -e->code;
		if (layers[i] >= 0)
			close(layers[i]);
	}
	return result;
}

static int read_users(void *ctx, struct err *e)
{
	static const char *const names[] = { "etc/passwd", "etc/group" };
	const struct reading *r = ctx;
	int plain = r->overlay ? read_plain(r, names, ARRAY_LEN(names), e) : 0;
	auto_fd int root = -1;

	if (plain != 0)
		return plain < 0 ? plain : 0;
	root = r->overlay ? mount_overlay_open(r->overlay, e)
			  : open(r->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return r->overlay ? root : err_sys(e, "open %s", r->rootfs);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		TRY(read_one(root, names[i], r->files[i], e));
	return 0;
}

static int take(int file, struct buf *ret, struct err *e)
{
	int r;

	if (lseek(file, 0, SEEK_SET) < 0)
		return err_sys(e, "read the container's users");
	r = io_slurp(file, PASSWD_FILE_MAX, ret);
	return r < 0 ? err_neg(e, r, "read the container's users") : 0;
}

int rootfs_read_users(const struct engine *g, const struct record *r, struct buf *passwd,
		      struct buf *group, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_fd int first = memfd_create("passwd", MFD_CLOEXEC);
	auto_fd int second = memfd_create("group", MFD_CLOEXEC);
	struct reading reading = { rootfs_look(g, r, false, &a), r->rootfs, { first, second } };

	if (first < 0 || second < 0)
		return err_sys(e, "read the container's users");
	TRY(userns_run(read_users, &reading, e));
	TRY(take(first, passwd, e));
	return take(second, group, e);
}
