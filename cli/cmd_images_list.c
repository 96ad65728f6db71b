/* cmd_images_list.c - `hull images` and `hull history`. */
#include <errno.h>
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "cli/cmd.h"
#include "cli/filters.h"
#include "cli/people.h"
#include "cli/when.h"
#include "cli/words.h"
#include "image/reference.h"

struct images_values {
	const char *format;
	struct strings filter;
	bool all, digests, quiet, no_trunc;
};

/* clang-format off */
#define ROW(T, n, l, k, m, arg, h) \
	{ .name = n, .letter = l, .kind = OPTION_##k, .member = offsetof(struct T, m), \
	  .argument = arg, .help = h }

static const struct option_row images_rows[] = {
	ROW(images_values, "all", 'a', FLAG, all, NULL, "accepted: all images are listed without it, too"),
	ROW(images_values, "digests", 0, FLAG, digests, NULL, "also the digests of their manifests"),
	ROW(images_values, "quiet", 'q', FLAG, quiet, NULL, "print ids only"),
	ROW(images_values, "no-trunc", 0, FLAG, no_trunc, NULL, "print ids in full"),
	ROW(images_values, "filter", 'f', STRINGS, filter, "KEY=VALUE", "only those with this reference (a pattern), label, or dangling=true|false, or made before or since another image (may be repeated: several values of a key are alternatives, but of label)"),
	ROW(images_values, "format", 0, STRING, format, "FORMAT", "table, json, a template like '{{.ID}} {{.Repository}}', or one as a table: 'table {{.ID}}\\t{{.Tag}}'"),
};
const struct option_table images_options = { images_rows, ARRAY_LEN(images_rows), sizeof(struct images_values), NULL, true };

static const struct people_field images_fields[] = {
	{ "Repository", "REPOSITORY", false }, { "Tag", "TAG", false },
	{ "Digest", "DIGEST", true }, { "ID", "IMAGE ID", false },
	{ "CreatedSince", "CREATED", false }, { "Size", "SIZE", false },
	{ "CreatedAt", "CREATED AT", true }, { 0 },
};
/* clang-format on */

/* As Docker shows names: docker.io's without their registry. */
static void split_name(const char *name, struct arena *a, const char **repository, const char **tag)
{
	struct reference r = { 0 };

	*repository = *tag = "<none>";
	if (!name || reference_parse(name, &r, NULL) < 0)
		return;
	*repository = arena_strdup(a, reference_familiar(&r).text);
	if (r.tag[0])
		*tag = arena_strdup(a, r.tag);
}

/* "reference=PATTERN": of the name with its tag, as it is shown or as it is. */
enum { BY_WIDTH = 45 };

static bool matches_reference(const char *name, const char *repository, const char *tag,
			      const char *pattern)
{
	static const char local[] = "localhost/";
	auto_buf struct buf shown = { 0 };

	if (!name)
		return false;
	/* A name that was given without a registry. */
	if (strncmp(repository, local, sizeof(local) - 1) == 0 &&
	    strncmp(pattern, local, sizeof(local) - 1) != 0)
		return matches_reference(name, repository + sizeof(local) - 1, tag, pattern);
	buf_printf(&shown, "%s:%s", repository, tag);
	return fnmatch(pattern, shown.text, FNM_PATHNAME) == 0 ||
	       fnmatch(pattern, repository, FNM_PATHNAME) == 0 ||
	       fnmatch(pattern, name, FNM_PATHNAME) == 0;
}

/* An image, as filters see it. */
struct listed {
	const struct image_record *record;
	const struct image *image;
	const char *repository, *tag;
};

static bool of_reference(const struct filter *f, const void *subject)
{
	const struct listed *l = subject;

	return matches_reference(l->record->name, l->repository, l->tag, f->value);
}

static bool of_label(const struct filter *f, const void *subject)
{
	const struct listed *l = subject;

	return people_has_label(&l->image->config.run.labels, f->value);
}

static bool of_dangling(const struct filter *f, const void *subject)
{
	return (f->found != 0) == !((const struct listed *)subject)->record->name;
}

static bool of_before(const struct filter *f, const void *subject)
{
	time_t created;

	return when_date(((const struct listed *)subject)->image->config.created, &created) == 0 &&
	       created < f->found;
}

static bool of_since(const struct filter *f, const void *subject)
{
	time_t created;

	return when_date(((const struct listed *)subject)->image->config.created, &created) == 0 &&
	       created > f->found;
}

/* When the image was made that before and since name. */
static int read_created(struct filter *f, const void *ctx, struct arena *a, struct err *e)
{
	const struct engine *g = ctx;
	auto_image struct image image = { 0 };
	struct image_record record;
	time_t created;

	TRY(image_store_resolve(&g->store, f->value, a, &record, e));
	TRY(image_load(&g->store, &record.manifest.digest, &image, e));
	if (when_date(image.config.created, &created) < 0)
		return err_set(e, EINVAL, "nothing says when it was made");
	f->found = created;
	return 0;
}

static const struct filter_row filter_rows[] = {
	{ "reference", of_reference, NULL, false, 0 },
	{ "label", of_label, NULL, true, 0 },
	{ "dangling", of_dangling, filter_read_bool, false, 0 },
	{ "before", of_before, read_created, false, 0 },
	{ "since", of_since, read_created, false, 0 },
};
static const struct filter_table images_filters = { filter_rows, ARRAY_LEN(filter_rows) };

/* Those of --filter, and the pattern that is an argument. */
static int read_filters(const struct engine *g, const struct call *call, struct filters *ret,
			struct err *e)
{
	const struct images_values *values = call->options.values;
	const struct strings *args = &call->options.args;
	struct strings texts = { arena_array(call->arena, values->filter.n + 1, sizeof(char *)),
				 0 };

	for (; texts.n < values->filter.n; texts.n++)
		texts.at[texts.n] = values->filter.at[texts.n];
	if (args->n)
		texts.at[texts.n++] = arena_printf(call->arena, "reference=%s", args->at[0]);
	return filters_read(&images_filters, &texts, g, call->arena, ret, e);
}

static int add_image(const struct engine *g, struct people_table *t,
		     const struct image_record *record, const struct filters *filters,
		     bool no_trunc, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_image struct image image = { 0 };
	struct listed l = { .record = record, .image = &image };
	const struct image_config *config = &image.config;

	TRY(image_load(&g->store, &record->manifest.digest, &image, e));
	split_name(record->name, &a, &l.repository, &l.tag);
	if (!filters_match(filters, &l))
		return 0;
	people_table_row(t,
			 (const char *const[]){
				 l.repository, l.tag, image.digest.text,
				 no_trunc ? image.id.text
					  : arena_strdup(&a, digest_shorten(&image.id).text),
				 words_ago(config->created, time(NULL), &a),
				 words_size(image.size, &a), config->created },
			 &config->run.labels);
	return 0;
}

int cmd_images(const struct call *call, struct err *e)
{
	const struct images_values *values = call->options.values;
	struct people_field fields[ARRAY_LEN(images_fields)];
	auto_people_table struct people_table t = { 0 };
	auto_engine struct engine g = ENGINE_CLOSED;
	struct filters filters = { 0 };
	struct image_records list;

	TRY(people_engine(call, &g, e));
	TRY(read_filters(&g, call, &filters, e));
	TRY(image_store_list(&g.store, call->arena, &list, e));
	memcpy(fields, images_fields, sizeof(fields));
	for (size_t i = 0; values->digests && fields[i].name; i++)
		if (strcmp(fields[i].name, "Digest") == 0)
			fields[i].aside = false;
	people_table_begin(&t, fields, values->quiet ? "{{.ID}}" : values->format);
	t.labelled = true;
	for (size_t i = 0; i < list.n; i++)
		TRY(add_image(&g, &t, &list.at[i], &filters, values->no_trunc, e));
	return people_table_end(&t, e);
}

/* history */

struct history_values {
	bool no_trunc;
	const char *format;
};
static const struct option_row history_rows[] = {
	ROW(history_values, "no-trunc", 0, FLAG, no_trunc, NULL, "print commands in full"),
	ROW(history_values, "format", 0, STRING, format, "FORMAT", "table, json or a template"),
};
const struct option_table history_options = { history_rows, ARRAY_LEN(history_rows),
					      sizeof(struct history_values), NULL, true };

static const struct people_field history_fields[] = {
	{ "CreatedSince", "CREATED", false },
	{ "CreatedBy", "CREATED BY", false },
	{ "Size", "SIZE", false },
	{ "Comment", "COMMENT", false },
	{ "CreatedAt", "CREATED AT", true },
	{ 0 },
};

int cmd_history(const struct call *call, struct err *e)
{
	const struct history_values *values = call->options.values;
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_image struct image image = { 0 };
	struct image_record record;
	auto_people_table struct people_table t = { 0 };
	size_t layer;

	TRY(people_engine(call, &g, e));
	TRY(image_store_resolve(&g.store, call->options.args.at[0], call->arena, &record, e));
	TRY(image_load(&g.store, &record.manifest.digest, &image, e));
	people_table_begin(&t, history_fields, values->format);
	layer = image.manifest.layers.n;
	for (size_t i = image.config.history.n; i-- > 0;) {
		const struct image_history *h = &image.config.history.at[i];
		uint64_t size =
			!h->empty_layer && layer ? image.manifest.layers.at[--layer].size : 0;
		const char *by = h->created_by ? h->created_by : "";

		if (!values->no_trunc)
			by = words_shorten(by, BY_WIDTH, call->arena);
		people_table_row(&t,
				 (const char *const[]){
					 words_ago(h->created, time(NULL), call->arena), by,
					 words_size(size, call->arena), h->comment, h->created },
				 NULL);
	}
	return people_table_end(&t, e);
}
