/*
 * cmd_images.c - the verbs of people on images: pull, push, load, save,
 * import, tag, rmi, prune, fsck.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "cli/progress.h"
#include "cli/words.h"
#include "engine/happened.h"
#include "engine/load.h"
#include "engine/pull.h"
#include "engine/push.h"
#include "engine/save.h"
#include "engine/sweep.h"
#include "image/reference.h"

enum { GC_WAIT_MS = 10 * 1000 };

/* clang-format off */
#define ROW(T, n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, .member = offsetof(struct T, m), \
	  .argument = arg, .help = h }
/* clang-format on */

struct pull_values {
	const char *platform, *authfile, *creds, *ca;
	int tls_verify;
	bool quiet;
};
static const struct option_row pull_rows[] = {
	ROW(pull_values, "platform", 0, STRING, platform, "OS/ARCH",
	    "choose this one of an image for several"),
	ROW(pull_values, "tls-verify", 0, TRISTATE, tls_verify, NULL,
	    "verify the registry's certificate (default: true); else http is tried, too"),
	ROW(pull_values, "ca", 0, STRING, ca, "FILE", "trust the certificates of FILE"),
	ROW(pull_values, "authfile", 0, STRING, authfile, "FILE", "find the credentials in FILE"),
	ROW(pull_values, "creds", 0, STRING, creds, "USER:PASSWORD", "the credentials"),
	ROW(pull_values, "quiet", 'q', FLAG, quiet, NULL, "print the image's name only"),
};
const struct option_table pull_options = { pull_rows, ARRAY_LEN(pull_rows),
					   sizeof(struct pull_values), NULL, true };

int cmd_pull(const struct call *call, struct err *e)
{
	const struct pull_values *values = call->options.values;
	auto_progress struct progress progress;
	const struct pull_options o = { .platform = values->platform,
					.insecure = values->tls_verify == 0,
					.secure = values->tls_verify == 1,
					.ca = values->ca,
					.authfile = values->authfile,
					.credentials = values->creds,
					.tell = progress_tell,
					.tell_ctx = &progress };
	auto_engine struct engine g = ENGINE_CLOSED;

	progress_begin(&progress, values->quiet);
	TRY(people_engine(call, &g, e));
	for (size_t i = 0; i < call->options.args.n; i++) {
		TRY(pull_image(&g, call->options.args.at[i], &o, e));
		progress_end(&progress);
		printf("%s\n", call->options.args.at[i]);
	}
	return 0;
}

static const struct option_row push_rows[] = {
	ROW(pull_values, "tls-verify", 0, TRISTATE, tls_verify, NULL,
	    "verify the registry's certificate (default: true); else http is tried, too"),
	ROW(pull_values, "ca", 0, STRING, ca, "FILE", "trust the certificates of FILE"),
	ROW(pull_values, "authfile", 0, STRING, authfile, "FILE", "find the credentials in FILE"),
	ROW(pull_values, "creds", 0, STRING, creds, "USER:PASSWORD", "the credentials"),
	ROW(pull_values, "quiet", 'q', FLAG, quiet, NULL, "print the digest only"),
};
const struct option_table push_options = { push_rows, ARRAY_LEN(push_rows),
					   sizeof(struct pull_values), NULL, true };

int cmd_push(const struct call *call, struct err *e)
{
	const struct pull_values *values = call->options.values;
	const struct strings *args = &call->options.args;
	auto_progress struct progress progress;
	const struct pull_options o = { .insecure = values->tls_verify == 0,
					.secure = values->tls_verify == 1,
					.ca = values->ca,
					.authfile = values->authfile,
					.credentials = values->creds,
					.tell = progress_tell,
					.tell_ctx = &progress };
	auto_engine struct engine g = ENGINE_CLOSED;
	struct digest digest;

	progress_begin(&progress, values->quiet);
	TRY(people_engine(call, &g, e));
	TRY(push_image(&g, args->at[0], args->n > 1 ? args->at[1] : NULL, &o, &digest, e));
	progress_end(&progress);
	printf("%s\n", digest.text);
	return 0;
}

struct load_values {
	const char *input;
	bool quiet;
};
static const struct option_row load_rows[] = {
	ROW(load_values, "input", 'i', STRING, input, "FILE",
	    "read FILE instead of standard input"),
	ROW(load_values, "quiet", 'q', FLAG, quiet, NULL, "print the names of the images only"),
};
const struct option_table load_options = { load_rows, ARRAY_LEN(load_rows),
					   sizeof(struct load_values), NULL, true };

static void begin_load(int fd, void *progress)
{
	progress_watch(progress, fd, "reading");
}

static void tell_layer(const char *digest, uint64_t size, void *progress)
{
	progress_end(progress); /* of reading */
	progress_tell(digest, size, size, progress);
}

int cmd_load(const struct call *call, struct err *e)
{
	const struct load_values *values = call->options.values;
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_progress struct progress progress;
	struct load_request request = {
		.path = values->input, .opened = begin_load, .layer = tell_layer, .ctx = &progress
	};
	struct strings names = { 0 };

	progress_begin(&progress, values->quiet);
	TRY(people_engine(call, &g, e));
	TRY(load_archive(&g, &request, call->arena, &names, e));
	progress_end(&progress);
	for (size_t i = 0; i < names.n; i++)
		printf("Loaded image: %s\n", names.at[i]);
	return 0;
}

struct save_values {
	const char *output, *format;
};
static const struct option_row save_rows[] = {
	ROW(save_values, "output", 'o', STRING, output, "FILE",
	    "write to FILE instead of standard output"),
	ROW(save_values, "format", 0, CHOICE, format, "oci-archive|docker-archive",
	    "what kind of archive (default: oci-archive)"),
};
const struct option_table save_options = { save_rows, ARRAY_LEN(save_rows),
					   sizeof(struct save_values), NULL, true };

int cmd_save(const struct call *call, struct err *e)
{
	const struct save_values *values = call->options.values;
	auto_engine struct engine g = ENGINE_CLOSED;

	TRY(people_engine(call, &g, e));
	return save_archive(&g, &call->options.args,
			    choice_is(values->format, "docker-archive") ? SAVE_DOCKER : SAVE_OCI,
			    values->output, e);
}

struct import_values {
	const char *message;
};
static const struct option_row import_rows[] = {
	ROW(import_values, "message", 'm', STRING, message, "TEXT",
	    "what the history of the image says"),
};
const struct option_table import_options = { import_rows, ARRAY_LEN(import_rows),
					     sizeof(struct import_values), NULL, true };

int cmd_import(const struct call *call, struct err *e)
{
	const struct import_values *values = call->options.values;
	const struct strings *args = &call->options.args;
	auto_engine struct engine g = ENGINE_CLOSED;
	struct digest id;

	TRY(people_engine(call, &g, e));
	TRY(load_rootfs(&g, args->at[0], args->n > 1 ? args->at[1] : NULL, values->message, &id,
			e));
	printf("%s\n", id.text);
	return 0;
}

/* Of one whose documents can't be read, the manifest's digest. */
static const char *image_id(const struct engine *g, const struct image_record *record,
			    struct arena *a)
{
	auto_image struct image image = { 0 };
	struct err ignored;

	if (image_load(&g->store, &record->manifest.digest, &image, &ignored) < 0)
		return arena_strdup(a, record->manifest.digest.text);
	return arena_strdup(a, image.id.text);
}

int cmd_tag(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	auto_engine struct engine g = ENGINE_CLOSED;
	struct image_record record;
	struct reference r = { 0 };
	auto_fd int use = -1;

	TRY(reference_parse(args->at[1], &r, e));
	if (digest_is_set(&r.digest))
		return err_set(e, EINVAL, "tag %s: a name for an image has no digest", args->at[1]);
	if (r.is_short)
		TRY(reference_parse(arena_printf(call->arena, "localhost/%s", args->at[1]), &r, e));
	reference_default_tag(&r);
	TRY(people_engine(call, &g, e));
	use = image_store_use(&g.store, e);
	TRY(use);
	TRY(image_store_resolve(&g.store, args->at[0], call->arena, &record, e));
	TRY(image_store_tag(&g.store, reference_print(&r).text, &record.manifest, &record.index, e));
	happened_image(&g, "tag", image_id(&g, &record, call->arena), reference_print(&r).text);
	return 0;
}

struct rmi_values {
	bool force;
};
static const struct option_row rmi_rows[] = {
	ROW(rmi_values, "force", 'f', FLAG, force, NULL,
	    "also an image of which there are containers; those keep its layers"),
};
const struct option_table rmi_options = { rmi_rows, ARRAY_LEN(rmi_rows), sizeof(struct rmi_values),
					  NULL, true };

static int check_unused(const struct engine *g, const struct digest *manifest, const char *who,
			struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct image_pins pins;

	sweep_containers(g); /* one that was killed while it was made is none */
	TRY(image_store_pins(&g->store, &a, &pins, e));
	for (size_t i = 0; i < pins.n; i++)
		if (digest_equal(&pins.at[i].manifest, manifest))
			return err_set(e, EBUSY,
				       "cannot remove %s: container %.12s is of this image; remove "
				       "that first, or use --force",
				       who, pins.at[i].name);
	return 0;
}

static bool is_name(const char *who, const char *name)
{
	struct reference a = { 0 }, b = { 0 };

	if (!name || reference_parse(who, &a, NULL) < 0 || reference_parse(name, &b, NULL) < 0)
		return false;
	reference_default_tag(&a);
	return strcmp(a.tag, b.tag) == 0 && strstr(name, a.is_short ? who : a.repository) != NULL;
}

static size_t count_names(const struct image_records *list, const struct digest *manifest)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += list->at[i].name && digest_equal(&list->at[i].manifest.digest, manifest);
	return n;
}

/* A name goes, and with the last one the image; by its id it goes whatever names it has. */
static int rmi_one(const struct engine *g, const char *who, const struct call *call, struct err *e)
{
	const struct rmi_values *values = call->options.values;
	struct image_records list;
	struct image_record record;
	struct strings names;
	const char *id;

	TRY(image_store_resolve(&g->store, who, call->arena, &record, e));
	id = image_id(g, &record, call->arena);
	TRY(image_store_list(&g->store, call->arena, &list, e));
	if (is_name(who, record.name) && count_names(&list, &record.manifest.digest) > 1) {
		TRY(image_store_untag(&g->store, record.name, e));
		happened_image(g, "untag", id, record.name);
		printf("Untagged: %s\n", record.name);
		return 0;
	}
	if (!values->force)
		TRY(check_unused(g, &record.manifest.digest, who, e));
	TRY(image_store_remove(&g->store, &record.manifest.digest, call->arena, &names, e));
	for (size_t i = 0; i < names.n; i++) {
		happened_image(g, "untag", id, names.at[i]);
		printf("Untagged: %s\n", names.at[i]);
	}
	happened_image(g, "delete", id, id);
	printf("Deleted: %s\n", record.manifest.digest.text);
	return 0;
}

int cmd_rmi(const struct call *call, struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;
	int r;

	TRY(people_each(call, rmi_one, e));
	TRY(people_engine(call, &g, e));
	r = engine_gc(&g, GC_WAIT_MS, NULL, e);
	return r == -EBUSY ? 0 : r; /* somebody uses the store: the next one takes it away */
}

/* prune, fsck */

struct prune_values {
	bool force;
};
static const struct option_row prune_rows[] = {
	ROW(prune_values, "force", 'f', FLAG, force, NULL, "accepted; nobody is asked"),
};
const struct option_table prune_options = { prune_rows, ARRAY_LEN(prune_rows),
					    sizeof(struct prune_values), NULL, true };

static int remove_stopped(const struct engine *g, const struct call *call, struct err *e)
{
	struct strings ids;

	TRY(record_list(g, call->arena, &ids, e));
	for (size_t i = 0; i < ids.n; i++) {
		struct err one = { 0 };
		/* Its volumes hold data: `volume prune` takes them. */
		int r = engine_remove(g, ids.at[i], false, false, &one);

		if (r >= 0)
			printf("Deleted container: %s\n", ids.at[i]);
		else if (r != -EBUSY && r != -ENOENT)
			fprintf(stderr, "%s: %s\n", call->runtime.program, one.msg);
	}
	return 0;
}

int cmd_prune(const struct call *call, struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;
	struct image_gc gone = { 0 };
	struct spec_pair reclaimed = { "reclaimed", NULL };

	TRY(people_engine(call, &g, e));
	TRY(remove_stopped(&g, call, e));
	TRY(image_store_prune(&g.store, e));
	TRY(engine_gc(&g, GC_WAIT_MS, &gone, e));
	reclaimed.value = arena_printf(call->arena, "%llu", (unsigned long long)gone.bytes);
	happened_beside(&g, &(struct happening){ .type = "image",
						 .action = "prune",
						 .id = "",
						 .attributes = { &reclaimed, 1 } });
	printf("Deleted %llu blobs and %llu layers, %s\n", (unsigned long long)gone.blobs,
	       (unsigned long long)gone.layers, words_size(gone.bytes, call->arena));
	return 0;
}

struct fsck_values {
	bool mend;
};
static const struct option_row fsck_rows[] = {
	ROW(fsck_values, "repair", 0, FLAG, mend, NULL, "mend what can be mended"),
};
const struct option_table fsck_options = { fsck_rows, ARRAY_LEN(fsck_rows),
					   sizeof(struct fsck_values), NULL, true };

static void tell_problem(const struct image_problem *p, void *ctx UNUSED)
{
	printf("%s%s\n", p->what, p->mended ? " (mended)" : "");
}

int cmd_fsck(const struct call *call, struct err *e)
{
	const struct fsck_values *values = call->options.values;
	auto_engine struct engine g = ENGINE_CLOSED;
	int left;

	TRY(people_engine(call, &g, e));
	left = image_store_check(&g.store, values->mend, GC_WAIT_MS, tell_problem, NULL, e);
	TRY(left);
	return left > 0;
}
