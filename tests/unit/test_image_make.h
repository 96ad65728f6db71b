/*
 * test_image_make.h - images for tests, made in a store:
 *
 *	TestSuite(image_store, .init = store_make, .fini = store_unmake);
 *
 *	Test(image_store, ...)
 *	{
 *		struct made m = make_image(&store, "one", 2);
 *		... m.manifest ...
 *	}
 */
#ifndef HULL_TESTS_UNIT_TEST_IMAGE_MAKE_H
#define HULL_TESTS_UNIT_TEST_IMAGE_MAKE_H

#include "image/store.h"
#include "test_dir.h"

enum { MADE_LAYERS = 4 };

struct made {
	struct image_descriptor manifest;
	struct digest id, blobs[MADE_LAYERS], diff_ids[MADE_LAYERS];
	size_t n;
};

static struct image_store store = IMAGE_STORE_CLOSED;

UNUSED static void store_make(void)
{
	struct err e = { 0 };

	dir_make();
	cr_assert_eq(image_store_open(dir_at("store"), true, &store, &e), 0, "%s", e.msg);
}

UNUSED static void store_unmake(void)
{
	image_store_close(&store);
	dir_remove();
}

/* Documents and blobs of an image with `n` layers; the same words make the same image. 0 or an error. */
UNUSED static int try_make_image(const struct image_store *s, const char *word, size_t n,
				 struct made *ret, struct err *e)
{
	auto_buf struct buf config = { 0 }, manifest = { 0 };
	struct made m = { .n = n };

	buf_str(&config,
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Cmd\":[\"sh\"]},"
		"\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf text = { 0 };

		buf_printf(&text, "layer %zu of %s, plain", i, word);
		m.diff_ids[i] = digest_of(DIGEST_SHA256, text.text, text.len);
		buf_printf(&config, "%s\"%s\"", i ? "," : "", m.diff_ids[i].text);
	}
	buf_str(&config, "]}}");
	TRY(image_store_add(s, config.text, config.len, &m.id, e));
	buf_printf(&manifest,
		   "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":\"%s\","
		   "\"size\":"
		   "%zu,\"digest\":\"%s\"},\"layers\":[",
		   MEDIA_OCI_MANIFEST, MEDIA_OCI_CONFIG, config.len, m.id.text);
	for (size_t i = 0; i < n; i++) {
		auto_buf struct buf text = { 0 };

		buf_printf(&text, "layer %zu of %s, packed", i, word);
		TRY(image_store_add(s, text.text, text.len, &m.blobs[i], e));
		buf_printf(&manifest, "%s{\"mediaType\":\"%s\",\"size\":%zu,\"digest\":\"%s\"}",
			   i ? "," : "", MEDIA_OCI_LAYER_GZIP, text.len, m.blobs[i].text);
	}
	buf_str(&manifest, "]}");
	TRY(image_store_add(s, manifest.text, manifest.len, &m.manifest.digest, e));
	m.manifest.media_type = MEDIA_OCI_MANIFEST;
	m.manifest.size = manifest.len;
	*ret = m;
	return 0;
}

UNUSED static struct made make_image(const struct image_store *s, const char *word, size_t n)
{
	struct made m = { .n = 0 };
	struct err e = { 0 };

	cr_assert_eq(try_make_image(s, word, n, &m, &e), 0, "%s", e.msg);
	return m;
}

/* The same with a name. */
UNUSED static struct made make_named(const struct image_store *s, const char *word,
				     const char *name)
{
	struct made m = make_image(s, word, 2);
	struct err e = { 0 };

	cr_assert_eq(image_store_tag(s, name, &m.manifest, NULL, &e), 0, "%s", e.msg);
	return m;
}

/* An unpacked layer with a file in it. */
UNUSED static int try_make_layer(const struct image_store *s, const struct digest *diff_id,
				 struct err *e)
{
	auto_image_layer struct image_layer l = { .store = NULL };
	auto_fd int fd = -1;

	TRY(image_layer_begin(s, diff_id, &l, e));
	if (l.present)
		return 0;
	if (mkdirat(l.fs, "etc", 0755) < 0)
		return err_sys(e, "mkdir");
	fd = openat(l.fs, "etc/file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "text", 4) != 4)
		return err_sys(e, "write");
	return image_layer_commit(&l, diff_id, e);
}

#endif
