/*
 * pull_registry.c - an image from a registry into the store.
 *
 * The manifest first (chosen from an index where there is one), then the
 * blobs that are not there yet, a few at a time, each by a helper of its own;
 * at last the name, with which the image exists. What was fetched before a
 * failure stays in the store until somebody tidies up, so that the next try
 * goes on from there.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "engine/pull.h"
#include "image/auth.h"
#include "image/platform.h"
#include "image/registry.h"

enum { PARALLEL = 4 };

struct pulling {
	const struct engine *g;
	const struct reference *from, *name;
	struct registry_options options;
	const struct pull_options *asked;
	struct arena arena;
	struct registry registry;
	const struct platform *platform; /* that was asked for; NULL: this machine's will do, and others */
	struct platform parsed;
	struct image_descriptor manifest;
	struct digest index; /* not set: there was none */
};

static void pulling_done(struct pulling *p)
{
	registry_close(&p->registry);
	arena_done(&p->arena);
}

/* What a document is said to be and what it is have to be the same. */
static int check_digest(const struct buf *text, const struct digest *expected, struct err *e)
{
	struct digest found = digest_of(digest_algorithm(expected), text->text, text->len);

	if (digest_equal(&found, expected))
		return 0;
	return err_set(e, EBADMSG, "the registry's answer for %s is something else (%s)",
		       expected->text, found.text);
}

static int choose(struct pulling *p, const struct buf *text, struct image_descriptor *ret,
		  struct err *e)
{
	const struct platform host = platform_host();
	struct image_index index = { 0 };
	const struct image_descriptor *found;
	int r = 0;

	TRY(image_index_parse(&index, "the registry's index", text->text, text->len, e));
	r = platform_select(&index, p->platform ? p->platform : &host, &found, e);
	if (r >= 0) {
		*ret = *found;
		ret->media_type = arena_strdup(&p->arena, found->media_type);
		ret->platform = NULL;
		ret->data = ret->artifact_type = NULL;
		ret->annotations.n = 0;
		ret->urls.n = 0;
	}
	image_index_done(&index);
	return r;
}

static int fetch_document(struct pulling *p, const char *name, const struct digest *expected,
			  struct buf *ret, struct err *e)
{
	TRY(registry_document(&p->registry, name, ret, e));
	buf_str(ret, "");
	return expected ? check_digest(ret, expected, e) : 0;
}

/* The manifest of the platform; its text goes to the store and to *ret. */
static int fetch_manifest(struct pulling *p, struct buf *ret, struct err *e)
{
	const struct reference *from = p->from;
	const struct digest *pinned = digest_is_set(&from->digest) ? &from->digest : NULL;
	struct image_descriptor chosen = { 0 };
	enum media_kind kind;

	TRY(fetch_document(p, pinned ? pinned->text : from->tag, pinned, ret, e));
	TRY(image_document_kind("the registry's manifest", ret->text, ret->len, &kind, e));
	if (kind == MEDIA_INDEX) {
		TRY(choose(p, ret, &chosen, e));
		TRY(image_store_add(&p->g->store, ret->text, ret->len, &p->index, e));
		buf_clear(ret);
		TRY(fetch_document(p, chosen.digest.text, &chosen.digest, ret, e));
		p->manifest = chosen;
	} else {
		p->manifest.media_type = NULL;
	}
	p->manifest.size = ret->len;
	return image_store_add(&p->g->store, ret->text, ret->len, &p->manifest.digest, e);
}

/* One blob on its way. */
struct slot {
	struct registry registry;
	struct image_blob blob;
	const struct image_descriptor *what; /* NULL: free */
};

static int begin(struct pulling *p, struct slot *s, const struct image_descriptor *what,
		 struct err *e)
{
	if (s->registry.sock < 0)
		TRY(registry_open(p->from, &p->options, &s->registry, e));
	TRY(image_blob_begin(&p->g->store, &what->digest, (int64_t)what->size, &s->blob, e));
	s->what = what;
	return registry_blob_begin(&s->registry, &what->digest, e);
}

static void tell(const struct pulling *p, const struct image_descriptor *what, uint64_t done)
{
	if (p->asked->tell)
		p->asked->tell(what->digest.text, done, what->size, p->asked->tell_ctx);
}

static int finish(const struct pulling *p, struct slot *s, struct err *e)
{
	const struct image_descriptor *what = s->what;

	s->what = NULL;
	TRY(image_blob_commit(&s->blob, NULL, NULL, e));
	tell(p, what, what->size);
	return 0;
}

/* Waits for any of them and takes a part of each that has one. */
static int advance(struct pulling *p, struct slot *slots, struct err *e)
{
	struct pollfd fds[PARALLEL];

	for (size_t i = 0; i < PARALLEL; i++)
		fds[i] = (struct pollfd){ slots[i].what ? slots[i].registry.sock : -1, POLLIN, 0 };
	if (poll(fds, PARALLEL, -1) < 0 && errno != EINTR)
		return err_sys(e, "wait for the registry");
	for (size_t i = 0; i < PARALLEL; i++) {
		int r = fds[i].revents ? registry_blob_more(&slots[i].registry, &slots[i].blob, e)
				       : 1;

		if (r < 0)
			return err_wrap(e, "fetch %s", slots[i].what->digest.text);
		if (r == 0)
			TRY(finish(p, &slots[i], e));
		else if (fds[i].revents && slots[i].blob.size < slots[i].what->size)
			tell(p, slots[i].what, slots[i].blob.size);
	}
	return 0;
}

static int run_slots(struct pulling *p, const struct image_descriptor *const *wanted, size_t n,
		     struct slot *slots, struct err *e)
{
	size_t next = 0, busy;

	do {
		busy = 0;
		for (size_t i = 0; i < PARALLEL; i++) {
			if (!slots[i].what && next < n)
				TRY(begin(p, &slots[i], wanted[next++], e));
			busy += slots[i].what != NULL;
		}
		if (busy)
			TRY(advance(p, slots, e));
	} while (busy);
	return 0;
}

static int fetch_blobs(struct pulling *p, const struct image_manifest *m, struct err *e)
{
	const struct image_descriptor **wanted =
		arena_array(&p->arena, m->layers.n + 2, sizeof(void *));
	struct slot slots[PARALLEL] = { 0 };
	size_t n = 0;
	int r;

	for (size_t i = 0; i < PARALLEL; i++)
		slots[i] = (struct slot){ .registry = REGISTRY_CLOSED };
	if (!image_store_has(&p->g->store, &m->config.digest, (int64_t)m->config.size))
		wanted[n++] = &m->config;
	for (size_t i = 0; i < m->layers.n; i++) {
		const struct image_descriptor *layer = &m->layers.at[i];
		bool twice = false;

		for (size_t k = 0; k < n && !twice; k++)
			twice = digest_equal(&wanted[k]->digest, &layer->digest);
		if (!twice && !image_store_has(&p->g->store, &layer->digest, (int64_t)layer->size))
			wanted[n++] = layer;
	}
	r = run_slots(p, wanted, n, slots, e);
	for (size_t i = 0; i < PARALLEL; i++) {
		image_blob_abandon(&slots[i].blob);
		registry_close(&slots[i].registry);
	}
	return r;
}

static int fetch_all(struct pulling *p, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct image_manifest m = { 0 };
	int r;

	TRY(fetch_manifest(p, &text, e));
	TRY(image_manifest_parse(&m, p->manifest.digest.text, text.text, text.len, e));
	p->manifest.media_type =
		arena_strdup(&p->arena, m.media_type ? m.media_type : MEDIA_OCI_MANIFEST);
	r = fetch_blobs(p, &m, e);
	image_manifest_done(&m);
	TRY(r);
	if (p->platform)
		TRY(image_check_platform(&p->g->store, &p->manifest.digest, p->platform,
					 reference_print(p->name).text, e));
	return image_store_tag(&p->g->store, reference_print(p->name).text, &p->manifest,
			       digest_is_set(&p->index) ? &p->index : NULL, e);
}

int pull_credentials(const struct reference *from, const struct pull_options *asked,
		     struct arena *a, struct registry_options *ret, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct auth_credentials who = { 0 };
	const char *file = asked->authfile;
	int r;

	ret->credentials = asked->credentials;
	if (ret->credentials)
		return 0;
	if (file) {
		TRY(io_read_file(AT_FDCWD, file, AUTH_FILE_MAX, file, &text, e));
		r = auth_parse(file, text.text, text.len, from->registry, from->repository, a, &who,
			       e);
		if (r >= 0 && who.helper)
			r = auth_ask_helper(&who, a, &who, e);
	} else {
		r = auth_find(from->registry, from->repository, a, &who, e);
	}
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	/* The token is for a token server, the password for a registry that wants itself told. */
	ret->identity_token = who.identity_token;
	if (who.username && who.password)
		ret->credentials = arena_printf(a, "%s:%s", who.username, who.password);
	return 0;
}

int pull_registry(const struct engine *g, const struct reference *from,
		  const struct reference *name, const struct pull_options *asked, struct err *e)
{
	__attribute__((cleanup(pulling_done))) struct pulling p = {
		.g = g,
		.from = from,
		.name = name,
		.asked = asked,
		.registry = REGISTRY_CLOSED,
		.options = { .insecure = asked->insecure, .once = asked->once, .ca = asked->ca },
	};
	auto_fd int use = -1;

	if (asked->platform) {
		TRY(platform_parse(asked->platform, &p.arena, &p.parsed, e));
		p.platform = &p.parsed;
	}
	TRY(pull_credentials(from, asked, &p.arena, &p.options, e));
	TRY(registry_open(from, &p.options, &p.registry, e));
	use = image_store_use(&g->store, e);
	TRY(use);
	if (fetch_all(&p, e) < 0)
		return err_wrap(e, "pull %s", reference_print(from).text);
	return 0;
}
