/*
 * documents.h - the image specification's documents, as plain data: index,
 * manifest, configuration; OCI's and Docker's.
 *
 *	struct image_manifest m = { 0 };
 *
 *	TRY(image_manifest_parse(&m, "manifest sha256:...", text, size, e));
 *	...
 *	image_manifest_done(&m);
 *
 * All are decoded by table (base/json_decode.h) and checked; a message says
 * which document, line and member it is about. What is absent is NULL, empty
 * or not set. What a document holds lives as long as it. Their text is kept
 * by whoever read it: digests are of the bytes, never of what we would write.
 */
#ifndef HULL_IMAGE_DOCUMENTS_H
#define HULL_IMAGE_DOCUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json_decode.h"
#include "base/list.h"
#include "base/opt.h"
#include "image/digest.h"
#include "image/media_type.h"
#include "image/platform.h"
#include "spec/spec.h"

enum {
	IMAGE_DOCUMENT_MAX = 4 * 1024 * 1024, /* bytes; registries refuse larger manifests too */
	IMAGE_LAYERS_MAX = 500,               /* overlayfs takes as many lowers */
	IMAGE_MANIFESTS_MAX = 10000,          /* entries of an index */
};
/* Bytes of one layer, so that sums of sizes do not wrap: 1 TiB. */
#define IMAGE_BLOB_MAX ((uint64_t)1 << 40)

struct image_descriptor {
	const char *media_type;
	struct digest digest;
	uint64_t size;
	const char *data; /* base64 of the content itself, if given */
	const char *artifact_type;
	struct strings urls;
	struct spec_pairs annotations;
	const struct platform *platform; /* in an index; NULL: not given */
};
struct image_descriptors {
	struct image_descriptor *at;
	size_t n;
};

struct image_index {
	struct arena arena;
	uint32_t schema_version; /* 2 */
	const char *media_type;  /* NULL: not given, which OCI allows */
	const char *artifact_type;
	struct image_descriptors manifests;
	const struct image_descriptor *subject;
	struct spec_pairs annotations;
};

struct image_manifest {
	struct arena arena;
	uint32_t schema_version;
	const char *media_type;
	const char *artifact_type; /* not NULL: not an image that runs */
	struct image_descriptor config;
	struct image_descriptors layers; /* the base first */
	const struct image_descriptor *subject;
	struct spec_pairs annotations;
};

/* Docker's; durations in nanoseconds, 0: the default. */
struct image_healthcheck {
	struct strings test; /* "NONE" | "CMD" args... | "CMD-SHELL" command */
	int64_t interval, timeout, start_period, start_interval;
	int64_t retries;
};

struct image_history {
	const char *created, *author, *created_by, *comment;
	bool empty_layer;
};

/* A set is an object whose members are its elements: {"80/tcp": {}}. */
struct image_set_member {
	const char *name;
};
struct image_set {
	struct image_set_member *at;
	size_t n;
};

/* The configuration's "config": how to run it. */
struct image_run {
	const char *user; /* "", name, uid, with ":group": image/passwd.h */
	struct image_set exposed_ports, volumes;
	struct strings env, entrypoint, cmd, shell, on_build;
	const char *working_dir, *stop_signal, *hostname;
	struct opt_u32 stop_timeout; /* seconds */
	struct spec_pairs labels;
	bool args_escaped;
	const struct image_healthcheck *healthcheck;
};

struct image_config {
	struct arena arena;
	const char *created, *author; /* created is RFC 3339, as written */
	struct platform platform;
	struct image_run run;
	struct {
		const char *type;             /* "layers" */
		LIST(struct digest) diff_ids; /* of the plain tars, the base first */
	} rootfs;
	LIST(struct image_history) history;
};

/* One image of a docker-archive: files in the tar. */
struct docker_archive_image {
	const char *config;
	struct strings repo_tags, layers;
};
struct docker_archive {
	struct arena arena;
	LIST(struct docker_archive_image) images;
};

/* `name` is what messages call the document. */
int image_index_parse(struct image_index *ret, const char *name, const char *text, size_t size,
		      struct err *e) MUST_CHECK;
int image_manifest_parse(struct image_manifest *ret, const char *name, const char *text,
			 size_t size, struct err *e) MUST_CHECK;
int image_config_parse(struct image_config *ret, const char *name, const char *text, size_t size,
		       struct err *e) MUST_CHECK;
/* Its manifest.json. Paths in it are relative and stay inside. */
int docker_archive_parse(struct docker_archive *ret, const char *name, const char *text,
			 size_t size, struct err *e) MUST_CHECK;
/* The file oci-layout: says that the directory is one, of a version that we know. */
int image_layout_check(const char *name, const char *text, size_t size, struct err *e) MUST_CHECK;

void image_index_done(struct image_index *i);
void image_manifest_done(struct image_manifest *m);
void image_config_done(struct image_config *c);
void docker_archive_done(struct docker_archive *d);

/*
 * Which of them a text is: by its mediaType, or without one by its members.
 * MEDIA_INDEX, MEDIA_MANIFEST, or an error that names what it is instead.
 */
int image_document_kind(const char *name, const char *text, size_t size, enum media_kind *ret,
			struct err *e) MUST_CHECK;

/* Whether manifest and configuration are of one image that can run: as many diff_ids as layers. */
int image_check_pair(const struct image_manifest *m, const struct image_config *c, const char *name,
		     struct err *e) MUST_CHECK;

/* The value, NULL without one. */
const char *image_annotation(const struct spec_pairs *annotations, const char *key);

/* Appends a document; with media_type NULL, OCI's own name. Nothing else is added. */
void image_index_write(const struct image_index *i, struct buf *ret);
void image_manifest_write(const struct image_manifest *m, struct buf *ret);

/* The tables, for those who compare them with the schema and the fuzzer's dictionary. */
JSON_TABLE_EXTERN(image_descriptor_fields, struct image_descriptor);
JSON_TABLE_EXTERN(image_index_fields, struct image_index);
JSON_TABLE_EXTERN(image_manifest_fields, struct image_manifest);
JSON_TABLE_EXTERN(image_config_fields, struct image_config);

#endif
