/* store_check.c - `hull fsck`: finds what is wrong with the store, and mends what can be. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "image/store_private.h"

struct check {
	const struct image_store *store;
	bool mend;
	void (*tell)(const struct image_problem *p, void *ctx);
	void *ctx;
	unsigned remaining;
	const char *algorithm;     /* of what is looked at */
	struct image_index *found; /* manifests among the blobs, while index.json is made again */
	struct arena arena;
};

/* `mending` is what the attempt to mend it returned: < 0 if there was none or it failed. */
PRINTF_LIKE(4, 5)
static void tell(struct check *c, enum image_problem_kind kind, int mending, const char *fmt, ...)
{
	auto_buf struct buf what = { 0 };
	struct image_problem p = { .kind = kind, .mended = mending >= 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&what, fmt, ap);
	va_end(ap);
	p.what = what.text;
	c->remaining += !p.mended;
	if (c->tell)
		c->tell(&p, c->ctx);
}

static int remove_file(const struct check *c, int dir, const char *name)
{
	if (!c->mend)
		return -1;
	return unlinkat(dir, name, 0) < 0 ? -errno : 0;
}

static bool name_digest(const struct check *c, const char *name, struct digest *ret)
{
	char text[300];

	snprintf(text, sizeof(text), "%s:%.256s", c->algorithm, name);
	return digest_parse(text, ret, NULL) == 0;
}

static int check_blob(const char *name, void *ctx, struct err *e)
{
	struct check *c = ctx;
	struct digest named, found;
	auto_fd int fd = -1;
	const char *place;
	struct store_place at;
	struct stat st;
	int r;

	if (!name_digest(c, name, &named)) {
		tell(c, IMAGE_PROBLEM_FOREIGN, -1, "blobs/%s/%s is not a blob", c->algorithm, name);
		return 0;
	}
	at = store_place(&named);
	place = at.text;
	fd = openat(c->store->blobs, place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		tell(c, IMAGE_PROBLEM_BLOB, remove_file(c, c->store->blobs, place),
		     "blob %s is not a file that can be read", named.text);
		return 0;
	}
	r = digest_of_fd(digest_algorithm(&named), fd, &found, NULL);
	if (r < 0)
		return err_neg(e, r, "read blob %s", named.text);
	if (!digest_equal(&named, &found))
		tell(c, IMAGE_PROBLEM_BLOB, remove_file(c, c->store->blobs, place),
		     "blob %s is damaged: its content has the digest %s", named.text, found.text);
	return 0;
}

static int check_layer(const char *name, void *ctx, struct err *e)
{
	struct check *c = ctx;
	struct store_place place;
	struct digest named;
	int state;

	if (!name_digest(c, name, &named)) {
		tell(c, IMAGE_PROBLEM_FOREIGN, -1, "layers/%s/%s is not a layer", c->algorithm,
		     name);
		return 0;
	}
	place = store_place(&named);
	state = store_layer_state(c->store, place.text);
	if (state < 0)
		return err_neg(e, state, "look at layer %s", named.text);
	if (state == 0)
		tell(c, IMAGE_PROBLEM_LAYER,
		     c->mend ? store_remove_layer(c->store, place.text) : -1,
		     "layer %s may be half unpacked: it was made in an earlier boot and never "
		     "synced",
		     named.text);
	return 0;
}

static int check_staged(const char *name, void *ctx, struct err *e UNUSED)
{
	struct check *c = ctx;

	tell(c, IMAGE_PROBLEM_STAGING, io_remove_tree(c->store->staging, name),
	     "staging/%s was left by a command that was ended", name);
	return 0;
}

static int check_image(const struct check *c, const struct digest *manifest, struct err *why)
{
	auto_image struct image image = { .size = 0 };

	TRY(image_load(c->store, manifest, &image, why));
	return store_check_blobs(c->store, &image, why);
}

/* The pin of an image that is not whole stays: the container may run, and its layers are kept by it. */
static int check_pin(const char *name, void *ctx, struct err *e UNUSED)
{
	struct check *c = ctx;
	struct err why = { 0 };
	char path[NAME_MAX + 8], target[DIGEST_TEXT_MAX + 2];
	struct digest d;
	ssize_t n;

	snprintf(path, sizeof(path), "pins/%s", name);
	n = readlinkat(c->store->dir, path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	if (digest_parse(target, &d, NULL) < 0)
		tell(c, IMAGE_PROBLEM_PIN, remove_file(c, c->store->dir, path),
		     "pins/%s is not a pin", name);
	else if (check_image(c, &d, &why) < 0)
		tell(c, IMAGE_PROBLEM_PIN, -1,
		     "container %s needs image %s: %s; pull it again, or remove the container",
		     name, d.text, why.msg);
	return 0;
}

/* Whether a blob is a manifest of an image: small, and says so. */
static int find_manifest(const char *name, void *ctx, struct err *e UNUSED)
{
	struct check *c = ctx;
	auto_buf struct buf text = { 0 };
	struct image_manifest m;
	struct image_descriptor *more;
	struct image_index *index = c->found;
	struct digest d;

	if (!name_digest(c, name, &d) || image_store_read(c->store, &d, &text, NULL) < 0 ||
	    image_manifest_parse(&m, name, text.text, text.len, NULL) < 0)
		return 0;
	more = arena_array(&c->arena, index->manifests.n + 1, sizeof(*more));
	if (index->manifests.n)
		memcpy(more, index->manifests.at, index->manifests.n * sizeof(*more));
	more[index->manifests.n] = (struct image_descriptor){
		.media_type = m.media_type && media_type_find(m.media_type)->docker
				      ? MEDIA_DOCKER_MANIFEST
				      : MEDIA_OCI_MANIFEST,
		.digest = d,
		.size = text.len,
	};
	index->manifests.at = more;
	index->manifests.n++;
	image_manifest_done(&m);
	return 0;
}

static int each_algorithm(struct check *c, int dir,
			  int (*fn)(const char *name, void *ctx, struct err *e), struct err *e)
{
	static const char *const algorithms[] = { "sha256", "sha512" };

	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		c->algorithm = algorithms[i];
		TRY(store_each(dir, algorithms[i], fn, c, e));
	}
	return 0;
}

/* Names are lost with index.json, images are not. What was there is kept beside. */
static int make_index_again(struct check *c, struct err *e)
{
	struct image_index index = { .schema_version = 2 };
	int r;

	if (renameat(c->store->dir, "index.json", c->store->dir, "index.json.damaged") < 0 &&
	    errno != ENOENT)
		return err_sys(e, "set index.json aside");
	c->found = &index;
	r = each_algorithm(c, c->store->blobs, find_manifest, e);
	c->found = NULL;
	TRY(r);
	return store_write_index(c->store, &index, e);
}

static int check_files(struct check *c, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct image_index index;
	struct err why = { 0 };

	if (io_read_file(c->store->dir, "oci-layout", 4096, "oci-layout", &text, &why) < 0 ||
	    image_layout_check("oci-layout", text.text, text.len, &why) < 0)
		tell(c, IMAGE_PROBLEM_INDEX,
		     c->mend ? store_write(c->store, "oci-layout", STORE_LAYOUT,
					   strlen(STORE_LAYOUT), false, e)
			     : -1,
		     "%s", why.msg);
	if (store_read_index(c->store, &index, &why) == 0) {
		image_index_done(&index);
		return 0;
	}
	if (c->mend)
		TRY(make_index_again(c, e));
	tell(c, IMAGE_PROBLEM_INDEX, c->mend ? 0 : -1,
	     c->mend ? "%s; made again, without names" : "%s", why.msg);
	return 0;
}

/* Entries whose images lack something: taken away all at once. */
static int check_entries(struct check *c, struct err *e)
{
	struct image_index index;
	struct image_descriptors kept;
	size_t total;
	int r = 0;

	if (store_read_index(c->store, &index, NULL) < 0)
		return 0; /* it was told of */
	total = index.manifests.n;
	kept = (struct image_descriptors){ arena_array(&c->arena, total, sizeof(*kept.at)), 0 };
	for (size_t i = 0; i < total; i++) {
		const struct image_descriptor *entry = &index.manifests.at[i];
		struct image_record record;
		struct err why = { 0 };

		if (store_record(entry, &record) && check_image(c, &entry->digest, &why) < 0)
			tell(c, IMAGE_PROBLEM_ENTRY, c->mend ? 0 : -1, "%s%s%s",
			     record.name ? record.name : "", record.name ? ": " : "", why.msg);
		else
			kept.at[kept.n++] = *entry;
	}
	if (c->mend && kept.n != total) {
		index.manifests = kept;
		r = store_write_index(c->store, &index, e);
	}
	image_index_done(&index);
	return r;
}

static int check_all(struct check *c, struct err *e)
{
	/* First what is read by what comes after. */
	TRY(each_algorithm(c, c->store->blobs, check_blob, e));
	TRY(check_files(c, e));
	TRY(check_entries(c, e));
	TRY(each_algorithm(c, c->store->layers, check_layer, e));
	TRY(store_each(c->store->dir, "pins", check_pin, c, e));
	if (c->mend)
		TRY(store_each(c->store->dir, "staging", check_staged, c, e));
	return (int)c->remaining;
}

int image_store_check(const struct image_store *s, bool mend, unsigned wait_ms,
		      void (*report)(const struct image_problem *p, void *ctx), void *ctx,
		      struct err *e)
{
	struct check c = { .store = s, .mend = mend, .tell = report, .ctx = ctx };
	auto_fd int lock = -1, index_lock = -1;
	int r;

	TRY(lock = store_lock_file(s, "lock", mend, mend ? wait_ms : STORE_WAIT_USUAL, e));
	if (mend)
		TRY(index_lock = store_lock_file(s, "index.lock", true, STORE_WAIT_USUAL, e));
	r = check_all(&c, e);
	arena_done(&c.arena);
	return r;
}
