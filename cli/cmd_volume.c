/* cmd_volume.c - `hull volume create|ls|inspect|rm|prune`. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/filters.h"
#include "cli/people.h"
#include "engine/volumes.h"

struct volume_values {
	bool force, quiet, all;
	const char *format;
	struct strings filter;
};

static const struct option_row rows[] = {
	{ .name = "all",
	  .letter = 'a',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct volume_values, all),
	  .help = "prune: those with a name of their own, too" },
	{ .name = "force",
	  .letter = 'f',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct volume_values, force),
	  .help = "rm: a volume that is not there is no failure; prune: accepted" },
	{ .name = "filter",
	  .kind = OPTION_STRINGS,
	  .member = offsetof(struct volume_values, filter),
	  .argument = "KEY=VALUE",
	  .help = "ls: only those with this name (a regular expression), driver, scope or "
		  "dangling=true|false, whether no container mounts them (may be repeated: "
		  "several values of a key are alternatives)" },
	{ .name = "format",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct volume_values, format),
	  .argument = "FORMAT",
	  .help = "ls: table, json, a template like '{{.Name}} {{.Driver}}', or one as a table" },
	{ .name = "quiet",
	  .letter = 'q',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct volume_values, quiet),
	  .help = "ls: print names only" },
};
const struct option_table volume_options = { rows, ARRAY_LEN(rows), sizeof(struct volume_values),
					     NULL, true };

static int create(const struct call *call, const struct engine *g, const struct strings *names,
		  struct err *e)
{
	char id[RECORD_ID_LEN + 1];

	(void)call;
	if (!names->n) {
		TRY(record_new_id(id, e));
		TRY(volume_create(g, id, e));
		printf("%s\n", id);
	}
	for (size_t i = 0; i < names->n; i++) {
		TRY(volume_create(g, names->at[i], e));
		printf("%s\n", names->at[i]);
	}
	return 0;
}

/* A volume, as filters see it. */
struct listed {
	const char *name;
	bool used; /* a container mounts it */
};

static bool of_name(const struct filter *f, const void *subject)
{
	return filter_finds(f, ((const struct listed *)subject)->name);
}

static bool of_driver(const struct filter *f, const void *subject UNUSED)
{
	return strcmp(f->value, "local") == 0;
}

static bool of_dangling(const struct filter *f, const void *subject)
{
	return !((const struct listed *)subject)->used == (f->found != 0);
}

enum { NEEDS_USERS = 1 };

static const struct filter_row filter_rows[] = {
	{ "name", of_name, filter_read_pattern, false, 0 },
	{ "driver", of_driver, NULL, false, 0 },
	{ "scope", of_driver, NULL, false, 0 },
	{ "dangling", of_dangling, filter_read_bool, false, NEEDS_USERS },
};
static const struct filter_table volume_filters = { filter_rows, ARRAY_LEN(filter_rows) };

static bool is_among(const struct strings *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i], name) == 0)
			return true;
	return false;
}

static int list(const struct call *call, const struct engine *g, const struct strings *names UNUSED,
		struct err *e)
{
	static const struct people_field fields[] = { { "Driver", "DRIVER", false },
						      { "Name", "VOLUME NAME", false },
						      { "Mountpoint", "MOUNTPOINT", true },
						      { "Scope", "SCOPE", true },
						      { 0 } };
	const struct volume_values *values = call->options.values;
	auto_people_table struct people_table t = { 0 };
	struct strings all, used = { 0 };
	struct filters filters;

	TRY(filters_read(&volume_filters, &values->filter, NULL, call->arena, &filters, e));
	TRY(volume_list(g, call->arena, &all, e));
	if (filters.needs & NEEDS_USERS)
		TRY(volumes_used(g, call->arena, &used, e));
	people_table_begin(&t, fields, values->quiet ? "{{.Name}}" : values->format);
	for (size_t i = 0; i < all.n; i++) {
		const char *path;

		if (volume_path(g, all.at[i], call->arena, &path, NULL) < 0)
			continue; /* removed meanwhile */
		if (!filters_match(&filters,
				   &(struct listed){ all.at[i], is_among(&used, all.at[i]) }))
			continue;
		people_table_row(&t, (const char *const[]){ "local", all.at[i], path, "local" },
				 NULL);
	}
	return people_table_end(&t, e);
}

/* Those that are there are shown; that one is not is said after them. */
static int inspect(const struct call *call, const struct engine *g, const struct strings *names,
		   struct err *e)
{
	auto_buf struct buf out = { 0 };
	struct json_writer w = json_writer(&out, "    ");
	int r = 0;

	if (!names->n)
		return err_set(e, EINVAL, "volume inspect: which one?");
	json_write_array(&w, NULL);
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->at[i], *path, *created;

		if (volume_path(g, name, call->arena, &path, r < 0 ? NULL : e) < 0) {
			r = -ENOENT;
			continue;
		}
		created = volume_created(g, name, call->arena);
		json_write_object(&w, NULL);
		if (created)
			json_write_string(&w, "CreatedAt", created);
		json_write_string(&w, "Driver", "local");
		json_write_string(&w, "Mountpoint", path);
		json_write_string(&w, "Name", name);
		json_write_string(&w, "Scope", "local");
		json_write_end(&w);
	}
	json_write_end(&w);
	puts(out.text);
	return r;
}

static int rm(const struct call *call, const struct engine *g, const struct strings *names,
	      struct err *e)
{
	const struct volume_values *values = call->options.values;

	if (!names->n)
		return err_set(e, EINVAL, "volume rm: which one?");
	for (size_t i = 0; i < names->n; i++) {
		int r = volume_remove(g, names->at[i], e);

		if (r == -ENOENT && values->force)
			continue;
		TRY(r);
		printf("%s\n", names->at[i]);
	}
	return 0;
}

/* What was given a name was meant to stay. */
static int prune(const struct call *call, const struct engine *g,
		 const struct strings *names UNUSED, struct err *e)
{
	const struct volume_values *values = call->options.values;
	struct strings all;

	TRY(volume_list(g, call->arena, &all, e));
	for (size_t i = 0; i < all.n; i++) {
		struct err one = { 0 };
		int r;

		if (!values->all && !volume_is_anonymous(all.at[i]))
			continue;
		r = volume_remove(g, all.at[i], &one);

		if (r >= 0)
			printf("%s\n", all.at[i]);
		else if (r != -EBUSY && r != -ENOENT)
			return err_set(e, -r, "%s", one.msg);
	}
	return 0;
}

enum { OF_LS = 1, OF_RM = 2, OF_PRUNE = 4 };

static const struct verb {
	const char *name;
	unsigned options;
	int (*run)(const struct call *call, const struct engine *g, const struct strings *names,
		   struct err *e);
} verbs[] = {
	{ "create", 0, create },      { "ls", OF_LS, list }, { "list", OF_LS, list },
	{ "inspect", 0, inspect },    { "rm", OF_RM, rm },   { "remove", OF_RM, rm },
	{ "prune", OF_PRUNE, prune },
};

static int check_options(const struct verb *verb, const struct volume_values *v, struct err *e)
{
	const struct {
		const char *name;
		unsigned of;
		bool given;
	} given[] = {
		{ "all", OF_PRUNE, v->all },      { "force", OF_RM | OF_PRUNE, v->force },
		{ "filter", OF_LS, v->filter.n }, { "format", OF_LS, v->format },
		{ "quiet", OF_LS, v->quiet },
	};

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		if (given[i].given && !(given[i].of & verb->options))
			return err_set(e, EINVAL, "volume %s takes no --%s", verb->name,
				       given[i].name);
	return 0;
}

int cmd_volume(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	const struct strings names = { args->at + 1, args->n - 1 };
	auto_engine struct engine g = ENGINE_CLOSED;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].name, args->at[0]) != 0)
			continue;
		TRY(check_options(&verbs[i], call->options.values, e));
		TRY(people_engine(call, &g, e));
		return verbs[i].run(call, &g, &names, e);
	}
	return err_set(e, EINVAL, "volume %s: expected create, ls, inspect, rm or prune",
		       args->at[0]);
}
