#include "engine/pull.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "engine/happened.h"
#include "image/layout.h"
#include "image/reference.h"

/* The one image that needs no registry. */
#define DEFAULT_NAME "localhost/hull/busybox:latest"

static bool is_default(const struct reference *r)
{
	return strcmp(r->repository, "hull/busybox") == 0 &&
	       (r->is_short || strcmp(r->registry, "localhost") == 0) &&
	       (!r->tag[0] || strcmp(r->tag, "latest") == 0) && !digest_is_set(&r->digest);
}

const char *pull_default_layout(struct arena *a)
{
	const char *libexec = secure_getenv("HULL_LIBEXEC");
	const char *dirs[] = { libexec ? arena_printf(a, "%s/../../image/default.oci", libexec)
				       : HULL_PKGDATADIR "/default.oci",
			       HULL_PKGDATADIR "/default.oci" };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (access(arena_printf(a, "%s/index.json", dirs[i]), R_OK) == 0)
			return dirs[i];
	return NULL;
}

static int import_layout(const struct engine *g, const char *path, const char *ref,
			 const char *name, const char *platform, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct layout_import what = { .path = path, .ref = ref, .name = name };
	struct image_record record;
	struct platform wanted;

	if (platform) {
		TRY(platform_parse(platform, &a, &wanted, e));
		what.platform = &wanted;
	}
	return layout_import(&g->store, &what, &a, &record, e);
}

static int import_default(const struct engine *g, struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *path = pull_default_layout(&a);

	if (!path)
		return err_set(e, ENOENT, "the image that comes with hull is not installed (%s)",
			       HULL_PKGDATADIR "/default.oci");
	return import_layout(g, path, NULL, DEFAULT_NAME, NULL, e);
}

static int import_directory(const struct engine *g, const struct transport_place *place,
			    const char *platform, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct reference r = { 0 };
	const char *base = strrchr(place->path, '/');
	const char *text = place->ref[0] ? place->ref : base && base[1] ? base + 1 : place->path;
	const char *name;

	/* The name in the layout may be a tag alone. */
	if (reference_parse(text, &r, NULL) < 0 || (place->ref[0] && !strpbrk(place->ref, "/:")))
		TRY(reference_parse(arena_printf(&a, "localhost/%s:%s",
						 base && base[1] ? base + 1 : "image",
						 place->ref[0] ? place->ref : "latest"),
				    &r, e));
	else if (r.is_short)
		TRY(reference_parse(arena_printf(&a, "localhost/%s", text), &r, e));
	reference_default_tag(&r);
	name = arena_strdup(&a, reference_print(&r).text);
	return import_layout(g, place->path, place->ref[0] ? place->ref : NULL, name, platform, e);
}

/* *ret is what it is called in the store; NULL: as it was asked for. */
static int pull_it(const struct engine *g, const char *text, const struct pull_options *o,
		   struct arena *a, const char **ret, struct err *e)
{
	struct transport_place place;
	struct reference r = { 0 };

	*ret = NULL;
	TRY(transport_parse(text, &place, e));
	switch (place.transport) {
	case TRANSPORT_OCI:
		return import_directory(g, &place, o->platform, e);
	case TRANSPORT_REGISTRY:
		break;
	default:
		return err_set(e, ENOTSUP, "%s: archives are read by \"hull load\"", text);
	}
	TRY(reference_parse(place.ref, &r, e));
	if (is_default(&r))
		return import_default(g, e);
	reference_default_tag(&r);
	return pull_by_name(g, &r, o, a, ret, e);
}

/* As Docker names it: with its tag, and without. */
static void note_pulled(const struct engine *g, const char *text)
{
	auto_arena struct arena a = { 0 };
	struct reference r = { 0 };
	const char *name;

	if (reference_parse(text, &r, NULL) < 0) {
		happened_image(g, "pull", text, text);
		return;
	}
	reference_default_tag(&r);
	name = arena_strdup(&a, reference_familiar(&r).text);
	happened_image(g, "pull",
		       r.tag[0] ? arena_printf(&a, "%s:%s", name, r.tag)
				: arena_printf(&a, "%s@%s", name, r.digest.text),
		       name);
}

static int pull(const struct engine *g, const char *text, const struct pull_options *o,
		struct arena *a, const char **ret, struct err *e)
{
	TRY(pull_it(g, text, o, a, ret, e));
	note_pulled(g, *ret ? *ret : text);
	return 0;
}

int pull_image(const struct engine *g, const char *text, const struct pull_options *o,
	       struct err *e)
{
	auto_arena struct arena a = { 0 };
	const char *name;

	return pull(g, text, o, &a, &name, e);
}

/* One that is there for another platform than was asked for counts as missing. */
static int find(const struct engine *g, const char *text, const char *platform, struct digest *ret,
		struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct image_record record;
	struct platform wanted;
	int r;

	r = image_store_resolve(&g->store, text, &a, &record, e);
	if (r == -ENOENT) {
		int found = pull_find_short(g, text, &a, &record, e);

		r = found == -ENOENT ? r : found;
	}
	TRY(r);
	if (platform) {
		TRY(platform_parse(platform, &a, &wanted, e));
		TRY(image_check_platform(&g->store, &record.manifest.digest, &wanted, text, e));
	}
	*ret = record.manifest.digest;
	return 0;
}

enum policy { PULL_MISSING, PULL_ALWAYS, PULL_NEVER, PULL_NEWER };

static int read_policy(const char *text, enum policy *ret, struct err *e)
{
	static const char *const words[] = { "missing", "always", "never", "newer" };

	*ret = PULL_MISSING;
	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*ret = (enum policy)i;
		return 0;
	}
	return err_set(e, EINVAL, "--pull %s: expected missing, always, newer or never",
		       json_quote(text).text);
}

/* What the registry has now; where it cannot be asked, what is here already is as new as can be known. */
static int pull_newer(const struct engine *g, const char *text, const struct pull_options *o,
		      struct arena *a, const char **ret, struct err *e)
{
	struct digest here;
	struct err none = { 0 };
	auto_fd int use = -1;

	if (pull(g, text, o, a, ret, e) >= 0)
		return 0;
	use = image_store_use(&g->store, &none);
	if (use < 0 || find(g, text, o->platform, &here, &none) < 0)
		return -e->code;
	log_warn("--pull newer: the image that is here is used: %s", e->msg);
	*ret = NULL;
	return 0;
}

int pull_if_needed(const struct engine *g, const char *text, const char *policy,
		   const struct pull_options *o, struct digest *ret, int *ret_use, struct err *e)
{
	enum policy when;
	auto_arena struct arena a = { 0 };
	const char *name = NULL;
	int r = -ENOENT;

	TRY(read_policy(policy, &when, e));
	if (when == PULL_ALWAYS)
		TRY(pull(g, text, o, &a, &name, e));
	else if (when == PULL_NEWER)
		TRY(pull_newer(g, text, o, &a, &name, e));
	*ret_use = image_store_use(&g->store, e);
	TRY(*ret_use);
	r = find(g, name ? name : text, o->platform, ret, e);
	if (r != -ENOENT || when != PULL_MISSING)
		return r;
	/* Not under the lock: it may take long, and locks for itself. */
	close_fd(ret_use);
	TRY(pull(g, text, o, &a, &name, e));
	*ret_use = image_store_use(&g->store, e);
	TRY(*ret_use);
	return find(g, name ? name : text, o->platform, ret, e);
}
