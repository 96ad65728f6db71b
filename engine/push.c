#include "engine/push.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/happened.h"
#include "image/registry.h"

enum { TRIES = 4 };

struct pushing {
	const struct engine *g;
	const struct pull_options *asked;
	struct reference to;
	struct arena arena;
	struct image_record record;
	struct image image;
	struct registry_options options;
	struct registry registry;
	struct origin *origins; /* what other repositories of the registry may have */
	size_t origins_n;
	bool origins_known;
};

struct origin {
	struct digest blob;
	const char *repository;
};

static void pushing_done(struct pushing *p)
{
	registry_close(&p->registry);
	free(p->origins);
	image_done(&p->image);
	arena_done(&p->arena);
}

/* Those of an image in the store that is called by a name of the same registry. */
static void add_origins(struct pushing *p, const struct image_record *record)
{
	auto_image struct image image = { 0 };
	struct reference name = { 0 };
	const struct image_manifest *m = &image.manifest;
	struct err ignored;
	const char *repository;

	if (!record->name || reference_parse(record->name, &name, &ignored) < 0 ||
	    strcmp(name.registry, p->to.registry) != 0 ||
	    strcmp(name.repository, p->to.repository) == 0 ||
	    image_load(&p->g->store, &record->manifest.digest, &image, &ignored) < 0)
		return;
	repository = arena_strdup(&p->arena, name.repository);
	p->origins = mem_grow(p->origins, p->origins_n + m->layers.n + 1, sizeof(*p->origins));
	for (size_t i = 0; i < m->layers.n; i++)
		p->origins[p->origins_n++] = (struct origin){ m->layers.at[i].digest, repository };
	p->origins[p->origins_n++] = (struct origin){ m->config.digest, repository };
}

/* The first repository that may have the blob; NULL: none is known. */
static int find_origin(struct pushing *p, const struct digest *blob, const char **ret,
		       struct err *e)
{
	struct image_records all = { 0 };

	if (!p->origins_known) {
		TRY(image_store_list(&p->g->store, &p->arena, &all, e));
		for (size_t i = 0; i < all.n; i++)
			add_origins(p, &all.at[i]);
		p->origins_known = true;
	}
	*ret = NULL;
	for (size_t i = 0; i < p->origins_n && !*ret; i++)
		if (digest_equal(&p->origins[i].blob, blob))
			*ret = p->origins[i].repository;
	return 0;
}

struct telling {
	const struct pull_options *asked;
	const struct image_descriptor *what;
};

static void tell_sent(uint64_t done, void *ctx)
{
	const struct telling *t = ctx;

	if (t->asked->tell)
		t->asked->tell(t->what->digest.text, done, t->what->size, t->asked->tell_ctx);
}

static int send_blob(struct pushing *p, const struct image_descriptor *d, struct err *e)
{
	struct telling telling = { p->asked, d };
	struct registry_sending what = { .size = d->size, .tell = tell_sent, .ctx = &telling };
	auto_fd int fd = -1;
	const char *origin;
	bool there;

	TRY(registry_has(&p->registry, &d->digest, &there, e));
	if (there)
		return 0;
	TRY(find_origin(p, &d->digest, &origin, e));
	if (origin)
		TRY(registry_mount(&p->registry, &d->digest, origin, &there, e));
	if (there)
		return 0;
	what.fd = fd = image_store_open_blob(&p->g->store, &d->digest, e);
	TRY(fd);
	TRY(registry_put_blob(&p->registry, &d->digest, &what, e));
	tell_sent(d->size, &telling);
	return 0;
}

/* An upload that broke off is begun again, with all that comes before it: the blob may have arrived. */
static int push_blob(struct pushing *p, const struct image_descriptor *d, struct err *e)
{
	for (unsigned tries = 1;; tries++) {
		int r = send_blob(p, d, e);

		if (r != -ECONNABORTED || tries == TRIES)
			return r;
		log_info("%s; it is sent again", e->msg);
		registry_close(&p->registry);
		sleep(1U << (tries - 1));
		TRY(registry_open(&p->to, &p->options, &p->registry, e));
	}
}

/* The manifest last: a registry takes none whose blobs it lacks. */
static int push_all(struct pushing *p, struct err *e)
{
	const struct image_manifest *m = &p->image.manifest;
	const struct image_descriptor *manifest = &p->record.manifest;
	auto_buf struct buf text = { 0 };

	for (size_t i = 0; i < m->layers.n; i++)
		TRY(push_blob(p, &m->layers.at[i], e));
	TRY(push_blob(p, &m->config, e));
	TRY(image_store_read(&p->g->store, &manifest->digest, &text, e));
	return registry_put_manifest(&p->registry, p->to.tag, manifest->media_type, &text, e);
}

static int choose_place(struct pushing *p, const char *image, const char *to, struct err *e)
{
	struct transport_place place;

	if (!to && !p->record.name)
		return err_set(e, EINVAL, "push %s: the image has no name, so say where to", image);
	TRY(transport_parse(to ? to : p->record.name, &place, e));
	if (place.transport != TRANSPORT_REGISTRY)
		return err_set(e, ENOTSUP, "push %s: archives are written by \"hull save\"", to);
	TRY(reference_parse(place.ref, &p->to, e));
	if (digest_is_set(&p->to.digest))
		return err_set(e, EINVAL, "push to %s: a place has a tag, and no digest",
			       place.ref);
	reference_default_tag(&p->to);
	return 0;
}

static int connect_to(struct pushing *p, struct err *e)
{
	struct registry_options *o = &p->options;
	bool insecure;

	*o = (struct registry_options){ .insecure = p->asked->insecure, .ca = p->asked->ca };
	TRY(pull_is_insecure(&p->to, &insecure, e));
	if (insecure && !p->asked->secure)
		o->insecure = true;
	TRY(pull_credentials(&p->to, p->asked, &p->arena, o, e));
	return registry_open(&p->to, o, &p->registry, e);
}

int push_image(const struct engine *g, const char *image, const char *to,
	       const struct pull_options *o, struct digest *ret, struct err *e)
{
	__attribute__((cleanup(pushing_done))) struct pushing p = { .g = g,
								    .asked = o,
								    .registry = REGISTRY_CLOSED };
	auto_fd int use = image_store_use(&g->store, e);

	TRY(use);
	TRY(image_store_resolve(&g->store, image, &p.arena, &p.record, e));
	TRY(image_load(&g->store, &p.record.manifest.digest, &p.image, e));
	TRY(choose_place(&p, image, to, e));
	TRY(connect_to(&p, e));
	if (push_all(&p, e) < 0)
		return err_wrap(e, "push %s", reference_print(&p.to).text);
	happened_image(g, "push", reference_print(&p.to).text, reference_familiar(&p.to).text);
	*ret = p.record.manifest.digest;
	return 0;
}
