/* store_images.c - an image's documents, and which image a person means. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "image/reference.h"
#include "image/store_private.h"

static int load_manifest(const struct image_store *s, const struct digest *digest,
			 struct image_manifest *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };
	char name[200];

	TRY(image_store_read(s, digest, &text, e));
	snprintf(name, sizeof(name), "manifest %s", digest->text);
	return image_manifest_parse(ret, name, text.text, text.len, e);
}

static int load(const struct image_store *s, struct image *i, struct err *e)
{
	auto_buf struct buf text = { 0 };
	char name[200];

	TRY(load_manifest(s, &i->digest, &i->manifest, e));
	i->id = i->manifest.config.digest;
	for (size_t k = 0; k < i->manifest.layers.n; k++)
		i->size += i->manifest.layers.at[k].size;
	snprintf(name, sizeof(name), "image %s", i->digest.text);
	/* An artifact's configuration is none of an image, and this says so better. */
	if (media_type_find(i->manifest.config.media_type)->kind != MEDIA_CONFIG)
		return image_check_pair(&i->manifest, &i->config, name, e);
	TRY(image_store_read(s, &i->id, &text, e));
	snprintf(name, sizeof(name), "image configuration %s", i->id.text);
	TRY(image_config_parse(&i->config, name, text.text, text.len, e));
	snprintf(name, sizeof(name), "image %s", i->digest.text);
	return image_check_pair(&i->manifest, &i->config, name, e);
}

int image_load(const struct image_store *s, const struct digest *manifest, struct image *ret,
	       struct err *e)
{
	struct image i = { .digest = *manifest };
	int r = load(s, &i, e);

	if (r < 0)
		image_done(&i);
	else
		*ret = i;
	return r;
}

int image_check_platform(const struct image_store *s, const struct digest *manifest,
			 const struct platform *wanted, const char *name, struct err *e)
{
	auto_image struct image image = { .size = 0 };
	auto_arena struct arena a = { 0 };

	TRY(image_load(s, manifest, &image, e));
	if (platform_score(wanted, &image.config.platform) > 0)
		return 0;
	return err_set(e, ENOENT, "%s: the image is for %s, not for %s", name,
		       platform_print(&image.config.platform, &a), platform_print(wanted, &a));
}

void image_done(struct image *i)
{
	image_manifest_done(&i->manifest);
	image_config_done(&i->config);
	*i = (struct image){ .size = 0 };
}

/* What was looked for and what was found. */
struct search {
	const struct image_records *all;
	const struct image_record *found, *other; /* other: another image that fits as well */
};

static void note(struct search *s, const struct image_record *r)
{
	if (!s->found)
		s->found = r;
	else if (!digest_equal(&s->found->manifest.digest, &r->manifest.digest) && !s->other)
		s->other = r;
}

static void search_name(struct search *s, const char *name)
{
	for (size_t i = 0; i < s->all->n; i++)
		if (s->all->at[i].name && strcmp(s->all->at[i].name, name) == 0)
			note(s, &s->all->at[i]);
}

/* The content is the digest's, whatever it is called; the name that was asked for is preferred. */
static void search_digest(struct search *s, const struct reference *ref)
{
	const struct reference_text name = reference_name(ref);
	const struct image_record *any = NULL;

	for (size_t i = 0; i < s->all->n && !s->found; i++) {
		const struct image_record *r = &s->all->at[i];
		struct reference other;

		if (!digest_equal(&r->manifest.digest, &ref->digest) &&
		    !digest_equal(&r->index, &ref->digest))
			continue;
		any = r;
		if (r->name && reference_parse(r->name, &other, NULL) == 0 &&
		    strcmp(reference_name(&other).text, name.text) == 0)
			s->found = r;
	}
	if (!s->found)
		s->found = any;
}

/* A name that ends so: "quay.io/team/tool:1" is a "tool:1". */
static void search_end(struct search *s, const char *end)
{
	size_t n = strlen(end);

	for (size_t i = 0; i < s->all->n; i++) {
		const char *name = s->all->at[i].name;
		size_t len = name ? strlen(name) : 0;

		if (len > n && name[len - n - 1] == '/' && strcmp(name + len - n, end) == 0)
			note(s, &s->all->at[i]);
	}
}

static void search_reference(struct search *s, const char *text, const struct reference *ref)
{
	char end[REFERENCE_TEXT_MAX + 1], local[REFERENCE_TEXT_MAX + 16];
	size_t n;

	if (digest_is_set(&ref->digest)) {
		search_digest(s, ref);
		return;
	}
	search_name(s, reference_print(ref).text);
	if (s->found || !ref->is_short)
		return;
	/* As it was written: without library/, but with a tag. */
	n = strlen(text);
	if (n + 1 + REFERENCE_TAG_MAX >= sizeof(end))
		return;
	snprintf(end, sizeof(end), "%s%s", text,
		 strchr(text, ':') ? "" : ":" REFERENCE_DEFAULT_TAG);
	snprintf(local, sizeof(local), "localhost/%s", end);
	search_name(s, local);
	if (!s->found)
		search_end(s, end);
}

/* The beginning of a manifest's digest or of an id. An image that can't be read is not it. */
static int search_id(struct search *s, const struct image_store *store, const char *hex,
		     struct err *e)
{
	size_t n = strlen(hex);
	int failed = 0;

	for (size_t i = 0; i < s->all->n; i++) {
		const struct image_record *r = &s->all->at[i];
		struct image_manifest m;
		bool fits = strncmp(digest_hex(&r->manifest.digest), hex, n) == 0;

		if (!fits) {
			int loaded = load_manifest(store, &r->manifest.digest, &m, e);

			if (loaded < 0) {
				failed = loaded;
				continue;
			}
			fits = strncmp(digest_hex(&m.config.digest), hex, n) == 0;
			image_manifest_done(&m);
		}
		if (fits)
			note(s, r);
	}
	return s->found ? 0 : failed;
}

static const char *hex_part(const char *text)
{
	const char *hex = strncmp(text, "sha256:", 7) == 0 || strncmp(text, "sha512:", 7) == 0
				  ? text + 7
				  : text;
	size_t n = strspn(hex, "0123456789abcdef");

	return n > 0 && n <= 128 && hex[n] == '\0' ? hex : NULL;
}

static const char *shown_name(const struct image_record *r)
{
	assert(r);
	return r->name ? r->name : r->manifest.digest.text;
}

int image_store_resolve(const struct image_store *s, const char *text, struct arena *a,
			struct image_record *ret, struct err *e)
{
	struct image_records all;
	struct search search = { .all = &all };
	const char *hex = hex_part(text);
	struct reference ref = { .tag = "" };
	bool is_name;

	/* An id can be no name (64 digits), a name no id; most short ones could be both. */
	is_name = strncmp(text, "sha", 3) != 0 || !hex || hex == text;
	if (is_name) {
		struct err why = { 0 };
		int r = reference_parse(text, &ref, &why);

		if (r < 0 && !hex) {
			if (e)
				*e = why;
			return r;
		}
		is_name = r == 0;
	}
	TRY(image_store_list(s, a, &all, e));
	if (is_name) {
		reference_default_tag(&ref);
		search_reference(&search, text, &ref);
	}
	if (!search.found && hex)
		TRY(search_id(&search, s, hex, e));
	if (search.other)
		return err_set(e, EEXIST, "image %s is ambiguous: %s or %s", json_quote(text).text,
			       shown_name(search.found), shown_name(search.other));
	if (!search.found)
		return is_name ? err_set(e, ENOENT, "there is no image %s here",
					 reference_print(&ref).text)
			       : err_set(e, ENOENT, "there is no image with the id %s here", text);
	*ret = *search.found;
	return 0;
}
