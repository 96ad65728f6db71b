/* cmd_volume.c - `hull volume create|ls|inspect|rm|prune`. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/volumes.h"

struct volume_values {
	bool force, quiet, all;
	const char *format;
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
	  .help = "rm: a volume that is not there is no failure" },
	{ .name = "format",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct volume_values, format),
	  .argument = "TEMPLATE",
	  .help = "ls: print each in this form" },
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
	struct strings all;

	TRY(volume_list(g, call->arena, &all, e));
	people_table_begin(&t, fields, values->quiet ? "{{.Name}}" : values->format);
	for (size_t i = 0; i < all.n; i++) {
		const char *path;

		if (volume_path(g, all.at[i], call->arena, &path, NULL) < 0)
			continue; /* removed meanwhile */
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

static const struct {
	const char *name;
	int (*run)(const struct call *call, const struct engine *g, const struct strings *names,
		   struct err *e);
} verbs[] = {
	{ "create", create }, { "ls", list },   { "list", list },   { "inspect", inspect },
	{ "rm", rm },         { "remove", rm }, { "prune", prune },
};

int cmd_volume(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	const struct strings names = { args->at + 1, args->n - 1 };
	auto_engine struct engine g = ENGINE_CLOSED;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].name, args->at[0]) != 0)
			continue;
		TRY(people_engine(call, &g, e));
		return verbs[i].run(call, &g, &names, e);
	}
	return err_set(e, EINVAL, "volume %s: expected create, ls, inspect, rm or prune",
		       args->at[0]);
}
