/*
 * store_gc.c - removes what nothing leads to: marks from the entries and pins,
 * then sweeps. Alone in the store, and nothing goes before all is marked.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "image/name_set.h"
#include "image/store_private.h"

struct gc {
	const struct image_store *store;
	struct name_set blobs, layers; /* "sha256/HEX" */
	bool keep_layers;              /* it is not known which are needed */
	const char *algorithm;         /* of what is swept */
	struct image_gc *counts;
};

static void mark(struct name_set *set, const struct digest *d)
{
	name_set_add(set, store_place(d).text);
}

static int mark_image(struct gc *g, const struct digest *manifest, const char *who, struct err *e)
{
	auto_image struct image image = { .size = 0 };

	if (image_load(g->store, manifest, &image, e) < 0)
		return err_wrap(e,
				"nothing is removed, as %s can't be read (hull fsck --repair mends "
				"the store)",
				who);
	mark(&g->blobs, manifest);
	mark(&g->blobs, &image.id);
	for (size_t i = 0; i < image.manifest.layers.n; i++) {
		mark(&g->blobs, &image.manifest.layers.at[i].digest);
		mark(&g->layers, &image.config.rootfs.diff_ids.at[i]);
	}
	return 0;
}

/*
 * A container goes on without its image's documents, as long as it has its layers: where they are not known,
 * all stay until the image is whole again, or the container gone.
 */
static int mark_pinned(struct gc *g, const struct image_pin *pin, struct err *e)
{
	int r = mark_image(g, &pin->manifest, pin->name, e);

	/* Gone, or not what it was; anything else may pass. */
	if (r != -ENOENT && r != -EBADMSG && r != -EINVAL)
		return r;
	log_warn("all layers are kept: %s", e->msg);
	mark(&g->blobs, &pin->manifest);
	g->keep_layers = true;
	return 0;
}

static int mark_all(struct gc *g, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct image_records records;
	struct image_pins pins;

	TRY(image_store_list(g->store, &a, &records, e));
	for (size_t i = 0; i < records.n; i++)
		TRY(mark_image(g, &records.at[i].manifest.digest,
			       records.at[i].name ? records.at[i].name : "an image", e));
	TRY(image_store_pins(g->store, &a, &pins, e));
	for (size_t i = 0; i < pins.n; i++)
		TRY(mark_pinned(g, &pins.at[i], e));
	return 0;
}

/* What is not named as ours is left to check, which tells of it. */
static bool is_place(const char *algorithm, const char *name, char *ret, size_t size)
{
	struct digest d;
	char text[300];

	if (strlen(name) > 128)
		return false;
	snprintf(text, sizeof(text), "%s:%s", algorithm, name);
	if (digest_parse(text, &d, NULL) < 0)
		return false;
	snprintf(ret, size, "%s", store_place(&d).text);
	return true;
}

static int sweep_blob(const char *name, void *ctx, struct err *e)
{
	struct gc *g = ctx;
	char place[160];
	struct stat st;

	if (!is_place(g->algorithm, name, place, sizeof(place)) || name_set_has(&g->blobs, place))
		return 0;
	if (fstatat(g->store->blobs, place, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    unlinkat(g->store->blobs, place, 0) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "remove blob %s", name);
	g->counts->blobs++;
	g->counts->bytes += (uint64_t)st.st_size;
	return 0;
}

static int sweep_layer(const char *name, void *ctx, struct err *e)
{
	struct gc *g = ctx;
	char place[160];
	int r;

	if (!is_place(g->algorithm, name, place, sizeof(place)) || name_set_has(&g->layers, place))
		return 0;
	r = store_remove_layer(g->store, place);
	if (r < 0)
		return err_neg(e, r, "remove layer %s", name);
	g->counts->layers++;
	return 0;
}

static int sweep_staged(const char *name, void *ctx, struct err *e)
{
	struct gc *g = ctx;
	int r = io_remove_tree(g->store->staging, name);

	if (r < 0)
		return err_neg(e, r, "remove staging/%s of the image store", name);
	g->counts->staged++;
	return 0;
}

static int sweep_all(struct gc *g, struct err *e)
{
	static const char *const algorithms[] = { "sha256", "sha512" };

	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		g->algorithm = algorithms[i];
		if (!g->keep_layers)
			TRY(store_each(g->store->layers, algorithms[i], sweep_layer, g, e));
		TRY(store_each(g->store->blobs, algorithms[i], sweep_blob, g, e));
	}
	return store_each(g->store->dir, "staging", sweep_staged, g, e);
}

int image_store_gc(const struct image_store *s, unsigned wait_ms, struct image_gc *ret,
		   struct err *e)
{
	struct image_gc counts = { 0 };
	struct gc g = { .store = s, .counts = &counts };
	auto_fd int lock = -1, index_lock = -1;
	int r;

	TRY(lock = store_lock_file(s, "lock", true, wait_ms, e));
	/* Whoever changes names stages a file, too. */
	TRY(index_lock = store_lock_file(s, "index.lock", true, STORE_WAIT_USUAL, e));
	r = mark_all(&g, e);
	if (r == 0)
		r = sweep_all(&g, e);
	if (r == 0)
		r = image_layers_sync(s, e);
	name_set_done(&g.blobs);
	name_set_done(&g.layers);
	if (r == 0)
		*ret = counts;
	return r < 0 ? r : 0;
}
