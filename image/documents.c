/* documents.c - from text to documents: parse, decode by table, check. */
#include "image/documents.h"

#include <errno.h>
#include <string.h>

/* A set: the names of an object's members, whatever is in them. */
static int decode_set(struct json_decoder *d, const struct json *v,
		      const struct json_field *f UNUSED, void *out)
{
	struct image_set set = { arena_array(d->arena, v->count, sizeof(*set.at)), 0 };

	for (const struct json *item = v->first; item; item = item->next) {
		if (item->type != JSON_NULL && item->type != JSON_OBJECT)
			return json_fail(d->doc, item, NULL, d->err, "expected an object, found %s",
					 json_type_name(item->type));
		set.at[set.n++].name = item->key;
	}
	memcpy(out, &set, sizeof(set));
	return 0;
}

static const struct json_kind json_kind_set = { JSON_OBJECT, decode_set, ".*" };
#define FIELD_SET(T, k, m, fl) FIELD_(k, set, JSON_AT_(T, m, struct image_set), fl)

const struct json_field image_descriptor_fields[] = {
	FIELD_STRING(struct image_descriptor, "mediaType", media_type, REQUIRED),
	FIELD_DIGEST(struct image_descriptor, "digest", digest, REQUIRED),
	FIELD_INT_(struct image_descriptor, "size", size, uint64_t, 0, IMAGE_BLOB_MAX, REQUIRED),
	FIELD_STRING(struct image_descriptor, "data", data, 0),
	FIELD_STRING(struct image_descriptor, "artifactType", artifact_type, 0),
	FIELD_STRINGS(struct image_descriptor, "urls", urls, 0),
	FIELD_STRING_MAP(struct image_descriptor, "annotations", annotations, key, value, 0),
	FIELD_POINTER(struct image_descriptor, "platform", platform, platform_fields, 0),
	{ 0 },
};

const struct json_field image_index_fields[] = {
	FIELD_U32(struct image_index, "schemaVersion", schema_version, REQUIRED),
	FIELD_STRING(struct image_index, "mediaType", media_type, 0),
	FIELD_STRING(struct image_index, "artifactType", artifact_type, 0),
	FIELD_LIST(struct image_index, "manifests", manifests, image_descriptor_fields, REQUIRED),
	FIELD_POINTER(struct image_index, "subject", subject, image_descriptor_fields, 0),
	FIELD_STRING_MAP(struct image_index, "annotations", annotations, key, value, 0),
	{ 0 },
};

const struct json_field image_manifest_fields[] = {
	FIELD_U32(struct image_manifest, "schemaVersion", schema_version, REQUIRED),
	FIELD_STRING(struct image_manifest, "mediaType", media_type, 0),
	FIELD_STRING(struct image_manifest, "artifactType", artifact_type, 0),
	FIELD_OBJECT(struct image_manifest, "config", config, image_descriptor_fields, REQUIRED),
	FIELD_LIST(struct image_manifest, "layers", layers, image_descriptor_fields, REQUIRED),
	FIELD_POINTER(struct image_manifest, "subject", subject, image_descriptor_fields, 0),
	FIELD_STRING_MAP(struct image_manifest, "annotations", annotations, key, value, 0),
	{ 0 },
};

JSON_TABLE(healthcheck_fields, struct image_healthcheck) = {
	FIELD_STRINGS(struct image_healthcheck, "Test", test, 0),
	FIELD_I64_IN(struct image_healthcheck, "Interval", interval, 0, INT64_MAX, 0),
	FIELD_I64_IN(struct image_healthcheck, "Timeout", timeout, 0, INT64_MAX, 0),
	FIELD_I64_IN(struct image_healthcheck, "StartPeriod", start_period, 0, INT64_MAX, 0),
	FIELD_I64_IN(struct image_healthcheck, "StartInterval", start_interval, 0, INT64_MAX, 0),
	FIELD_I64_IN(struct image_healthcheck, "Retries", retries, 0, INT64_MAX, 0),
	{ 0 },
};

JSON_TABLE(run_fields, struct image_run) = {
	FIELD_STRING(struct image_run, "User", user, 0),
	FIELD_SET(struct image_run, "ExposedPorts", exposed_ports, 0),
	FIELD_STRINGS(struct image_run, "Env", env, 0),
	FIELD_STRINGS(struct image_run, "Entrypoint", entrypoint, 0),
	FIELD_STRINGS(struct image_run, "Cmd", cmd, 0),
	FIELD_SET(struct image_run, "Volumes", volumes, 0),
	FIELD_STRING(struct image_run, "WorkingDir", working_dir, 0),
	FIELD_STRING_MAP(struct image_run, "Labels", labels, key, value, 0),
	FIELD_STRING(struct image_run, "StopSignal", stop_signal, 0),
	FIELD_BOOL(struct image_run, "ArgsEscaped", args_escaped, 0),
	/* Docker's */
	FIELD_STRING(struct image_run, "Hostname", hostname, 0),
	FIELD_OPT_U32(struct image_run, "StopTimeout", stop_timeout, 0),
	FIELD_STRINGS(struct image_run, "Shell", shell, 0),
	FIELD_STRINGS(struct image_run, "OnBuild", on_build, 0),
	FIELD_POINTER(struct image_run, "Healthcheck", healthcheck, healthcheck_fields, 0),
	{ 0 },
};

JSON_TABLE(rootfs_fields, struct image_config) = {
	FIELD_STRING(struct image_config, "type", rootfs.type, REQUIRED),
	FIELD_DIGESTS(struct image_config, "diff_ids", rootfs.diff_ids, REQUIRED),
	{ 0 },
};

JSON_TABLE(history_fields, struct image_history) = {
	FIELD_STRING(struct image_history, "created", created, 0),
	FIELD_STRING(struct image_history, "author", author, 0),
	FIELD_STRING(struct image_history, "created_by", created_by, 0),
	FIELD_STRING(struct image_history, "comment", comment, 0),
	FIELD_BOOL(struct image_history, "empty_layer", empty_layer, 0),
	{ 0 },
};

const struct json_field image_config_fields[] = {
	FIELD_STRING(struct image_config, "created", created, 0),
	FIELD_STRING(struct image_config, "author", author, 0),
	FIELD_STRING(struct image_config, "architecture", platform.architecture, REQUIRED),
	FIELD_STRING(struct image_config, "os", platform.os, REQUIRED),
	FIELD_STRING(struct image_config, "os.version", platform.os_version, 0),
	FIELD_STRINGS(struct image_config, "os.features", platform.os_features, 0),
	FIELD_STRING(struct image_config, "variant", platform.variant, 0),
	FIELD_OBJECT(struct image_config, "config", run, run_fields, 0),
	FIELD_GROUP(struct image_config, "rootfs", rootfs_fields, REQUIRED),
	FIELD_LIST(struct image_config, "history", history, history_fields, 0),
	{ 0 },
};

JSON_TABLE(archive_image_fields, struct docker_archive_image) = {
	FIELD_STRING(struct docker_archive_image, "Config", config, REQUIRED),
	FIELD_STRINGS(struct docker_archive_image, "RepoTags", repo_tags, 0),
	FIELD_STRINGS(struct docker_archive_image, "Layers", layers, 0),
	{ 0 },
};

struct layout_file {
	const char *version;
};
JSON_TABLE(layout_file_fields, struct layout_file) = {
	FIELD_STRING(struct layout_file, "imageLayoutVersion", version, REQUIRED),
	{ 0 },
};

static int parse(struct json_doc *doc, struct arena *a, struct err *e)
{
	if (doc->size > IMAGE_DOCUMENT_MAX)
		return err_set(e, EFBIG, "%s: larger than %d MiB", doc->name,
			       IMAGE_DOCUMENT_MAX >> 20);
	return json_parse(doc, a, e);
}

static int decode(struct json_doc *doc, const struct json *object, struct arena *a,
		  const struct json_field *fields, void *out, struct err *e)
{
	struct json_decoder d = { .doc = doc, .arena = a, .err = e };

	return json_decode(&d, object, fields, out);
}

/* "type/subtype", RFC 6838 4.2. */
static bool is_media_type(const char *s)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789!#$&^_.+-";
	size_t n = strspn(s, letters), m = s[n] == '/' ? strspn(s + n + 1, letters) : 0;

	return n > 0 && n <= 127 && m > 0 && m <= 127 && s[n + 1 + m] == '\0' &&
	       !strchr("!#$&^_.+-", s[0]) && !strchr("!#$&^_.+-", s[n + 1]);
}

static int check_descriptor(const struct json_doc *doc, const struct json *at,
			    const struct image_descriptor *d, uint64_t max, struct err *e)
{
	if (!is_media_type(d->media_type))
		return json_fail(doc, json_member(at, "mediaType"), NULL, e,
				 "%s is not a media type", json_quote(d->media_type).text);
	if (d->size > max)
		return json_fail(doc, json_member(at, "size"), NULL, e,
				 "%llu bytes are too much for a document",
				 (unsigned long long)d->size);
	if (d->artifact_type && !is_media_type(d->artifact_type))
		return json_fail(doc, json_member(at, "artifactType"), NULL, e,
				 "%s is not a media type", json_quote(d->artifact_type).text);
	return 0;
}

static int check_descriptors(const struct json_doc *doc, const char *key,
			     const struct image_descriptors *list, size_t max_n, uint64_t max_size,
			     struct err *e)
{
	const struct json *array = json_member(doc->root, key), *at = array->first;

	if (list->n > max_n)
		return json_fail(doc, array, NULL, e, "%zu entries, more than %zu", list->n, max_n);
	for (size_t i = 0; i < list->n; i++, at = at->next)
		TRY(check_descriptor(doc, at, &list->at[i], max_size, e));
	return 0;
}

/*
 * Version and type, and that it can't be taken for another document by who
 * looks at other members (CVE-2021-41190).
 */
static int check_head(const struct json_doc *doc, uint32_t version, const char *media_type,
		      enum media_kind kind, const char *const *foreign, struct err *e)
{
	const struct media_type *t = media_type_find(media_type);

	if (version == 1 && (json_member(doc->root, "fsLayers") || t->kind == MEDIA_SCHEMA1))
		return err_set(
			e, EINVAL,
			"%s: a manifest of Docker's schema 1, which no tool writes since 2019: "
			"push the image again",
			doc->name);
	if (version != 2)
		return json_fail(doc, json_member(doc->root, "schemaVersion"), NULL, e,
				 "expected 2, found %u", version);
	if (media_type && t->kind != kind)
		return json_fail(doc, json_member(doc->root, "mediaType"), NULL, e,
				 "expected %s, found %s", media_kind_name(kind),
				 json_quote(media_type).text);
	for (; *foreign; foreign++)
		if (json_member(doc->root, *foreign))
			return json_fail(doc, json_member(doc->root, *foreign), NULL, e,
					 "has no place in %s", media_kind_name(kind));
	return 0;
}

static int check_subject(const struct json_doc *doc, const struct image_descriptor *subject,
			 struct err *e)
{
	if (!subject)
		return 0;
	return check_descriptor(doc, json_member(doc->root, "subject"), subject, IMAGE_BLOB_MAX, e);
}

int image_index_parse(struct image_index *ret, const char *name, const char *text, size_t size,
		      struct err *e)
{
	static const char *const foreign[] = { "layers", "config", "fsLayers", NULL };
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	auto_arena struct arena a = { 0 };
	struct image_index i = { .schema_version = 0 };

	TRY(parse(&doc, &a, e));
	TRY(decode(&doc, doc.root, &a, image_index_fields, &i, e));
	TRY(check_head(&doc, i.schema_version, i.media_type, MEDIA_INDEX, foreign, e));
	TRY(check_descriptors(&doc, "manifests", &i.manifests, IMAGE_MANIFESTS_MAX,
			      IMAGE_DOCUMENT_MAX, e));
	TRY(check_subject(&doc, i.subject, e));
	*ret = i;
	ret->arena = a;
	a = (struct arena){ 0 };
	return 0;
}

int image_manifest_parse(struct image_manifest *ret, const char *name, const char *text,
			 size_t size, struct err *e)
{
	static const char *const foreign[] = { "manifests", "fsLayers", NULL };
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	auto_arena struct arena a = { 0 };
	struct image_manifest m = { .schema_version = 0 };

	TRY(parse(&doc, &a, e));
	/* An old one lacks what is required, and that would be a poor explanation. */
	if (doc.root->type == JSON_OBJECT && json_member(doc.root, "fsLayers"))
		TRY(check_head(&doc, 1, NULL, MEDIA_MANIFEST, foreign, e));
	TRY(decode(&doc, doc.root, &a, image_manifest_fields, &m, e));
	TRY(check_head(&doc, m.schema_version, m.media_type, MEDIA_MANIFEST, foreign, e));
	TRY(check_descriptor(&doc, json_member(doc.root, "config"), &m.config, IMAGE_DOCUMENT_MAX,
			     e));
	if (m.layers.n == 0)
		return json_fail(&doc, json_member(doc.root, "layers"), NULL, e,
				 "expected at least one layer");
	TRY(check_descriptors(&doc, "layers", &m.layers, IMAGE_LAYERS_MAX, IMAGE_BLOB_MAX, e));
	TRY(check_subject(&doc, m.subject, e));
	*ret = m;
	ret->arena = a;
	a = (struct arena){ 0 };
	return 0;
}

int image_config_parse(struct image_config *ret, const char *name, const char *text, size_t size,
		       struct err *e)
{
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	auto_arena struct arena a = { 0 };
	struct image_config c = { .created = NULL };
	size_t with_layer = 0;

	TRY(parse(&doc, &a, e));
	TRY(decode(&doc, doc.root, &a, image_config_fields, &c, e));
	if (strcmp(c.rootfs.type, "layers") != 0)
		return json_fail(&doc, json_find(doc.root, "rootfs.type"), NULL, e,
				 "expected \"layers\", found %s", json_quote(c.rootfs.type).text);
	if (c.rootfs.diff_ids.n > IMAGE_LAYERS_MAX)
		return json_fail(&doc, json_find(doc.root, "rootfs.diff_ids"), NULL, e,
				 "%zu layers, more than %d", c.rootfs.diff_ids.n, IMAGE_LAYERS_MAX);
	if (c.platform.os[0] == '\0' || c.platform.architecture[0] == '\0')
		return json_fail(&doc, doc.root, c.platform.os[0] ? "architecture" : "os", e,
				 "is empty");
	for (size_t i = 0; i < c.history.n; i++)
		with_layer += !c.history.at[i].empty_layer;
	/* No reason not to run it, but then the history says nothing about layers. */
	if (c.history.n && with_layer != c.rootfs.diff_ids.n)
		c.history.n = 0;
	*ret = c;
	ret->arena = a;
	a = (struct arena){ 0 };
	return 0;
}

/* Relative, and never upwards. */
static bool is_inner_path(const char *path)
{
	if (path[0] == '\0' || path[0] == '/')
		return false;
	for (const char *at = path; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
			return false;
	}
	return true;
}

static int check_archive_image(const struct json_doc *doc, const struct json *at,
			       const struct docker_archive_image *image, struct err *e)
{
	if (!is_inner_path(image->config))
		return json_fail(doc, json_member(at, "Config"), NULL, e,
				 "%s is not a path in the archive", json_quote(image->config).text);
	if (image->layers.n > IMAGE_LAYERS_MAX)
		return json_fail(doc, json_member(at, "Layers"), NULL, e,
				 "%zu layers, more than %d", image->layers.n, IMAGE_LAYERS_MAX);
	for (size_t i = 0; i < image->layers.n; i++)
		if (!is_inner_path(image->layers.at[i]))
			return json_fail(doc, json_find(at, "Layers[%zu]", i), NULL, e,
					 "%s is not a path in the archive",
					 json_quote(image->layers.at[i]).text);
	return 0;
}

int docker_archive_parse(struct docker_archive *ret, const char *name, const char *text,
			 size_t size, struct err *e)
{
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	auto_arena struct arena a = { 0 };
	struct docker_archive d = { .arena = { 0 } };
	struct docker_archive_image *image;

	TRY(parse(&doc, &a, e));
	if (doc.root->type != JSON_ARRAY)
		return json_fail(&doc, doc.root, NULL, e, "expected an array, found %s",
				 json_type_name(doc.root->type));
	if (doc.root->count == 0 || doc.root->count > IMAGE_MANIFESTS_MAX)
		return json_fail(&doc, doc.root, NULL, e, "expected 1 to %d images, found %u",
				 IMAGE_MANIFESTS_MAX, doc.root->count);
	d.images.n = doc.root->count;
	d.images.at = image = arena_array(&a, d.images.n, sizeof(*image));
	for (const struct json *at = doc.root->first; at; at = at->next, image++) {
		TRY(decode(&doc, at, &a, archive_image_fields, image, e));
		TRY(check_archive_image(&doc, at, image, e));
	}
	*ret = d;
	ret->arena = a;
	a = (struct arena){ 0 };
	return 0;
}

int image_layout_check(const char *name, const char *text, size_t size, struct err *e)
{
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	auto_arena struct arena a = { 0 };
	struct layout_file file = { NULL };

	TRY(parse(&doc, &a, e));
	TRY(decode(&doc, doc.root, &a, layout_file_fields, &file, e));
	if (strncmp(file.version, "1.", 2) != 0)
		return json_fail(&doc, json_member(doc.root, "imageLayoutVersion"), NULL, e,
				 "expected version 1, found %s", json_quote(file.version).text);
	return 0;
}

void image_index_done(struct image_index *i)
{
	arena_done(&i->arena);
	*i = (struct image_index){ .schema_version = 0 };
}

void image_manifest_done(struct image_manifest *m)
{
	arena_done(&m->arena);
	*m = (struct image_manifest){ .schema_version = 0 };
}

void image_config_done(struct image_config *c)
{
	arena_done(&c->arena);
	*c = (struct image_config){ .created = NULL };
}

void docker_archive_done(struct docker_archive *d)
{
	arena_done(&d->arena);
	*d = (struct docker_archive){ .arena = { 0 } };
}

int image_document_kind(const char *name, const char *text, size_t size, enum media_kind *ret,
			struct err *e)
{
	auto_json struct json_doc doc = { .name = name, .text = text, .size = size };
	auto_arena struct arena a = { 0 };
	const struct json *type;
	enum media_kind kind = MEDIA_UNKNOWN;

	TRY(parse(&doc, &a, e));
	if (doc.root->type != JSON_OBJECT)
		return json_fail(&doc, doc.root, NULL, e, "expected an object, found %s",
				 json_type_name(doc.root->type));
	type = json_member(doc.root, "mediaType");
	if (type && type->type == JSON_STRING && type->text[0]) {
		kind = media_type_find(type->text)->kind;
		if (kind != MEDIA_INDEX && kind != MEDIA_MANIFEST && kind != MEDIA_SCHEMA1)
			return json_fail(&doc, type, NULL, e,
					 "expected an image index or manifest, found %s",
					 json_quote(type->text).text);
	} else if (json_member(doc.root, "fsLayers")) {
		kind = MEDIA_SCHEMA1;
	} else if (json_member(doc.root, "manifests")) {
		kind = MEDIA_INDEX;
	} else if (json_member(doc.root, "layers")) {
		kind = MEDIA_MANIFEST;
	} else {
		return json_fail(&doc, doc.root, NULL, e,
				 "neither an image index nor a manifest: no \"manifests\" and no "
				 "\"layers\"");
	}
	*ret = kind == MEDIA_SCHEMA1 ? MEDIA_MANIFEST : kind;
	return 0;
}

static int check_layer(const struct image_descriptor *layer, size_t i, const char *name,
		       struct err *e)
{
	const struct media_type *t = media_type_find(layer->media_type);

	if (t->kind == MEDIA_LAYER && !t->encrypted)
		return 0;
	return err_set(e, ENOTSUP, "%s: layers[%zu]: %s is %s", name, i,
		       json_quote(layer->media_type).text,
		       t->encrypted ? "encrypted, and there is no key"
				    : "not a layer that can be unpacked");
}

int image_check_pair(const struct image_manifest *m, const struct image_config *c, const char *name,
		     struct err *e)
{
	if (media_type_find(m->config.media_type)->kind != MEDIA_CONFIG)
		return err_set(e, ENOTSUP,
			       "%s: not an image that runs: its configuration is of the type %s",
			       name, json_quote(m->config.media_type).text);
	if (c->rootfs.diff_ids.n != m->layers.n)
		return err_set(e, EINVAL,
			       "%s: the manifest has %zu layers and the configuration %zu diff_ids",
			       name, m->layers.n, c->rootfs.diff_ids.n);
	for (size_t i = 0; i < m->layers.n; i++)
		TRY(check_layer(&m->layers.at[i], i, name, e));
	return 0;
}

const char *image_annotation(const struct spec_pairs *annotations, const char *key)
{
	for (size_t i = 0; i < annotations->n; i++)
		if (strcmp(annotations->at[i].key, key) == 0)
			return annotations->at[i].value;
	return NULL;
}
