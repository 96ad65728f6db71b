#include "image/media_type.h"

#include <string.h>

#include "base/util.h"

#define OCI "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

const struct media_type media_types[] = {
	{ MEDIA_OCI_INDEX, MEDIA_INDEX, .docker = false },
	{ MEDIA_OCI_MANIFEST, MEDIA_MANIFEST, .docker = false },
	{ MEDIA_OCI_CONFIG, MEDIA_CONFIG, .docker = false },
	{ MEDIA_OCI_LAYER, MEDIA_LAYER, .compression = MEDIA_PLAIN },
	{ MEDIA_OCI_LAYER_GZIP, MEDIA_LAYER, .compression = MEDIA_GZIP },
	{ MEDIA_OCI_LAYER_ZSTD, MEDIA_LAYER, .compression = MEDIA_ZSTD },
	{ OCI "layer.nondistributable.v1.tar", MEDIA_LAYER, MEDIA_PLAIN, .foreign = true },
	{ OCI "layer.nondistributable.v1.tar+gzip", MEDIA_LAYER, MEDIA_GZIP, .foreign = true },
	{ OCI "layer.nondistributable.v1.tar+zstd", MEDIA_LAYER, MEDIA_ZSTD, .foreign = true },
	{ OCI "layer.v1.tar+encrypted", MEDIA_LAYER, MEDIA_PLAIN, .encrypted = true },
	{ OCI "layer.v1.tar+gzip+encrypted", MEDIA_LAYER, MEDIA_GZIP, .encrypted = true },
	{ OCI "layer.v1.tar+zstd+encrypted", MEDIA_LAYER, MEDIA_ZSTD, .encrypted = true },
	{ "application/vnd.oci.empty.v1+json", MEDIA_EMPTY, .docker = false },
	{ MEDIA_DOCKER_INDEX, MEDIA_INDEX, .docker = true },
	{ MEDIA_DOCKER_MANIFEST, MEDIA_MANIFEST, .docker = true },
	{ MEDIA_DOCKER_CONFIG, MEDIA_CONFIG, .docker = true },
	{ MEDIA_DOCKER_LAYER_GZIP, MEDIA_LAYER, MEDIA_GZIP, .docker = true },
	{ DOCKER "image.rootfs.diff.tar", MEDIA_LAYER, MEDIA_PLAIN, .docker = true },
	{ DOCKER "image.rootfs.diff.tar.zstd", MEDIA_LAYER, MEDIA_ZSTD, .docker = true },
	{ DOCKER "image.rootfs.foreign.diff.tar", MEDIA_LAYER, MEDIA_PLAIN, true, true, false },
	{ DOCKER "image.rootfs.foreign.diff.tar.gzip", MEDIA_LAYER, MEDIA_GZIP, true, true, false },
	{ DOCKER "distribution.manifest.v1+json", MEDIA_SCHEMA1, .docker = true },
	{ DOCKER "distribution.manifest.v1+prettyjws", MEDIA_SCHEMA1, .docker = true },
	{ NULL, MEDIA_UNKNOWN, .docker = false },
};

const struct media_type *media_type_find(const char *name)
{
	const struct media_type *t = media_types;

	for (; t->name; t++)
		if (name && strcmp(t->name, name) == 0)
			break;
	return t;
}

const char *media_kind_name(enum media_kind kind)
{
	static const char *const names[] = {
		[MEDIA_UNKNOWN] = "something unknown",
		[MEDIA_INDEX] = "an image index",
		[MEDIA_MANIFEST] = "an image manifest",
		[MEDIA_CONFIG] = "an image configuration",
		[MEDIA_LAYER] = "a layer",
		[MEDIA_EMPTY] = "an empty document",
		[MEDIA_SCHEMA1] = "a manifest of Docker's schema 1",
	};

	return names[kind];
}
