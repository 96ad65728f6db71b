/* documents_write.c - from documents to text: what documents.c reads as the same. */
#include "base/json_write.h"
#include "image/documents.h"

static void write_pairs(struct json_writer *w, const char *key, const struct spec_pairs *pairs)
{
	if (pairs->n == 0)
		return;
	json_write_object(w, key);
	for (size_t i = 0; i < pairs->n; i++)
		json_write_string(w, pairs->at[i].key, pairs->at[i].value);
	json_write_end(w);
}

static void write_text(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		json_write_string(w, key, value);
}

static void write_platform(struct json_writer *w, const struct platform *p)
{
	if (!p)
		return;
	json_write_object(w, "platform");
	json_write_string(w, "architecture", p->architecture);
	json_write_string(w, "os", p->os);
	write_text(w, "os.version", p->os_version);
	if (p->os_features.n)
		json_write_strings(w, "os.features", &p->os_features);
	write_text(w, "variant", p->variant);
	json_write_end(w);
}

static void write_descriptor(struct json_writer *w, const char *key,
			     const struct image_descriptor *d)
{
	if (!d)
		return;
	json_write_object(w, key);
	json_write_string(w, "mediaType", d->media_type);
	json_write_string(w, "digest", d->digest.text);
	json_write_uint(w, "size", d->size);
	if (d->urls.n)
		json_write_strings(w, "urls", &d->urls);
	write_pairs(w, "annotations", &d->annotations);
	write_text(w, "data", d->data);
	write_text(w, "artifactType", d->artifact_type);
	write_platform(w, d->platform);
	json_write_end(w);
}

static void write_descriptors(struct json_writer *w, const char *key,
			      const struct image_descriptors *list)
{
	json_write_array(w, key);
	for (size_t i = 0; i < list->n; i++)
		write_descriptor(w, NULL, &list->at[i]);
	json_write_end(w);
}

void image_index_write(const struct image_index *i, struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);

	json_write_object(&w, NULL);
	json_write_int(&w, "schemaVersion", 2);
	json_write_string(&w, "mediaType", i->media_type ? i->media_type : MEDIA_OCI_INDEX);
	write_text(&w, "artifactType", i->artifact_type);
	write_descriptors(&w, "manifests", &i->manifests);
	write_descriptor(&w, "subject", i->subject);
	write_pairs(&w, "annotations", &i->annotations);
	json_write_end(&w);
}

void image_manifest_write(const struct image_manifest *m, struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);

	json_write_object(&w, NULL);
	json_write_int(&w, "schemaVersion", 2);
	json_write_string(&w, "mediaType", m->media_type ? m->media_type : MEDIA_OCI_MANIFEST);
	write_text(&w, "artifactType", m->artifact_type);
	write_descriptor(&w, "config", &m->config);
	write_descriptors(&w, "layers", &m->layers);
	write_descriptor(&w, "subject", m->subject);
	write_pairs(&w, "annotations", &m->annotations);
	json_write_end(&w);
}
