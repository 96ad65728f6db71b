#include "engine/save.h"

#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "base/json_write.h"
#include "engine/happened.h"
#include "engine/output.h"
#include "image/tar_write.h"

enum { CHUNK = 128 * 1024 };

struct saving {
	const struct engine *g;
	struct arena arena;
	struct image_record *records;
	struct image *images; /* of the records */
	size_t n;
	struct digest *written; /* blobs that are in it already */
	size_t written_n;
	int fd;
};

static void saving_done(struct saving *s)
{
	for (size_t i = 0; i < s->n; i++)
		image_done(&s->images[i]);
	arena_done(&s->arena);
}

/* All that is asked for is there, before a byte is written. */
static int find_images(struct saving *s, const struct strings *names, struct err *e)
{
	size_t blobs = 0;

	s->records = arena_array(&s->arena, names->n, sizeof(*s->records));
	s->images = arena_array(&s->arena, names->n, sizeof(*s->images));
	for (; s->n < names->n; s->n++) {
		TRY(image_store_resolve(&s->g->store, names->at[s->n], &s->arena, &s->records[s->n],
					e));
		TRY(image_load(&s->g->store, &s->records[s->n].manifest.digest, &s->images[s->n],
			       e));
		blobs += s->images[s->n].manifest.layers.n + 2;
	}
	s->written = arena_array(&s->arena, blobs, sizeof(*s->written));
	return 0;
}

static const char *blob_name(struct saving *s, const struct digest *d)
{
	return arena_printf(&s->arena, "blobs/%s/%s", digest_algorithm_name(d), digest_hex(d));
}

static int write_failed(int r, struct err *e)
{
	return r < 0 ? err_neg(e, r, "write the archive") : 0;
}

static int copy(struct saving *s, int from, const struct digest *d, uint64_t size, struct err *e)
{
	struct digest_state state;
	struct digest found;
	char *bytes = arena_alloc(&s->arena, CHUNK);
	uint64_t left = size;

	digest_begin(&state, digest_algorithm(d));
	while (left) {
		ssize_t n = io_read_all(from, bytes, left < CHUNK ? (size_t)left : CHUNK);

		if (n <= 0)
			return n < 0 ? err_neg(e, (int)n, "read the blob %s", d->text)
				     : err_set(e, EBADMSG,
					       "the blob %s is shorter than it was; run "
					       "\"hull fsck --repair\"",
					       d->text);
		digest_update(&state, bytes, (size_t)n);
		TRY(write_failed(io_write_all(s->fd, bytes, (size_t)n), e));
		left -= (uint64_t)n;
	}
	found = digest_end(&state);
	if (!digest_equal(&found, d))
		return err_set(e, EBADMSG, "the blob %s holds something else; run \"hull fsck --repair\"",
			       d->text);
	return write_failed(tar_write_padding(s->fd, size), e);
}

static int add_blob(struct saving *s, const struct image_descriptor *d, struct err *e)
{
	auto_fd int from = -1;
	char header[TAR_BLOCK];
	const char *name = blob_name(s, &d->digest);

	for (size_t i = 0; i < s->written_n; i++)
		if (digest_equal(&s->written[i], &d->digest))
			return 0;
	if (strlen(name) > TAR_NAME_MAX)
		return err_set(e, ENOTSUP, "%s: an archive has no place for so long a digest",
			       d->digest.text);
	from = image_store_open_blob(&s->g->store, &d->digest, e);
	TRY(from);
	s->written[s->written_n++] = d->digest;
	tar_header(name, d->size, header);
	TRY(write_failed(io_write_all(s->fd, header, sizeof(header)), e));
	return copy(s, from, &d->digest, d->size, e);
}

static int add_image(struct saving *s, size_t i, struct err *e)
{
	const struct image_manifest *m = &s->images[i].manifest;

	TRY(add_blob(s, &s->records[i].manifest, e));
	TRY(add_blob(s, &m->config, e));
	for (size_t l = 0; l < m->layers.n; l++)
		TRY(add_blob(s, &m->layers.at[l], e));
	return 0;
}

static int write_text(struct saving *s, const char *name, const struct buf *text, struct err *e)
{
	return write_failed(tar_write_file(s->fd, name, text->text, text->len), e);
}

/* containerd looks for a name of its own. */
static void describe(struct saving *s, size_t i, struct image_descriptor *ret)
{
	const struct image_record *r = &s->records[i];
	struct spec_pairs *notes = &ret->annotations;

	*ret = (struct image_descriptor){ .media_type = r->manifest.media_type,
					  .digest = r->manifest.digest,
					  .size = r->manifest.size };
	if (!r->name)
		return;
	notes->at = arena_array(&s->arena, 2, sizeof(*notes->at));
	notes->n = 2;
	notes->at[0] = (struct spec_pair){ "io.containerd.image.name", r->name };
	notes->at[1] = (struct spec_pair){ IMAGE_STORE_REF_NAME, r->name };
}

static int write_index(struct saving *s, struct err *e)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	auto_buf struct buf text = { 0 };
	struct image_index index = { .schema_version = 2 };

	index.manifests.at = arena_array(&s->arena, s->n, sizeof(*index.manifests.at));
	index.manifests.n = s->n;
	for (size_t i = 0; i < s->n; i++)
		describe(s, i, &index.manifests.at[i]);
	image_index_write(&index, &text);
	TRY(write_text(s, "index.json", &text, e));
	return write_failed(tar_write_file(s->fd, "oci-layout", layout, sizeof(layout) - 1), e);
}

static int write_docker_manifest(struct saving *s, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct json_writer w = json_writer(&text, NULL);

	json_write_array(&w, NULL);
	for (size_t i = 0; i < s->n; i++) {
		const struct image_manifest *m = &s->images[i].manifest;

		json_write_object(&w, NULL);
		json_write_string(&w, "Config", blob_name(s, &m->config.digest));
		json_write_array(&w, "RepoTags");
		if (s->records[i].name)
			json_write_string(&w, NULL, s->records[i].name);
		json_write_end(&w);
		json_write_array(&w, "Layers");
		for (size_t l = 0; l < m->layers.n; l++)
			json_write_string(&w, NULL, blob_name(s, &m->layers.at[l].digest));
		json_write_end(&w);
		json_write_end(&w);
	}
	json_write_end(&w);
	return write_text(s, "manifest.json", &text, e);
}

static int write_all(struct saving *s, enum save_format format, struct err *e)
{
	TRY(write_failed(tar_write_directory(s->fd, "blobs/"), e));
	TRY(write_failed(tar_write_directory(s->fd, "blobs/sha256/"), e));
	for (size_t i = 0; i < s->n; i++)
		TRY(add_image(s, i, e));
	TRY(write_index(s, e));
	if (format == SAVE_DOCKER)
		TRY(write_docker_manifest(s, e));
	return write_failed(tar_write_end(s->fd), e);
}

struct write_call {
	struct saving *s;
	enum save_format format;
};

static int write_to(void *ctx, int fd, struct err *e)
{
	const struct write_call *c = ctx;

	c->s->fd = fd;
	return write_all(c->s, c->format, e);
}

int save_archive(const struct engine *g, const struct strings *images, enum save_format format,
		 const char *path, struct err *e)
{
	__attribute__((cleanup(saving_done))) struct saving s = { .g = g, .fd = -1 };
	struct write_call call = { &s, format };
	auto_fd int use = -1;

	TRY(output_check(path, e));
	use = image_store_use(&g->store, e);
	TRY(use);
	TRY(find_images(&s, images, e));
	TRY(output_write(path, write_to, &call, e));
	for (size_t i = 0; i < s.n; i++)
		happened_image(g, "save", s.images[i].id.text, images->at[i]);
	return 0;
}
