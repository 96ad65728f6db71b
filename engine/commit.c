#include "engine/commit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/signals.h"
#include "engine/layer.h"
#include "engine/record.h"
#include "engine/rootfs.h"
#include "engine/userns.h"
#include "image/config_change.h"
#include "image/media_type.h"
#include "image/reference.h"

enum { CHUNK = 128 * 1024 };

struct committing {
	const struct engine *g;
	const struct commit_request *q;
	struct arena arena;
	char id[RECORD_ID_LEN + 1];
	struct record record;
	struct spec spec;
	struct image image;
	const struct mount_overlay *overlay;
	const char *name;  /* in full, NULL: none */
	int reads, writes; /* a pipe for the layer */
};

static void committing_done(struct committing *c)
{
	close_fd(&c->reads);
	close_fd(&c->writes);
	image_done(&c->image);
	spec_done(&c->spec);
	record_done(&c->record);
	arena_done(&c->arena);
}

/*
 * What it is made of
 */

static int find_name(struct committing *c, struct err *e)
{
	struct reference r = { 0 };
	const char *name = c->q->name;

	if (!name)
		return 0;
	TRY(reference_parse(name, &r, e));
	if (digest_is_set(&r.digest))
		return err_set(e, EINVAL, "%s: an image is given a name, and no digest",
			       json_quote(name).text);
	if (r.is_short) {
		name = arena_printf(&c->arena, "localhost/%s", name);
		r = (struct reference){ 0 };
		TRY(reference_parse(name, &r, e));
	}
	reference_default_tag(&r);
	c->name = arena_strdup(&c->arena, reference_print(&r).text);
	return 0;
}

/* The one that its pin holds, whatever names it has. */
static int find_image(struct committing *c, struct err *e)
{
	struct image_pins pins;

	TRY(image_store_pins(&c->g->store, &c->arena, &pins, e));
	for (size_t i = 0; i < pins.n; i++)
		if (strcmp(pins.at[i].name, c->id) == 0)
			return image_load(&c->g->store, &pins.at[i].manifest, &c->image, e);
	return err_set(e, ENOENT, "its image is not in the store");
}

static int find_all(struct committing *c, struct err *e)
{
	auto_fd int dir = -1;

	TRY(find_name(c, e));
	TRY(record_find(c->g, c->q->who, c->id, e));
	dir = record_open(c->g, c->id, &c->record, e);
	TRY(dir);
	c->overlay = rootfs_overlay(c->g, &c->record, &c->arena);
	if (!c->overlay)
		return err_set(
			e, ENOTSUP,
			"it is of a directory (--rootfs): nothing says what was in it before");
	TRY(record_read_spec(dir, &c->spec, e));
	return find_image(c, e);
}

/*
 * The layer
 */

static int write_layer(void *ctx, int sock UNUSED, struct err *e)
{
	struct committing *c = ctx;

	close_fd(&c->reads);
	return layer_write(c->overlay, &c->spec, c->writes, e);
}

static int take_layer(struct committing *c, struct image_blob *blob, struct err *e)
{
	auto_free char *bytes = mem_zalloc(CHUNK);
	ssize_t n;

	while ((n = read(c->reads, bytes, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read the layer");
		TRY(image_blob_write(blob, bytes, (size_t)n, e));
	}
	return 0;
}

/* A job packs it; what comes is a blob when the job says that it was all. */
static int make_layer(struct committing *c, struct image_descriptor *ret, struct err *e)
{
	auto_userns_job struct userns_job job = USERNS_NO_JOB;
	auto_image_blob struct image_blob blob = { 0 };
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	c->reads = fds[0];
	c->writes = fds[1];
	TRY(image_blob_begin(&c->g->store, NULL, -1, &blob, e));
	TRY(userns_begin(-1, write_layer, c, &job, e));
	close_fd(&c->writes);
	r = take_layer(c, &blob, e);
	close_fd(&c->reads); /* else the job would wait for us, and we for it */
	TRY(r);
	TRY(userns_end(&job, e));
	ret->media_type = MEDIA_OCI_LAYER;
	return image_blob_commit(&blob, &ret->digest, &ret->size, e);
}

/* Nothing of it changes while it is packed, if that was asked for. */
static int make_layer_paused(struct committing *c, struct image_descriptor *ret, struct err *e)
{
	auto_state struct state state = { 0 };
	struct err resume = { 0 };
	int r = c->q->pause ? container_state(c->g->rt, c->id, &state, e) : -ENOENT;

	if (r == -ENOENT || (r >= 0 && state.status != STATE_RUNNING))
		return make_layer(c, ret, e);
	TRY(r);
	/* A signal that ends us has to wait until the container goes on. */
	signals_hold(true);
	r = container_pause(c->g->rt, c->id, e);
	if (r >= 0) {
		r = make_layer(c, ret, e);
		if (container_resume(c->g->rt, c->id, &resume) < 0 && r >= 0) {
			*e = resume;
			r = -resume.code;
		}
	}
	signals_hold(false);
	return r;
}

/*
 * The configuration
 */

static bool has_variable(const struct strings *env, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->at[i], entry, len) == 0)
			return true;
	return false;
}

/* What hull itself gives each container is not what the image is to say. */
static bool is_hulls_own(const char *entry)
{
	static const char *const names[] = { "HOSTNAME=", "TERM=", "HOME=", "container=" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void take_environment(struct committing *c, struct image_run *run)
{
	const struct strings *env = &c->spec.process->env;
	struct strings kept = { arena_array(&c->arena, env->n + 1, sizeof(*kept.at)), 0 };

	for (size_t i = 0; i < env->n; i++)
		if (!is_hulls_own(env->at[i]) || has_variable(&run->env, env->at[i]))
			kept.at[kept.n++] = env->at[i];
	run->env = kept;
}

/* Behind the image's Entrypoint, if it begins with that, it is a Cmd; else it is all there is. */
static void take_command(struct committing *c, struct image_run *run)
{
	const struct strings *args = &c->record.command;
	size_t n = run->entrypoint.n;

	for (size_t i = 0; n && i < n; i++)
		if (i >= args->n || strcmp(args->at[i], run->entrypoint.at[i]) != 0)
			n = 0;
	if (!n)
		run->entrypoint.n = 0;
	run->cmd = (struct strings){ args->at + n, args->n - n };
}

static int make_run(struct committing *c, struct image_run *ret, struct err *e)
{
	struct image_run run = c->image.config.run;

	if (c->spec.process) {
		take_environment(c, &run);
		if (run.working_dir || strcmp(c->spec.process->cwd, "/") != 0)
			run.working_dir = c->spec.process->cwd;
	}
	take_command(c, &run);
	if (c->record.user && c->record.user[0])
		run.user = c->record.user;
	run.labels = c->record.labels;
	for (size_t i = 0; i < c->q->changes.n; i++)
		if (image_run_change(&run, c->q->changes.at[i], &c->arena, e) < 0)
			return err_wrap(e, "--change");
	*ret = run;
	return 0;
}

static const char *command_line(struct committing *c)
{
	auto_buf struct buf text = { 0 };

	buf_str(&text, "");
	for (size_t i = 0; i < c->record.command.n; i++)
		buf_printf(&text, "%s%s", i ? " " : "", c->record.command.at[i]);
	return arena_strdup(&c->arena, text.text);
}

static int make_config(struct committing *c, const struct image_run *run,
		       const struct digest *diff_id, struct image_descriptor *ret, struct err *e)
{
	auto_buf struct buf old = { 0 }, text = { 0 };
	char now[48];
	const struct image_step step = { .created = now,
					 .author = c->q->author,
					 .created_by = command_line(c),
					 .comment = c->q->message,
					 .diff_id = *diff_id };

	record_now(now);
	TRY(image_store_read(&c->g->store, &c->image.id, &old, e));
	TRY(image_config_change("the image's configuration", old.text, old.len, run, &step, &text,
				e));
	if (text.len > IMAGE_DOCUMENT_MAX)
		return err_set(e, EFBIG, "the configuration would have more than %d bytes",
			       IMAGE_DOCUMENT_MAX);
	ret->media_type = MEDIA_OCI_CONFIG;
	ret->size = text.len;
	return image_store_add(&c->g->store, text.text, text.len, &ret->digest, e);
}

/* An OCI manifest has layers of OCI's types. */
static const char *oci_type(const char *type)
{
	const struct media_type *t = media_type_find(type);

	if (!t->docker || t->foreign)
		return type;
	return t->compression == MEDIA_GZIP   ? MEDIA_OCI_LAYER_GZIP
	       : t->compression == MEDIA_ZSTD ? MEDIA_OCI_LAYER_ZSTD
					      : MEDIA_OCI_LAYER;
}

static int make_manifest(struct committing *c, const struct image_descriptor *config,
			 const struct image_descriptor *layer, struct image_descriptor *ret,
			 struct err *e)
{
	const struct image_descriptors *old = &c->image.manifest.layers;
	struct image_manifest m = { .schema_version = 2,
				    .media_type = MEDIA_OCI_MANIFEST,
				    .config = *config };
	auto_buf struct buf text = { 0 };

	m.layers.at = arena_array(&c->arena, old->n + 1, sizeof(*m.layers.at));
	for (; m.layers.n < old->n; m.layers.n++) {
		m.layers.at[m.layers.n] = old->at[m.layers.n];
		m.layers.at[m.layers.n].media_type = oci_type(old->at[m.layers.n].media_type);
	}
	m.layers.at[m.layers.n++] = *layer;
	image_manifest_write(&m, &text);
	ret->media_type = m.media_type;
	ret->size = text.len;
	return image_store_add(&c->g->store, text.text, text.len, &ret->digest, e);
}

static int commit(struct committing *c, struct digest *ret_id, struct err *e)
{
	struct image_descriptor layer = { 0 }, config = { 0 }, manifest = { 0 };
	struct image_run run;

	TRY(find_all(c, e));
	TRY(make_run(c, &run, e));
	TRY(make_layer_paused(c, &layer, e));
	/* The blob is the plain tar itself. */
	TRY(make_config(c, &run, &layer.digest, &config, e));
	TRY(make_manifest(c, &config, &layer, &manifest, e));
	TRY(image_store_tag(&c->g->store, c->name, &manifest, NULL, e));
	*ret_id = config.digest;
	return 0;
}

int commit_container(const struct engine *g, const struct commit_request *q, struct digest *ret_id,
		     struct err *e)
{
	__attribute__((cleanup(committing_done))) struct committing c = {
		.g = g, .q = q, .reads = -1, .writes = -1
	};
	auto_fd int use = image_store_use(&g->store, e);

	TRY(use);
	if (commit(&c, ret_id, e) < 0)
		return err_wrap(e, "commit %s", q->who);
	return 0;
}
