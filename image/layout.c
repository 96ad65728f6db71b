#include "image/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/sys.h"
#include "image/documents.h"

enum { INDEX_DEPTH = 4 };

/* The layout that is read. */
struct source {
	int dir;
	const char *path;
};

static int open_below(const struct source *from, const char *name, struct err *e)
{
	auto_fd int fd = sys_openat2(from->dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
				     0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open %s/%s", from->path, name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "read %s/%s: it is not a regular file", from->path, name);
	return take_fd(&fd);
}

static int read_below(const struct source *from, const char *name, struct buf *ret, struct err *e)
{
	auto_fd int fd = open_below(from, name, e);
	int r;

	TRY(fd);
	r = io_slurp(fd, IMAGE_DOCUMENT_MAX, ret);
	if (r == -EFBIG)
		return err_set(e, EFBIG, "read %s/%s: it is larger than %d MiB", from->path, name,
			       IMAGE_DOCUMENT_MAX >> 20);
	return r < 0 ? err_neg(e, r, "read %s/%s", from->path, name) : 0;
}

struct blob_path {
	char text[24 + 128];
};

static struct blob_path blob_path(const struct digest *d)
{
	struct blob_path ret;

	snprintf(ret.text, sizeof(ret.text), "blobs/%.6s/%.128s", d->text, digest_hex(d));
	return ret;
}

/* A document that a descriptor leads to. */
static int read_blob(const struct source *from, const struct image_descriptor *d, struct buf *ret,
		     struct err *e)
{
	struct blob_path path = blob_path(&d->digest);
	struct digest found;

	TRY(read_below(from, path.text, ret, e));
	found = digest_of(digest_algorithm(&d->digest), ret->text, ret->len);
	if (ret->len != d->size || !digest_equal(&found, &d->digest))
		return err_set(e, EBADMSG,
			       "read %s/%s: its content has %zu bytes and the digest %s",
			       from->path, path.text, ret->len, found.text);
	return 0;
}

static int copy_blob(const struct source *from, const struct image_store *s,
		     const struct image_descriptor *d, struct err *e)
{
	auto_fd int fd = -1;

	if (image_store_has(s, &d->digest, (int64_t)d->size))
		return 0;
	TRY(fd = open_below(from, blob_path(&d->digest).text, e));
	if (image_store_add_fd(s, fd, &d->digest, (int64_t)d->size, NULL, NULL, e) < 0)
		return err_wrap(e, "copy from %s", from->path);
	return 0;
}

/* Which entry is meant, when several could be: by name, then by platform. */
static int choose_entry(const struct source *from, const struct image_index *index,
			const struct layout_import *what, const struct platform *platform,
			struct arena *a, const struct image_descriptor **ret, struct err *e)
{
	struct image_index fit = { .schema_version = 2 };
	auto_buf struct buf names = { 0 };
	size_t platforms = 0;

	fit.manifests.at = arena_array(a, index->manifests.n, sizeof(*fit.manifests.at));
	for (size_t i = 0; i < index->manifests.n; i++) {
		const struct image_descriptor *d = &index->manifests.at[i];
		enum media_kind kind = media_type_find(d->media_type)->kind;
		const char *name = image_annotation(&d->annotations, IMAGE_STORE_REF_NAME);

		if (kind != MEDIA_MANIFEST && kind != MEDIA_INDEX)
			continue;
		if (names.len < 200)
			buf_printf(&names, "%s%.100s", names.len ? ", " : "",
				   name ? name : "(no name)");
		if (what->ref && (!name || strcmp(name, what->ref) != 0))
			continue;
		platforms += d->platform != NULL;
		fit.manifests.at[fit.manifests.n++] = *d;
	}
	*ret = fit.manifests.at;
	if (fit.manifests.n == 1)
		return 0;
	if (fit.manifests.n > 1 && platforms == fit.manifests.n)
		return platform_select(&fit, platform, ret, e);
	if (names.len == 0)
		return err_set(e, ENOENT, "%s holds no image", from->path);
	if (fit.manifests.n == 0)
		return err_set(e, ENOENT, "%s has no image %s, only %s", from->path,
			       json_quote(what->ref).text, names.text);
	return err_set(e, EINVAL, "%s has several images, say which: %s", from->path, names.text);
}

/* From an entry through indexes to a manifest. */
static int choose_manifest(const struct source *from, const struct platform *platform,
			   struct image_descriptor *d, struct digest *ret_index, struct arena *a,
			   struct err *e)
{
	for (unsigned depth = 0; media_type_find(d->media_type)->kind == MEDIA_INDEX; depth++) {
		auto_buf struct buf text = { 0 };
		const struct image_descriptor *chosen;
		struct image_index index;
		int r;

		if (depth == INDEX_DEPTH)
			return err_set(e, EINVAL,
				       "%s: image indexes in each other, more than %d deep",
				       from->path, INDEX_DEPTH);
		TRY(read_blob(from, d, &text, e));
		if (image_index_parse(&index, d->digest.text, text.text, text.len, e) < 0)
			return err_wrap(e, "%s", from->path);
		r = platform_select(&index, platform, &chosen, e);
		if (r < 0)
			r = err_wrap(e, "%s", from->path);
		if (depth == 0)
			*ret_index = d->digest;
		if (r == 0)
			*d = (struct image_descriptor){
				.media_type = arena_strdup(a, chosen->media_type),
				.digest = chosen->digest,
				.size = chosen->size,
			};
		image_index_done(&index);
		TRY(r);
	}
	if (media_type_find(d->media_type)->kind != MEDIA_MANIFEST)
		return err_set(e, EINVAL,
			       "%s: %s is of the type %s, which is not an image manifest",
			       from->path, d->digest.text, json_quote(d->media_type).text);
	return 0;
}

static int copy_image(const struct source *from, const struct image_store *s,
		      const struct image_descriptor *manifest, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct image_manifest m;
	int r;

	TRY(read_blob(from, manifest, &text, e));
	if (image_manifest_parse(&m, manifest->digest.text, text.text, text.len, e) < 0)
		return err_wrap(e, "%s", from->path);
	r = copy_blob(from, s, &m.config, e);
	for (size_t i = 0; r == 0 && i < m.layers.n; i++)
		r = copy_blob(from, s, &m.layers.at[i], e);
	if (r == 0)
		r = copy_blob(from, s, manifest, e);
	image_manifest_done(&m);
	return r;
}

static int import(const struct image_store *s, const struct source *from,
		  const struct layout_import *what, struct arena *a, struct image_record *ret,
		  struct err *e)
{
	const struct platform host = platform_host();
	const struct platform *platform = what->platform ? what->platform : &host;
	auto_buf struct buf text = { 0 };
	const struct image_descriptor *entry;
	struct image_index index;
	struct image_record record = { .name = what->name };
	int r;

	TRY(read_below(from, "oci-layout", &text, e));
	if (image_layout_check("oci-layout", text.text, text.len, e) < 0)
		return err_wrap(e, "%s", from->path);
	buf_clear(&text);
	TRY(read_below(from, "index.json", &text, e));
	if (image_index_parse(&index, "index.json", text.text, text.len, e) < 0)
		return err_wrap(e, "%s", from->path);
	r = choose_entry(from, &index, what, platform, a, &entry, e);
	if (r == 0)
		record.manifest = (struct image_descriptor){
			.media_type = arena_strdup(a, entry->media_type),
			.digest = entry->digest,
			.size = entry->size,
		};
	image_index_done(&index);
	TRY(r);
	TRY(choose_manifest(from, platform, &record.manifest, &record.index, a, e));
	TRY(copy_image(from, s, &record.manifest, e));
	if (what->platform)
		TRY(image_check_platform(s, &record.manifest.digest, what->platform, from->path,
					 e));
	TRY(image_store_tag(s, what->name, &record.manifest,
			    digest_is_set(&record.index) ? &record.index : NULL, e));
	record.name = arena_strdup(a, what->name);
	*ret = record;
	return 0;
}

int layout_import(const struct image_store *s, const struct layout_import *what, struct arena *a,
		  struct image_record *ret, struct err *e)
{
	auto_fd int dir = open(what->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), use = -1;
	struct source from = { dir, what->path };

	if (dir < 0)
		return err_sys(e, "open %s", what->path);
	TRY(use = image_store_use(s, e));
	return import(s, &from, what, a, ret, e);
}

/* Export. */

static int make_directory(int dir, const char *name, const char *path, struct err *e)
{
	if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make %s/%s", path, name);
	return 0;
}

/* All of `from` to `to`; the content has to be the digest's. */
static int copy(int from, int to, const struct digest *digest)
{
	char bytes[128 * 1024];
	struct digest_state state;
	struct digest found;
	ssize_t n;

	digest_begin(&state, digest_algorithm(digest));
	while ((n = read(from, bytes, sizeof(bytes))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		digest_update(&state, bytes, (size_t)n);
		TRY(io_write_all(to, bytes, (size_t)n));
	}
	found = digest_end(&state);
	return digest_equal(&found, digest) ? 0 : -EBADMSG;
}

static int export_blob(const struct image_store *s, const struct digest *d, int dir,
		       const char *path, struct err *e)
{
	struct blob_path place = blob_path(d);
	auto_fd int from = -1, to = -1;
	char staged[sizeof(place.text) + 8];
	struct stat here, there;
	int r;

	TRY(from = image_store_open_blob(s, d, e));
	if (fstat(from, &here) < 0)
		return err_sys(e, "stat blob %s", d->text);
	if (fstatat(dir, place.text, &there, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(there.st_mode) &&
	    there.st_size == here.st_size)
		return 0;
	snprintf(staged, sizeof(staged), "%s.new", place.text);
	to = openat(dir, staged, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (to < 0)
		return err_sys(e, "make %s/%s", path, staged);
	r = copy(from, to, d);
	if (r == 0 && renameat(dir, staged, dir, place.text) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, staged, 0);
	return r < 0 ? err_neg(e, r, "write %s/%s", path, place.text) : 0;
}

/* The entry, instead of one of the same name, or of the same digest and no name. */
static int export_index(int dir, const struct image_descriptor *entry, const char *ref,
			const char *path, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 }, written = { 0 };
	struct image_index index = { .schema_version = 2 }, out = { .schema_version = 2 };
	struct source to = { dir, path };

	if (faccessat(dir, "index.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		TRY(read_below(&to, "index.json", &text, e));
		if (image_index_parse(&index, "index.json", text.text, text.len, e) < 0)
			return err_wrap(e, "%s", path);
	}
	out.annotations = index.annotations;
	out.manifests.at = arena_array(&a, index.manifests.n + 1, sizeof(*entry));
	for (size_t i = 0; i < index.manifests.n; i++) {
		const struct image_descriptor *old = &index.manifests.at[i];
		const char *name = image_annotation(&old->annotations, IMAGE_STORE_REF_NAME);

		if (ref && name && strcmp(ref, name) == 0)
			continue;
		if (!name && digest_equal(&old->digest, &entry->digest))
			continue;
		out.manifests.at[out.manifests.n++] = *old;
	}
	out.manifests.at[out.manifests.n++] = *entry;
	image_index_write(&out, &written);
	image_index_done(&index);
	if (io_replace_file(dir, "index.json", written.text, written.len, e) < 0)
		return err_wrap(e, "%s", path);
	/* Others may read it as they may read the rest. */
	if (fchmodat(dir, "index.json", 0644, 0) < 0)
		return err_sys(e, "write %s/index.json", path);
	return 0;
}

static int export_files(const struct image_store *s, const struct image *image, int dir,
			const char *path, struct err *e)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	const struct image_descriptors *layers = &image->manifest.layers;

	TRY(make_directory(dir, "blobs", path, e));
	TRY(make_directory(dir, "blobs/sha256", path, e));
	if (digest_algorithm(&image->digest) == DIGEST_SHA512)
		TRY(make_directory(dir, "blobs/sha512", path, e));
	for (size_t i = 0; i < layers->n; i++) {
		if (digest_algorithm(&layers->at[i].digest) == DIGEST_SHA512)
			TRY(make_directory(dir, "blobs/sha512", path, e));
		TRY(export_blob(s, &layers->at[i].digest, dir, path, e));
	}
	if (digest_algorithm(&image->id) == DIGEST_SHA512)
		TRY(make_directory(dir, "blobs/sha512", path, e));
	TRY(export_blob(s, &image->id, dir, path, e));
	TRY(export_blob(s, &image->digest, dir, path, e));
	if (faccessat(dir, "oci-layout", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (io_replace_file(dir, "oci-layout", version, strlen(version), e) < 0)
		return err_wrap(e, "%s", path);
	if (fchmodat(dir, "oci-layout", 0644, 0) < 0)
		return err_sys(e, "write %s/oci-layout", path);
	return 0;
}

int layout_export(const struct image_store *s, const struct digest *manifest, const char *path,
		  const char *ref, struct err *e)
{
	auto_image struct image image = { .size = 0 };
	auto_fd int use = -1, dir = -1;
	struct spec_pair name = { IMAGE_STORE_REF_NAME, ref };
	struct image_descriptor entry = { .digest = *manifest };
	struct stat st;

	TRY(use = image_store_use(s, e));
	TRY(image_load(s, manifest, &image, e));
	TRY(make_directory(AT_FDCWD, path, ".", e));
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open %s", path);
	TRY(export_files(s, &image, dir, path, e));
	if (fstatat(dir, blob_path(manifest).text, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stat %s/%s", path, blob_path(manifest).text);
	entry.size = (uint64_t)st.st_size;
	entry.media_type =
		image.manifest.media_type ? image.manifest.media_type : MEDIA_OCI_MANIFEST;
	if (ref)
		entry.annotations = (struct spec_pairs){ &name, 1 };
	return export_index(dir, &entry, ref, path, e);
}
