/*
 * store_names.c - index.json: which images there are, and what they are called.
 *
 * Readers need no lock: the file is replaced as a whole. Writers hold
 * index.lock while they read, change and replace it, and sync what is to be
 * found through it before.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "image/reference.h"
#include "image/store_private.h"

int store_read_index(const struct image_store *s, struct image_index *ret, struct err *e)
{
	static const char name[] = "index.json of the image store";
	auto_buf struct buf text = { 0 };

	if (io_read_file(s->dir, "index.json", IMAGE_DOCUMENT_MAX, name, &text, e) < 0 ||
	    image_index_parse(ret, name, text.text, text.len, e) < 0)
		return err_wrap(e, "hull fsck --repair mends this");
	return 0;
}

int store_write_index(const struct image_store *s, const struct image_index *index, struct err *e)
{
	auto_buf struct buf text = { 0 };

	image_index_write(index, &text);
	if (text.len > IMAGE_DOCUMENT_MAX || index->manifests.n > IMAGE_MANIFESTS_MAX)
		return err_set(e, ENOSPC, "the image store has too many names: remove some");
	return store_write(s, "index.json", text.text, text.len, false, e);
}

bool store_record(const struct image_descriptor *entry, struct image_record *ret)
{
	struct image_record r = { .manifest = *entry };
	const char *index = image_annotation(&entry->annotations, IMAGE_STORE_INDEX);

	if (media_type_find(entry->media_type)->kind != MEDIA_MANIFEST)
		return false;
	r.name = image_annotation(&entry->annotations, IMAGE_STORE_REF_NAME);
	if (index && digest_parse(index, &r.index, NULL) < 0)
		r.index = (struct digest){ "" };
	*ret = r;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct image_record *x = a, *y = b;

	if (x->name && y->name)
		return strcmp(x->name, y->name);
	if (x->name || y->name)
		return x->name ? -1 : 1;
	return strcmp(x->manifest.digest.text, y->manifest.digest.text);
}

/* What the index holds moves into *a: records point into it. */
static void adopt(struct arena *a, struct image_index *index, struct image_records *ret)
{
	struct image_records list = { arena_array(a, index->manifests.n, sizeof(*list.at)), 0 };

	for (size_t i = 0; i < index->manifests.n; i++) {
		struct image_record r;

		if (!store_record(&index->manifests.at[i], &r))
			continue;
		r.name = arena_strdup(a, r.name);
		r.manifest = (struct image_descriptor){
			.media_type = media_type_find(r.manifest.media_type)->name,
			.digest = r.manifest.digest,
			.size = r.manifest.size,
		};
		list.at[list.n++] = r;
	}
	if (list.n > 1)
		qsort(list.at, list.n, sizeof(*list.at), by_name);
	*ret = list;
}

int image_store_list(const struct image_store *s, struct arena *a, struct image_records *ret,
		     struct err *e)
{
	struct image_index index;

	TRY(store_read_index(s, &index, e));
	adopt(a, &index, ret);
	image_index_done(&index);
	return 0;
}

/* A change of index.json: begin, edit edit.records, end. */
struct edit {
	const struct image_store *store;
	int lock;
	struct image_index index;
	struct arena arena;
	struct image_record *at; /* room for one more */
	size_t n;
};

static void edit_done(struct edit *d)
{
	close_fd(&d->lock);
	image_index_done(&d->index);
	arena_done(&d->arena);
}
#define auto_edit __attribute__((cleanup(edit_done)))

static int edit_begin(const struct image_store *s, struct edit *d, struct err *e)
{
	struct image_records list;

	d->store = s;
	TRY(d->lock = store_lock_file(s, "index.lock", true, STORE_WAIT_USUAL, e));
	TRY(store_read_index(s, &d->index, e));
	adopt(&d->arena, &d->index, &list);
	d->at = arena_array(&d->arena, list.n + 1, sizeof(*d->at));
	if (list.n)
		memcpy(d->at, list.at, list.n * sizeof(*list.at));
	d->n = list.n;
	return 0;
}

/* Entries are written anew; those that are no manifests stay as they are. */
static int edit_end(struct edit *d, struct err *e)
{
	struct image_index *index = &d->index;
	struct image_descriptor *at =
		arena_array(&d->arena, index->manifests.n + d->n, sizeof(*at));
	size_t n = 0;

	for (size_t i = 0; i < index->manifests.n; i++) {
		struct image_record other;

		if (!store_record(&index->manifests.at[i], &other))
			at[n++] = index->manifests.at[i];
	}
	for (size_t i = 0; i < d->n; i++) {
		const struct image_record *r = &d->at[i];
		struct spec_pair *pairs = arena_array(&d->arena, 2, sizeof(*pairs));
		size_t k = 0;

		if (r->name)
			pairs[k++] = (struct spec_pair){ IMAGE_STORE_REF_NAME, r->name };
		if (digest_is_set(&r->index))
			pairs[k++] = (struct spec_pair){ IMAGE_STORE_INDEX, r->index.text };
		at[n] = r->manifest;
		at[n++].annotations = (struct spec_pairs){ pairs, k };
	}
	index->manifests = (struct image_descriptors){ at, n };
	return store_write_index(d->store, index, e);
}

static void edit_remove(struct edit *d, size_t i)
{
	d->n--;
	memmove(&d->at[i], &d->at[i + 1], (d->n - i) * sizeof(*d->at));
}

static bool is_manifest(const struct image_record *r, const struct digest *manifest)
{
	return digest_equal(&r->manifest.digest, manifest);
}

/* Takes the name from who has it: an image that has no other is kept without one. */
static void take_name(struct edit *d, const char *name, const struct digest *but)
{
	for (size_t i = 0; i < d->n; i++) {
		size_t entries = 0;

		if (!d->at[i].name || strcmp(d->at[i].name, name) != 0)
			continue;
		for (size_t k = 0; k < d->n; k++)
			entries += is_manifest(&d->at[k], &d->at[i].manifest.digest);
		if (entries > 1 || is_manifest(&d->at[i], but))
			edit_remove(d, i--);
		else
			d->at[i].name = NULL;
	}
}

static int check_name(const char *name, struct err *e)
{
	struct reference r;

	TRY(reference_parse(name, &r, e));
	if (r.is_short || strcmp(reference_print(&r).text, name) != 0)
		return err_set(e, EINVAL, "name an image %s: not a reference in full, like %s",
			       name, reference_print(&r).text);
	if (r.tag[0] == '\0' && !digest_is_set(&r.digest))
		return err_set(e, EINVAL, "name an image %s: it has neither a tag nor a digest",
			       name);
	return 0;
}

int store_check_blobs(const struct image_store *s, const struct image *image, struct err *e)
{
	const struct image_descriptors *layers = &image->manifest.layers;

	for (size_t i = 0; i < layers->n; i++)
		if (!image_store_has(s, &layers->at[i].digest, (int64_t)layers->at[i].size))
			return err_set(
				e, ENOENT,
				"image %s: the blob of layer %zu, %s, is missing in the store",
				image->digest.text, i + 1, layers->at[i].digest.text);
	return 0;
}

/* The blobs' places reach the disk before the name does. */
static int sync_places(const struct image_store *s, struct err *e)
{
	static const char *const algorithms[] = { "sha256", "sha512" };

	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		auto_fd int fd =
			openat(s->blobs, algorithms[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || fsync(fd) < 0)
			return err_sys(e, "sync the image store");
	}
	return 0;
}

int image_store_tag(const struct image_store *s, const char *name,
		    const struct image_descriptor *manifest, const struct digest *index,
		    struct err *e)
{
	auto_image struct image image = { .size = 0 };
	auto_edit struct edit d = { .lock = -1 };
	struct image_record r = { .name = name, .manifest = { .digest = manifest->digest } };

	if (name)
		TRY(check_name(name, e));
	r.manifest.media_type = media_type_find(manifest->media_type)->name;
	r.manifest.size = manifest->size;
	if (media_type_find(manifest->media_type)->kind != MEDIA_MANIFEST)
		return err_set(e, EINVAL, "name an image %s: %s is not an image manifest",
			       name ? name : "(none)", manifest->digest.text);
	if (index)
		r.index = *index;
	if (!image_store_has(s, &manifest->digest, (int64_t)manifest->size))
		return err_set(e, ENOENT,
			       "image %s: its manifest of %llu bytes is missing in the store",
			       manifest->digest.text, (unsigned long long)manifest->size);
	TRY(image_load(s, &manifest->digest, &image, e));
	TRY(store_check_blobs(s, &image, e));
	TRY(sync_places(s, e));

	TRY(edit_begin(s, &d, e));
	if (name)
		take_name(&d, name, &manifest->digest);
	for (size_t i = 0; i < d.n; i++) {
		if (!is_manifest(&d.at[i], &manifest->digest))
			continue;
		if (!name)
			return 0; /* it has an entry, and that is all that was asked for */
		if (!d.at[i].name)
			edit_remove(&d, i--);
	}
	d.at[d.n++] = r;
	return edit_end(&d, e);
}

int image_store_untag(const struct image_store *s, const char *name, struct err *e)
{
	auto_edit struct edit d = { .lock = -1 };
	size_t before;

	TRY(edit_begin(s, &d, e));
	before = d.n;
	for (size_t i = 0; i < d.n; i++)
		if (d.at[i].name && strcmp(d.at[i].name, name) == 0)
			edit_remove(&d, i--);
	if (d.n == before)
		return err_set(e, ENOENT, "there is no image %s here", name);
	return edit_end(&d, e);
}

int image_store_remove(const struct image_store *s, const struct digest *manifest, struct arena *a,
		       struct strings *ret_names, struct err *e)
{
	auto_edit struct edit d = { .lock = -1 };
	struct strings names;
	size_t before;

	TRY(edit_begin(s, &d, e));
	before = d.n;
	names = (struct strings){ arena_array(a, d.n, sizeof(*names.at)), 0 };
	for (size_t i = 0; i < d.n; i++) {
		if (!is_manifest(&d.at[i], manifest))
			continue;
		if (d.at[i].name)
			names.at[names.n++] = arena_strdup(a, d.at[i].name);
		edit_remove(&d, i--);
	}
	if (d.n == before)
		return err_set(e, ENOENT, "there is no image %s here", manifest->text);
	TRY(edit_end(&d, e));
	if (ret_names)
		*ret_names = names;
	return 0;
}

int image_store_prune(const struct image_store *s, struct err *e)
{
	auto_edit struct edit d = { .lock = -1 };
	int removed = 0;

	TRY(edit_begin(s, &d, e));
	for (size_t i = 0; i < d.n; i++) {
		if (d.at[i].name)
			continue;
		edit_remove(&d, i--);
		removed++;
	}
	if (removed)
		TRY(edit_end(&d, e));
	return removed;
}
