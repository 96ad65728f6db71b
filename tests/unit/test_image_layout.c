/* Layout directories into the store and out of it; theirs are somebody else's. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/io.h"
#include "image/layout.h"
#include "test_child.h"
#include "test_image_make.h"

#define NAME "docker.io/library/a:1"

TestSuite(image_layout, .init = store_make, .fini = store_unmake);

static int import(const char *dir, const char *ref, const char *platform, struct image_record *ret,
		  struct err *e)
{
	static struct arena a;
	struct platform p;
	struct layout_import what = { .path = dir_at(dir), .ref = ref, .name = NAME };

	if (platform) {
		cr_assert_eq(platform_parse(platform, &a, &p, e), 0, "%s", e->msg);
		what.platform = &p;
	}
	return layout_import(&store, &what, &a, ret, e);
}

/* Out of one store and into another: the same. */
Test(image_layout, there_and_back)
{
	struct made one = make_named(&store, "one", NAME), two = make_named(&store, "two", NAME);
	auto_arena struct arena a = { 0 };
	struct image_record r;
	struct image_records list;
	struct err e = { 0 };

	cr_assert_eq(layout_export(&store, &one.manifest.digest, dir_at("out"), "first", &e), 0,
		     "%s", e.msg);
	cr_assert_eq(layout_export(&store, &one.manifest.digest, dir_at("out"), "first", &e), 0,
		     "%s", e.msg);
	cr_assert_eq(layout_export(&store, &two.manifest.digest, dir_at("out"), "second", &e), 0,
		     "%s", e.msg);
	image_store_close(&store);
	cr_assert_eq(image_store_open(dir_at("other"), true, &store, &e), 0, "%s", e.msg);
	cr_expect_eq(import("out", NULL, NULL, &r, &e), -EINVAL);
	cr_expect(strstr(e.msg, "/out has several images, say which: first, second"), "%s", e.msg);
	cr_expect_eq(import("out", "third", NULL, &r, &e), -ENOENT);
	cr_expect(strstr(e.msg, "/out has no image \"third\", only first, second"), "%s", e.msg);
	cr_assert_eq(import("out", "second", NULL, &r, &e), 0, "%s", e.msg);
	cr_expect_str_eq(r.name, NAME);
	cr_expect_str_eq(r.manifest.digest.text, two.manifest.digest.text);
	cr_assert_eq(image_store_list(&store, &a, &list, &e), 0);
	cr_expect_eq(list.n, 1);
	cr_expect_eq(image_store_check(&store, false, 0, NULL, NULL, &e), 0);
	/* The name moves on; a replaced name in a layout is one entry. */
	cr_assert_eq(import("out", "first", NULL, &r, &e), 0, "%s", e.msg);
	cr_assert_eq(layout_export(&store, &r.manifest.digest, dir_at("out"), "second", &e), 0,
		     "%s", e.msg);
	cr_assert_eq(import("out", "second", NULL, &r, &e), 0, "%s", e.msg);
	cr_expect_str_eq(r.manifest.digest.text, one.manifest.digest.text);
}

static void copy_layout(const char *name)
{
	struct made m = make_named(&store, "one", NAME);
	struct err e = { 0 };

	cr_assert_eq(layout_export(&store, &m.manifest.digest, dir_at(name), "x", &e), 0, "%s",
		     e.msg);
	image_store_close(&store);
	cr_assert_eq(image_store_open(dir_at("empty"), true, &store, &e), 0, "%s", e.msg);
}

/* What is wrong with it is said, and nothing gets a name. */
Test(image_layout, wrong_ones)
{
	auto_arena struct arena a = { 0 };
	struct image_records list;
	struct made m = make_image(&store, "one", 2);
	char blob[200], config[200], outside[200];
	const struct {
		const char *file, *content, *message; /* content NULL: removed */
	} rows[] = {
		{ "out/oci-layout", NULL, "/out/oci-layout: no such file or directory" },
		{ "out/oci-layout", "{}", "imageLayoutVersion: missing" },
		{ "out/oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}", "expected version 1" },
		{ "out/index.json", NULL, "/out/index.json: no such file or directory" },
		{ "out/index.json", "{\"schemaVersion\":2,\"manifests\":[]}",
		  "/out holds no image" },
		{ "out/index.json", "[]", "/out: index.json:1:1: expected an object" },
		{ blob, NULL, "no such file or directory" },
		{ blob, "layer 0 of ONE, packed", "its content has the digest" },
		{ blob, "layer", "it ended after 5 bytes of 22" },
		{ blob, "layer 0 of one, packed and more",
		  "more than the 22 bytes it should have" },
		{ config, "{}", "it ended after 2 bytes" },
		{ outside, "{}", "its content has 2 bytes and the digest" },
	};

	snprintf(blob, sizeof(blob), "out/blobs/sha256/%s", digest_hex(&m.blobs[0]));
	snprintf(config, sizeof(config), "out/blobs/sha256/%s", digest_hex(&m.id));
	snprintf(outside, sizeof(outside), "out/blobs/sha256/%s", digest_hex(&m.manifest.digest));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image_record r;
		struct err e = { 0 };

		store_unmake();
		store_make();
		copy_layout("out");
		cr_assert_eq(unlinkat(dir_fd, rows[i].file, 0), 0, "%s", rows[i].file);
		if (rows[i].content)
			dir_file(rows[i].file, rows[i].content);
		cr_expect_lt(import("out", NULL, NULL, &r, &e), 0, "row %zu", i);
		cr_expect(strstr(e.msg, rows[i].message), "row %zu: %s", i, e.msg);
		cr_assert_eq(image_store_list(&store, &a, &list, &e), 0);
		cr_expect_eq(list.n, 0);
		cr_expect_eq(image_store_check(&store, true, 0, NULL, NULL, &e), 0);
	}
}

Test(image_layout, links_out_of_it_and_devices)
{
	struct image_record r;
	struct err e = { 0 };

	copy_layout("out");
	dir_file("secret", "{\"imageLayoutVersion\":\"1.0.0\"}");
	cr_assert_eq(unlinkat(dir_fd, "out/oci-layout", 0), 0);
	cr_assert_eq(symlinkat("../secret", dir_fd, "out/oci-layout"), 0);
	cr_expect_eq(import("out", NULL, NULL, &r, &e), -EXDEV, "%s", e.msg);
	cr_assert_eq(unlinkat(dir_fd, "out/oci-layout", 0), 0);
	cr_assert_eq(mkfifoat(dir_fd, "out/oci-layout", 0600), 0);
	cr_expect_eq(import("out", NULL, NULL, &r, &e), -EINVAL);
	cr_expect(strstr(e.msg, "it is not a regular file"), "%s", e.msg);
	cr_expect_eq(import("none", NULL, NULL, &r, &e), -ENOENT);
}

/* An index in the layout: the platform's manifest is taken, and its index is known. */
Test(image_layout, of_several_platforms)
{
	struct made m = make_named(&store, "one", NAME);
	auto_buf struct buf index = { 0 }, top = { 0 };
	auto_arena struct arena a = { 0 };
	struct image_record r, found;
	struct digest d;
	char name[300];
	struct err e = { 0 };

	cr_assert_eq(layout_export(&store, &m.manifest.digest, dir_at("out"), NULL, &e), 0, "%s",
		     e.msg);
	buf_printf(&index,
		   "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
		   "\",\"size\":%lu,\"digest\":\"%s\",\"platform\":{\"os\":\"linux\","
		   "\"architecture\":\"amd64\"}},"
		   "{\"mediaType\":\"" MEDIA_OCI_MANIFEST
		   "\",\"size\":7,\"digest\":\"sha256:%064d\",\"platform\":{\"os\":\"linux\","
		   "\"architecture\":"
		   "\"s390x\"}}]}",
		   m.manifest.size, m.manifest.digest.text, 0);
	d = digest_of(DIGEST_SHA256, index.text, index.len);
	snprintf(name, sizeof(name), "out/blobs/sha256/%s", digest_hex(&d));
	dir_file(name, index.text);
	buf_printf(&top,
		   "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_INDEX
		   "\",\"size\":%zu,\"digest\":\"%s\"}]}",
		   index.len, d.text);
	dir_file("out/index.json", top.text);
	image_store_close(&store);
	cr_assert_eq(image_store_open(dir_at("other"), true, &store, &e), 0, "%s", e.msg);
	cr_assert_eq(import("out", NULL, "linux/amd64", &r, &e), 0, "%s", e.msg);
	cr_expect_str_eq(r.manifest.digest.text, m.manifest.digest.text);
	cr_expect_str_eq(r.index.text, d.text);
	snprintf(name, sizeof(name), "docker.io/library/a@%s", d.text);
	cr_assert_eq(image_store_resolve(&store, name, &a, &found, &e), 0, "%s", e.msg);
	cr_expect_str_eq(found.manifest.digest.text, m.manifest.digest.text);
	cr_expect_lt(import("out", NULL, "linux/s390x", &r, &e), 0);
	cr_expect(strstr(e.msg, "no such file or directory"), "%s", e.msg);
	cr_expect_eq(import("out", NULL, "linux/riscv64", &r, &e), -ENOENT);
	cr_expect(strstr(e.msg,
			 "there is no image for linux/riscv64, only for linux/amd64, linux/s390x"),
		  "%s", e.msg);
}

Test(image_layout, of_another_platform_than_was_asked_for)
{
	struct image_record r;
	struct err e = { 0 };

	copy_layout("out");
	cr_expect_eq(import("out", NULL, "linux/arm64", &r, &e), -ENOENT);
	cr_expect(strstr(e.msg, "the image is for linux/amd64, not for linux/arm64"), "%s", e.msg);
	cr_expect_eq(import("out", NULL, NULL, &r, &e), 0, "%s", e.msg);
}

/* The image that `make` leaves in the build. */
Test(image_layout, the_default_image)
{
	const char *builddir = getenv("builddir");
	auto_arena struct arena a = { 0 };
	auto_buf struct buf path = { 0 };
	auto_image struct image image = { .size = 0 };
	struct layout_import what = { .name = "localhost/hull/busybox:latest" };
	struct image_record r;
	struct err e = { 0 };

	buf_printf(&path, "%s/image/default.oci", builddir ? builddir : ".");
	if (access(path.text, R_OK) < 0)
		cr_skip_test("there is no default image in the build");
	what.path = path.text;
	cr_assert_eq(layout_import(&store, &what, &a, &r, &e), 0, "%s", e.msg);
	cr_assert_eq(image_store_resolve(&store, "hull/busybox", &a, &r, &e), 0, "%s", e.msg);
	cr_assert_eq(image_load(&store, &r.manifest.digest, &image, &e), 0, "%s", e.msg);
	cr_expect_gt(image.size, 100000);
}
