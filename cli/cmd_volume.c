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
	bool force, quiet;
};

static const struct option_row rows[] = {
	{ .name = "force",
	  .letter = 'f',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct volume_values, force),
	  .help = "rm: a volume that is not there is no failure" },
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
						      { 0 } };
	const struct volume_values *values = call->options.values;
	auto_people_table struct people_table t = { 0 };
	struct strings all;

	TRY(volume_list(g, call->arena, &all, e));
	people_table_begin(&t, fields, values->quiet ? "{{.Name}}" : NULL);
	for (size_t i = 0; i < all.n; i++)
		people_table_row(&t, (const char *const[]){ "local", all.at[i] }, NULL);
	return people_table_end(&t, e);
}

static int inspect(const struct call *call, const struct engine *g, const struct strings *names,
		   struct err *e)
{
	auto_buf struct buf out = { 0 };
	struct json_writer w = json_writer(&out, "    ");

	json_write_array(&w, NULL);
	for (size_t i = 0; i < names->n; i++) {
		const char *path;

		TRY(volume_path(g, names->at[i], call->arena, &path, e));
		json_write_object(&w, NULL);
		json_write_string(&w, "Name", names->at[i]);
		json_write_string(&w, "Driver", "local");
		json_write_string(&w, "Mountpoint", path);
		json_write_end(&w);
	}
	json_write_end(&w);
	puts(out.text);
	return 0;
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

static int prune(const struct call *call, const struct engine *g,
		 const struct strings *names UNUSED, struct err *e)
{
	struct strings all;

	TRY(volume_list(g, call->arena, &all, e));
	for (size_t i = 0; i < all.n; i++) {
		struct err one = { 0 };
		int r = volume_remove(g, all.at[i], &one);

		if (r >= 0)
			printf("%s\n", all.at[i]);
		else if (r != -EBUSY)
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
