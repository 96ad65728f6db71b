/*
 * store_layers.c - unpacked layers: made in staging/, then renamed.
 *
 * The place of a layer is never empty, so that rename(2) puts a layer there
 * only if there is none. A layer leaves its place whole, too, and is removed in
 * staging/. Only one process at a time replaces a layer that a power cut may
 * have damaged: a directory that somebody has mounted is never moved.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/lock.h"
#include "image/name_set.h"
#include "image/store_private.h"

enum { BOOT_ID_SIZE = 64, UNPACK_WAIT_S = 600 };

static int boot_id(char *ret)
{
	return io_read_value(AT_FDCWD, "/proc/sys/kernel/random/boot_id", ret, BOOT_ID_SIZE);
}

int store_layer_state(const struct image_store *s, const char *place)
{
	char path[160], made[BOOT_ID_SIZE], now[BOOT_ID_SIZE];
	struct stat st;
	int r;

	snprintf(path, sizeof(path), "%s/fs", place);
	if (fstatat(s->layers, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return 0;
	snprintf(path, sizeof(path), "%s/boot", place);
	r = io_read_value(s->layers, path, made, sizeof(made));
	if (r == -ENOENT)
		return 1;
	if (r == 0)
		r = boot_id(now);
	if (r < 0)
		return r == -EOVERFLOW ? 0 : r;
	return strcmp(made, now) == 0;
}

int store_remove_layer(const struct image_store *s, const char *place)
{
	char staged[40];

	store_unique_name(staged, sizeof(staged));
	if (renameat(s->layers, place, s->staging, staged) < 0)
		return errno == ENOENT ? 0 : -errno;
	return io_remove_tree(s->staging, staged);
}

static int make_layer(struct image_layer *l)
{
	int staging = l->store->staging;

	store_unique_name(l->staged, sizeof(l->staged));
	if (mkdirat(staging, l->staged, 0700) < 0)
		return -errno;
	l->dir = openat(staging, l->staged, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->dir < 0 || mkdirat(l->dir, "fs", 0755) < 0)
		return -errno;
	l->fs = openat(l->dir, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Whatever the umask is. */
	return l->fs < 0 || fchmod(l->fs, 0755) < 0 ? -errno : 0;
}

/* A byte of a file, by the digest: two layers of the same byte would only wait for each other. */
static int lock_layer(struct image_layer *l)
{
	unsigned long long number;
	int r;

	if (sscanf(digest_hex(&l->diff_id), "%15llx", &number) != 1)
		return -EINVAL;
	l->lock = openat(l->store->dir, "unpack.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
			 0600);
	if (l->lock < 0)
		return -errno;
	/* One that does not come to its end is not waited for: then there are two, and the first wins. */
	r = lock_byte(l->lock, (int64_t)number, UNPACK_WAIT_S);
	return r == -ETIMEDOUT ? 0 : r;
}

int image_layer_begin(const struct image_store *s, const struct digest *diff_id,
		      struct image_layer *ret, struct err *e)
{
	struct image_layer l = { .store = s, .fs = -1, .dir = -1, .lock = -1, .diff_id = *diff_id };
	int r = store_layer_state(s, store_place(diff_id).text);

	if (r == 0)
		r = lock_layer(&l);
	if (r == 0)
		r = store_layer_state(s, store_place(diff_id).text);
	l.present = r == 1;
	if (r == 0)
		r = make_layer(&l);
	if (r < 0) {
		image_layer_abandon(&l);
		return err_neg(e, r, "begin layer %s", diff_id->text);
	}
	*ret = l;
	return 0;
}

/* Says in which boot it was made, until it is synced. */
static int mark_layer(const struct image_layer *l)
{
	char now[BOOT_ID_SIZE];
	auto_fd int fd = -1;

	TRY(boot_id(now));
	fd = openat(l->dir, "boot", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	return io_write_all(fd, now, strlen(now));
}

static int move_layer(const struct image_layer *l, const char *place)
{
	const struct image_store *s = l->store;

	if (renameat(s->staging, l->staged, s->layers, place) == 0)
		return 0;
	return errno == ENOTEMPTY || errno == EEXIST ? -EEXIST : -errno;
}

/* 1: another was there first. */
static int place_layer(const struct image_layer *l, struct err *e)
{
	struct store_place place = store_place(&l->diff_id);
	auto_fd int lock = -1;
	int r = move_layer(l, place.text);

	if (r == -ENOENT && digest_algorithm(&l->diff_id) == DIGEST_SHA512) {
		if (mkdirat(l->store->layers, "sha512", 0700) < 0 && errno != EEXIST)
			return err_sys(e, "store layer %s", l->diff_id.text);
		r = move_layer(l, place.text);
	}
	if (r == -EEXIST) {
		TRY(lock = store_lock_file(l->store, "layers.lock", true, STORE_WAIT_USUAL, e));
		r = store_layer_state(l->store, place.text);
		if (r == 0)
			r = store_remove_layer(l->store, place.text);
		if (r == 0)
			r = move_layer(l, place.text);
		if (r == -EEXIST)
			r = 1;
	}
	return r < 0 ? err_neg(e, r, "store layer %s", l->diff_id.text) : r;
}

static int commit_layer(struct image_layer *l, const struct digest *diff_id, struct err *e)
{
	int r;

	if (!digest_equal(&l->diff_id, diff_id))
		return err_set(e, EBADMSG, "store layer %s: its content has the digest %s",
			       l->diff_id.text, diff_id->text);
	r = mark_layer(l);
	if (r < 0)
		return err_neg(e, r, "store layer %s", l->diff_id.text);
	TRY(r = place_layer(l, e));
	/* Ours is not needed: abandon removes it. Otherwise it is there no more. */
	if (r == 0)
		l->staged[0] = '\0';
	return 0;
}

int image_layer_commit(struct image_layer *l, const struct digest *diff_id, struct err *e)
{
	int r = l->present ? 0 : commit_layer(l, diff_id, e);

	image_layer_abandon(l);
	return r;
}

void image_layer_abandon(struct image_layer *l)
{
	if (!l->store)
		return;
	close_fd(&l->fs);
	close_fd(&l->dir);
	if (l->staged[0])
		/* What stays is gc's. */
		(void)!io_remove_tree(l->store->staging, l->staged);
	close_fd(&l->lock);
	l->store = NULL;
}

int image_layer_open(const struct image_store *s, const struct digest *diff_id, struct err *e)
{
	struct store_place place = store_place(diff_id);
	char path[160];
	int fd, r = store_layer_state(s, place.text);

	if (r == 0)
		return err_set(e, ENOENT, "layer %s is not unpacked", diff_id->text);
	if (r < 0)
		return err_neg(e, r, "open layer %s", diff_id->text);
	snprintf(path, sizeof(path), "%s/fs", place.text);
	fd = openat(s->layers, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open layer %s", diff_id->text) : fd;
}

/* Layers of this boot that are not synced yet. */
struct unsynced {
	const struct image_store *store;
	const char *algorithm;
	struct name_set marks;
};

static int note_unsynced(const char *name, void *ctx, struct err *e UNUSED)
{
	struct unsynced *u = ctx;
	char place[160], mark[160];
	struct stat st;

	if (strlen(name) > 128)
		return 0;
	snprintf(place, sizeof(place), "%s/%.128s", u->algorithm, name);
	snprintf(mark, sizeof(mark), "%s/%.128s/boot", u->algorithm, name);
	if (fstatat(u->store->layers, mark, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    store_layer_state(u->store, place) == 1)
		name_set_add(&u->marks, mark);
	return 0;
}

static int sync_layers(struct unsynced *u, struct err *e)
{
	static const char *const algorithms[] = { "sha256", "sha512" };

	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		u->algorithm = algorithms[i];
		TRY(store_each(u->store->layers, algorithms[i], note_unsynced, u, e));
	}
	if (u->marks.n && syncfs(u->store->layers) < 0)
		return err_sys(e, "sync the image store");
	for (size_t i = 0; i < u->marks.n; i++)
		unlinkat(u->store->layers, u->marks.at[i], 0);
	return 0;
}

int image_layers_sync(const struct image_store *s, struct err *e)
{
	struct unsynced u = { .store = s };
	int r = sync_layers(&u, e);

	name_set_done(&u.marks);
	return r;
}
