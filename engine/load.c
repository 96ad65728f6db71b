#include "engine/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json_write.h"
#include "base/scratch.h"
#include "engine/happened.h"
#include "engine/record.h"
#include "engine/sweep.h"
#include "engine/userns.h"
#include "image/layout.h"
#include "image/reference.h"
#include "image/unpack.h"

/* The archive's content, in a directory of its own. */
static int unpack(const struct engine *g, int file, struct scratch *ret,
		  struct unpack_result *result, struct err *e)
{
	const struct unpack_options o = { .whiteouts = UNPACK_APPLY, .ids = "squash" };

	TRY(scratch_make(g->dir, SWEEP_LOAD_PREFIX, ret, e));
	return image_unpack(file, ret->dir, &o, result, e);
}

static int open_input(const char *path, struct err *e)
{
	int fd;

	if (!path || strcmp(path, "-") == 0) {
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		return fd < 0 ? err_sys(e, "read standard input") : fd;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

/* Names of archives are full, or Docker's short ones. */
static int full_name(const char *text, struct arena *a, const char **ret, struct err *e)
{
	struct reference r = { 0 };

	TRY(reference_parse(text, &r, e));
	reference_default_tag(&r);
	*ret = arena_strdup(a, reference_print(&r).text);
	return 0;
}

/* Each image of an OCI layout. */
static int load_layout(const struct engine *g, int fd, const char *dir, const char *path,
		       struct arena *a, struct strings *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct image_index index = { 0 };
	int r = 0;

	TRY(io_read_file(fd, "index.json", IMAGE_DOCUMENT_MAX, "index.json", &text, e));
	TRY(image_index_parse(&index, "index.json", text.text, text.len, e));
	ret->at = arena_array(a, index.manifests.n + 1, sizeof(*ret->at));
	for (size_t i = 0; r >= 0 && i < index.manifests.n; i++) {
		const struct spec_pairs *notes = &index.manifests.at[i].annotations;
		const char *ref = image_annotation(notes, IMAGE_STORE_REF_NAME);
		const char *full = image_annotation(notes, "io.containerd.image.name");
		struct layout_import what = { .path = dir, .ref = ref };
		struct image_record record;

		if (full || (ref && strpbrk(ref, "/:")))
			r = full_name(full ? full : ref, a, &what.name, e);
		if (r >= 0)
			r = layout_import(&g->store, &what, a, &record, e);
		if (r >= 0)
			ret->at[ret->n++] = what.name
						    ? what.name
						    : arena_strdup(a, record.manifest.digest.text);
	}
	image_index_done(&index);
	return r < 0 ? err_wrap(e, "%s", path ? path : "standard input") : 0;
}

/* By its first bytes, as image-spec's media types have it. */
static const char *layer_type(const struct engine *g, const struct digest *blob)
{
	static const unsigned char gzip[] = { 0x1f, 0x8b }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	auto_fd int fd = image_store_open_blob(&g->store, blob, NULL);
	unsigned char bytes[4] = { 0 };

	if (fd >= 0 && io_read_all(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes)) {
		if (memcmp(bytes, gzip, sizeof(gzip)) == 0)
			return "application/vnd.oci.image.layer.v1.tar+gzip";
		if (memcmp(bytes, zstd, sizeof(zstd)) == 0)
			return "application/vnd.oci.image.layer.v1.tar+zstd";
	}
	return "application/vnd.oci.image.layer.v1.tar";
}

/* One layer of a docker-archive: a tar, perhaps a link to that of another image. */
static int add_layer(const struct engine *g, int dir, const char *name,
		     struct image_descriptor *ret, struct err *e)
{
	auto_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open the layer %s of the archive", name);
	TRY(image_store_add_fd(&g->store, fd, NULL, -1, &ret->digest, &ret->size, e));
	ret->media_type = layer_type(g, &ret->digest);
	return 0;
}

static int make_manifest(const struct engine *g, struct image_manifest *m,
			 struct image_descriptor *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };

	m->schema_version = 2;
	m->media_type = "application/vnd.oci.image.manifest.v1+json";
	m->config.media_type = "application/vnd.oci.image.config.v1+json";
	image_manifest_write(m, &text);
	ret->media_type = m->media_type;
	ret->size = text.len;
	return image_store_add(&g->store, text.text, text.len, &ret->digest, e);
}

static int load_docker_image(const struct engine *g, int dir,
			     const struct docker_archive_image *image, struct arena *a,
			     struct strings *ret, struct err *e)
{
	auto_buf struct buf config = { 0 };
	struct image_manifest m = { 0 };
	struct image_descriptor manifest = { 0 };

	TRY(io_read_file(dir, image->config, IMAGE_DOCUMENT_MAX, image->config, &config, e));
	TRY(image_store_add(&g->store, config.text, config.len, &m.config.digest, e));
	m.config.size = config.len;
	m.layers.at = arena_array(a, image->layers.n + 1, sizeof(*m.layers.at));
	for (; m.layers.n < image->layers.n; m.layers.n++)
		TRY(add_layer(g, dir, image->layers.at[m.layers.n], &m.layers.at[m.layers.n], e));
	TRY(make_manifest(g, &m, &manifest, e));
	for (size_t i = 0; i < image->repo_tags.n; i++) {
		const char *name;

		TRY(full_name(image->repo_tags.at[i], a, &name, e));
		TRY(image_store_tag(&g->store, name, &manifest, NULL, e));
		ret->at[ret->n++] = name;
	}
	if (!image->repo_tags.n) {
		TRY(image_store_tag(&g->store, NULL, &manifest, NULL, e));
		ret->at[ret->n++] = arena_strdup(a, manifest.digest.text);
	}
	return 0;
}

static int load_docker(const struct engine *g, const struct scratch *u, struct arena *a,
		       struct strings *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct docker_archive archive = { 0 };
	auto_fd int use = -1;
	size_t most = 0;
	int r = 0;

	TRY(io_read_file(u->dir, "manifest.json", IMAGE_DOCUMENT_MAX, "manifest.json", &text, e));
	TRY(docker_archive_parse(&archive, "manifest.json", text.text, text.len, e));
	for (size_t i = 0; i < archive.images.n; i++)
		most += archive.images.at[i].repo_tags.n + 1;
	ret->at = arena_array(a, most + 1, sizeof(*ret->at));
	use = image_store_use(&g->store, e);
	if (use < 0)
		r = use;
	for (size_t i = 0; r >= 0 && i < archive.images.n; i++)
		r = load_docker_image(g, u->dir, &archive.images.at[i], a, ret, e);
	docker_archive_done(&archive);
	return r;
}

static int load_directory(const struct engine *g, int fd, const char *path, struct arena *a,
			  struct strings *ret_names, struct err *e)
{
	if (faccessat(fd, "oci-layout", F_OK, 0) < 0)
		return err_set(e, EINVAL,
			       "%s: a directory without oci-layout is no OCI image layout", path);
	return load_layout(g, fd, path, path, a, ret_names, e);
}

static int read_archive(const struct engine *g, const struct load_request *q, struct arena *a,
			struct strings *ret_names, struct err *e)
{
	const char *path = q->path;
	auto_scratch struct scratch u = SCRATCH_NONE;
	auto_fd int file = open_input(path, e);
	struct unpack_result result;
	struct stat st;

	TRY(file);
	if (q->opened)
		q->opened(file, q->ctx);
	if (path && fstat(file, &st) == 0 && S_ISDIR(st.st_mode))
		return load_directory(g, file, path, a, ret_names, e);
	TRY(unpack(g, file, &u, &result, e));
	if (faccessat(u.dir, "oci-layout", F_OK, 0) == 0)
		return load_layout(g, u.dir, arena_printf(a, "%s/%s", g->path.text, u.name), path,
				   a, ret_names, e);
	if (faccessat(u.dir, "manifest.json", F_OK, 0) == 0)
		return load_docker(g, &u, a, ret_names, e);
	return err_set(e, EINVAL,
		       "%s: it holds no image: neither oci-layout nor manifest.json is in it (a "
		       "root file system is for \"hull import\")",
		       path ? path : "standard input");
}

static int tell_layers(const struct engine *g, const char *name, const struct load_request *q,
		       struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_image struct image image = { 0 };
	struct image_record record;

	TRY(image_store_resolve(&g->store, name, &a, &record, e));
	TRY(image_load(&g->store, &record.manifest.digest, &image, e));
	for (size_t i = 0; i < image.manifest.layers.n; i++)
		q->layer(image.manifest.layers.at[i].digest.text, image.manifest.layers.at[i].size,
			 q->ctx);
	return 0;
}

static int note_loaded(const struct engine *g, const char *name, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_image struct image image = { 0 };
	struct image_record record;

	TRY(image_store_resolve(&g->store, name, &a, &record, e));
	TRY(image_load(&g->store, &record.manifest.digest, &image, e));
	happened_image(g, "load", image.id.text, name);
	return 0;
}

int load_archive(const struct engine *g, const struct load_request *q, struct arena *a,
		 struct strings *ret_names, struct err *e)
{
	TRY(read_archive(g, q, a, ret_names, e));
	for (size_t i = 0; i < ret_names->n; i++)
		TRY(note_loaded(g, ret_names->at[i], e));
	for (size_t i = 0; q->layer && i < ret_names->n; i++)
		TRY(tell_layers(g, ret_names->at[i], q, e));
	return 0;
}

/* Its plain content has a name of its own, which has to be known first. */
static int learn_diff_id(const struct engine *g, const struct digest *blob, struct digest *ret,
			 struct err *e)
{
	auto_scratch struct scratch u = SCRATCH_NONE;
	auto_fd int fd = image_store_open_blob(&g->store, blob, e);
	struct unpack_result result;

	TRY(fd);
	TRY(unpack(g, fd, &u, &result, e));
	return digest_parse(result.diff_id, ret, e);
}

static void write_config(struct buf *out, const struct digest *diff_id, const char *comment)
{
	struct json_writer w = json_writer(out, NULL);
	struct platform host = platform_host();
	char now[48];

	record_now(now);
	json_write_object(&w, NULL);
	json_write_string(&w, "created", now);
	json_write_string(&w, "architecture", host.architecture);
	json_write_string(&w, "os", host.os);
	json_write_object(&w, "config");
	json_write_array(&w, "Cmd");
	json_write_string(&w, NULL, "/bin/sh");
	json_write_end(&w);
	json_write_end(&w);
	json_write_object(&w, "rootfs");
	json_write_string(&w, "type", "layers");
	json_write_array(&w, "diff_ids");
	json_write_string(&w, NULL, diff_id->text);
	json_write_end(&w);
	json_write_end(&w);
	json_write_array(&w, "history");
	json_write_object(&w, NULL);
	json_write_string(&w, "created", now);
	json_write_string(&w, "created_by", "hull import");
	if (comment)
		json_write_string(&w, "comment", comment);
	json_write_end(&w);
	json_write_end(&w);
	json_write_end(&w);
}

int load_rootfs(const struct engine *g, const char *path, const char *name, const char *comment,
		struct digest *ret_id, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf config = { 0 };
	auto_fd int use = -1, file = -1;
	struct image_descriptor layer = { 0 }, manifest = { 0 };
	struct image_manifest m = { 0 };
	struct digest diff_id;
	const char *full = NULL;

	if (name) {
		struct reference r = { 0 };

		TRY(reference_parse(name, &r, e));
		TRY(full_name(r.is_short ? arena_printf(&a, "localhost/%s", name) : name, &a, &full,
			      e));
	}
	file = open_input(path, e);
	TRY(file);
	use = image_store_use(&g->store, e);
	TRY(use);
	TRY(image_store_add_fd(&g->store, file, NULL, -1, &layer.digest, &layer.size, e));
	layer.media_type = layer_type(g, &layer.digest);
	TRY(learn_diff_id(g, &layer.digest, &diff_id, e));
	write_config(&config, &diff_id, comment);
	TRY(image_store_add(&g->store, config.text, config.len, &m.config.digest, e));
	m.config.size = config.len;
	m.layers.at = &layer;
	m.layers.n = 1;
	TRY(make_manifest(g, &m, &manifest, e));
	*ret_id = m.config.digest;
	TRY(image_store_tag(&g->store, full, &manifest, NULL, e));
	happened_image(g, "import", ret_id->text, full ? full : ret_id->text);
	return 0;
}

struct collection {
	const struct engine *g;
	unsigned wait_ms;
	struct image_gc *result; /* shared with a child */
};

static int collect(void *ctx, struct err *e)
{
	const struct collection *c = ctx;

	sweep_archives(c->g);
	return image_store_gc(&c->g->store, c->wait_ms, c->result, e);
}

int engine_gc(const struct engine *g, unsigned wait_ms, struct image_gc *ret, struct err *e)
{
	struct collection c = { g, wait_ms, NULL };
	int r;

	sweep_containers(g);
	c.result = mmap(NULL, sizeof(*c.result), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (c.result == MAP_FAILED)
		return err_sys(e, "collect what is not needed");
	r = userns_run(collect, &c, e);
	if (ret && r >= 0)
		*ret = *c.result;
	munmap(c.result, sizeof(*c.result));
	return r;
}
