/*
 * fuzz_image_documents.c - anything at all as an index, a manifest, a
 * configuration and what is made of it, and a docker-archive's manifest.json.
 *
 *	fuzz_image_documents -dict=tests/fuzz/fuzz_image_documents.dict tests/fuzz/corpus-image_documents
 *
 * What is read and written is read again as the same; a failure always names
 * the document.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/config_bundle.h"
#include "image/documents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_index(const char *text, size_t size)
{
	struct image_index i, again;
	const struct platform host = platform_host();
	const struct image_descriptor *chosen = NULL;
	auto_buf struct buf once = { 0 }, twice = { 0 };
	struct err e = { 0 };

	if (image_index_parse(&i, "d", text, size, &e) < 0) {
		require(strncmp(e.msg, "d:", 2) == 0);
		return;
	}
	if (platform_select(&i, &host, &chosen, &e) == 0)
		require(chosen >= i.manifests.at && chosen < i.manifests.at + i.manifests.n);
	image_index_write(&i, &once);
	if (once.len <= IMAGE_DOCUMENT_MAX) {
		require(image_index_parse(&again, "d", once.text, once.len, &e) == 0);
		image_index_write(&again, &twice);
		require(strcmp(once.text, twice.text) == 0);
		image_index_done(&again);
	}
	image_index_done(&i);
}

static void check_manifest(const char *text, size_t size)
{
	struct image_manifest m, again;
	auto_buf struct buf once = { 0 }, twice = { 0 };
	struct err e = { 0 };

	if (image_manifest_parse(&m, "d", text, size, &e) < 0) {
		require(strncmp(e.msg, "d:", 2) == 0);
		return;
	}
	require(m.layers.n > 0 && digest_is_set(&m.layers.at[0].digest));
	image_manifest_write(&m, &once);
	if (once.len <= IMAGE_DOCUMENT_MAX) {
		require(image_manifest_parse(&again, "d", once.text, once.len, &e) == 0);
		image_manifest_write(&again, &twice);
		require(strcmp(once.text, twice.text) == 0);
		image_manifest_done(&again);
	}
	image_manifest_done(&m);
}

static void check_config(const char *text, size_t size)
{
	auto_arena struct arena a = { 0 };
	const char *env[] = { "A=b", "C" }, *const host[] = { "C=d", NULL };
	struct image_overrides wishes = {
		.env = { env, 2 }, .host_env = host, .hostname = "h", .terminal = true
	};
	struct image_config c;
	struct bundle b;
	struct err e = { 0 };

	if (image_config_parse(&c, "d", text, size, &e) < 0) {
		require(strncmp(e.msg, "d:", 2) == 0);
		return;
	}
	if (bundle_make(&c, &wishes, "i", &a, &b, &e) == 0) {
		require(b.args.n > 0 && b.args.at[0][0] && b.cwd[0] == '/' && b.stop_signal > 0);
		for (size_t i = 0; i < b.env.n; i++)
			require(strchr(b.env.at[i], '=') > b.env.at[i]);
		for (size_t i = 0; i < b.volumes.n; i++)
			require(b.volumes.at[i].destination[0] == '/' &&
				b.volumes.at[i].destination[1]);
	} else {
		require(e.msg[0] != '\0');
	}
	image_config_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct docker_archive archive;
	enum media_kind kind;
	struct err e = { 0 };

	check_index(text, size);
	check_manifest(text, size);
	check_config(text, size);
	if (docker_archive_parse(&archive, "d", text, size, &e) == 0)
		docker_archive_done(&archive);
	if (image_document_kind("d", text, size, &kind, &e) == 0)
		require(kind == MEDIA_INDEX || kind == MEDIA_MANIFEST);
	(void)!image_layout_check("d", text, size, &e);
	return 0;
}
