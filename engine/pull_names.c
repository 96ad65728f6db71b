/*
 * pull_names.c - which registries a name leads to: registries.conf's aliases,
 * search registries, mirrors, and what it says of each.
 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "engine/pull.h"
#include "image/registries.h"

static void done(struct registries *r)
{
	registries_done(r);
}
#define auto_registries __attribute__((cleanup(done)))

/* What was given for the registry is not shown to a mirror, and an explicit word goes before the file's. */
static struct pull_options options_for(const struct registry_endpoint *at,
				       const struct pull_options *o)
{
	struct pull_options ret = *o;

	if (at->insecure && !o->secure)
		ret.insecure = true;
	if (at->is_mirror) {
		ret.credentials = NULL;
		ret.once = true;
	}
	return ret;
}

/* From the first mirror that has it, or else from the registry itself, whose failure is told. */
static int pull_one(const struct engine *g, const struct registries *conf,
		    const struct reference *name, const struct pull_options *o, struct arena *a,
		    struct err *e)
{
	struct registry_endpoints list;
	int r = 0;

	TRY(registries_endpoints(conf, name, a, &list, e));
	for (size_t i = 0; i < list.n; i++) {
		const struct pull_options here = options_for(&list.at[i], o);
		struct err one = { 0 };

		r = pull_registry(g, &list.at[i].reference, name, &here, &one);
		if (r >= 0)
			return 0;
		*e = one;
		if (i + 1 < list.n)
			log_info("%s; the next one is asked", one.msg);
	}
	return r;
}

int pull_by_name(const struct engine *g, const struct reference *name, const struct pull_options *o,
		 struct arena *a, const char **ret, struct err *e)
{
	auto_registries struct registries conf = { 0 };
	auto_buf struct buf failures = { 0 };
	struct references list;
	int r = 0;

	TRY(registries_load(&conf, e));
	TRY(registries_short_names(&conf, name, a, &list, e));
	for (size_t i = 0; i < list.n; i++) {
		r = pull_one(g, &conf, &list.at[i], o, a, e);
		if (r >= 0) {
			*ret = arena_strdup(a, reference_print(&list.at[i]).text);
			return 0;
		}
		buf_printf(&failures, "%s%s", i ? "; " : "", e->msg);
	}
	if (list.n > 1)
		return err_set(e, -r, "%s: %s", reference_familiar(name).text, failures.text);
	return r;
}

int pull_find_short(const struct engine *g, const char *text, struct arena *a,
		    struct image_record *ret, struct err *e)
{
	auto_registries struct registries conf = { 0 };
	struct reference name = { 0 };
	struct references list;
	struct err ignored;

	if (reference_parse(text, &name, &ignored) < 0 || !name.is_short)
		return -ENOENT;
	reference_default_tag(&name);
	TRY(registries_load(&conf, e));
	if (registries_short_names(&conf, &name, a, &list, &ignored) < 0)
		return -ENOENT; /* it leads nowhere, which whoever pulls it will say */
	for (size_t i = 0; i < list.n; i++) {
		int r = image_store_resolve(&g->store, reference_print(&list.at[i]).text, a, ret,
					    &ignored);

		if (r != -ENOENT)
			return r < 0 ? err_set(e, -r, "%s", ignored.msg) : 0;
	}
	return -ENOENT;
}

int pull_is_insecure(const struct reference *name, bool *ret, struct err *e)
{
	auto_registries struct registries conf = { 0 };
	auto_arena struct arena a = { 0 };
	struct registry_endpoints list;

	TRY(registries_load(&conf, e));
	TRY(registries_endpoints(&conf, name, &a, &list, e));
	*ret = list.at[list.n - 1].insecure;
	return 0;
}
