/*
 * media_type.h - what a blob is, by the name its descriptor gives: OCI's and Docker's names
 * for the same kinds.
 */
#ifndef HULL_IMAGE_MEDIA_TYPE_H
#define HULL_IMAGE_MEDIA_TYPE_H

#include <stdbool.h>

enum media_kind {
	MEDIA_UNKNOWN,
	MEDIA_INDEX,    /* image index, Docker's manifest list */
	MEDIA_MANIFEST, /* image manifest, Docker's schema 2 */
	MEDIA_CONFIG,
	MEDIA_LAYER,
	MEDIA_EMPTY,   /* "{}", the config of artifacts */
	MEDIA_SCHEMA1, /* Docker's manifests before 2016: known to be refused by name */
};

enum media_compression { MEDIA_PLAIN, MEDIA_GZIP, MEDIA_ZSTD };

struct media_type {
	const char *name;
	enum media_kind kind;
	enum media_compression compression; /* layers */
	bool docker;
	bool foreign; /* layers that are not distributed with the image */
	bool encrypted;
};

#define MEDIA_OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define MEDIA_OCI_LAYER_GZIP MEDIA_OCI_LAYER "+gzip"
#define MEDIA_OCI_LAYER_ZSTD MEDIA_OCI_LAYER "+zstd"
#define MEDIA_DOCKER_INDEX "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define MEDIA_DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define MEDIA_DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"

/* For Accept headers: what a registry may answer with, in the order of preference. */
#define MEDIA_ACCEPT_MANIFESTS \
	MEDIA_OCI_INDEX ", " MEDIA_OCI_MANIFEST ", " MEDIA_DOCKER_INDEX ", " MEDIA_DOCKER_MANIFEST

/* Never NULL: what is not in the table is of kind MEDIA_UNKNOWN. NULL and "" as well. */
const struct media_type *media_type_find(const char *name);
/* All of them; ends with a NULL name. */
extern const struct media_type media_types[];
/* "an image index", "a layer", ... for messages. */
const char *media_kind_name(enum media_kind kind);

#endif
