/*
 * cmd_people_checkpoint.c - checkpoint and restore, of containers of images
 * and, by the options that the runtime has, of those of bundles.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/checkpoint.h"

struct people_checkpoint_values {
	struct checkpoint_request request;
	const char *file;
	bool keep;
};
static_assert(offsetof(struct people_checkpoint_values, request) == 0,
	      "those of checkpoint come first");

static const struct option_row checkpoint_rows[] = {
	{ .name = "leave-running",
	  .letter = 'R',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct people_checkpoint_values, request.leave_running),
	  .help = "let the container go on" },
	{ .name = "keep",
	  .letter = 'k',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct people_checkpoint_values, keep),
	  .help = "leave CRIU's log with the checkpoint" },
	{ .name = "export",
	  .letter = 'e',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct people_checkpoint_values, file),
	  .argument = "FILE",
	  .help = "also write it to an archive, with all that the container changed of its image" },
};
const struct option_table people_checkpoint_options = { checkpoint_rows, ARRAY_LEN(checkpoint_rows),
							sizeof(struct people_checkpoint_values),
							&checkpoint_common_options, true };

struct people_restore_values {
	struct restore_values restore;
	const char *file, *name;
	bool keep, other_ip, other_mac;
};
static_assert(offsetof(struct people_restore_values, restore) == 0, "those of restore come first");

static const struct option_row restore_rows[] = {
	{ .name = "keep",
	  .letter = 'k',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct people_restore_values, keep),
	  .help = "leave the checkpoint and CRIU's log as they are" },
	{ .name = "ignore-static-ip",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct people_restore_values, other_ip),
	  .help = "take other addresses than it had, but for those of --ip and --ip6" },
	{ .name = "ignore-static-mac",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct people_restore_values, other_mac),
	  .help = "the same of MAC addresses" },
	{ .name = "import",
	  .letter = 'i',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct people_restore_values, file),
	  .argument = "FILE",
	  .help = "make a new container of what checkpoint --export wrote, and let it run on" },
	{ .name = "name",
	  .letter = 'n',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct people_restore_values, name),
	  .argument = "NAME",
	  .help = "of --import: what the container is called; it gets addresses of its own then" },
};
const struct option_table people_restore_options = { restore_rows, ARRAY_LEN(restore_rows),
						     sizeof(struct people_restore_values),
						     &restore_options, true };

/* What is said of a container of either kind; the rest is for one kind alone. */
static const char *const common[] = { "leave-running", "tcp-established", "tcp-close", "file-locks",
				      "detach" };

static bool is_common(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(common); i++)
		if (strcmp(common[i], name) == 0)
			return true;
	return false;
}

static bool is_own(const struct option_table *table, const struct option_row *row)
{
	return row >= table->rows && row < table->rows + table->n;
}

/* `kept`: of an image, else of a bundle. */
static int check_options(const struct call *call, const char *verb,
			 const struct option_table *table, bool kept, struct err *e)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(table, i)); i++)
		if (row != &option_help && is_own(table, row) != kept && !is_common(row->name) &&
		    option_given(row, call->options.values))
			return err_set(e, EINVAL, "%s: --%s is for containers of %s", verb,
				       row->name, kept ? "bundles" : "images");
	if (!kept && call->options.args.n > 1)
		return err_set(e, EINVAL, "%s: of containers of bundles only one at a time", verb);
	return 0;
}

typedef int engine_fn(const struct engine *g, const char *who, const struct call *call,
		      struct err *e);

/* Of several, what is no container of an image is an error of its own. */
static int dispatch(const struct call *call, const char *verb, const struct option_table *table,
		    engine_fn *fn, int (*runtimes)(const struct call *call, struct err *e),
		    bool bundle, struct err *e)
{
	const char *name = NULL;

	if (!bundle && call->options.args.n == 1)
		TRY(people_kept(call, call->options.args.at[0], &name, e));
	if (call->options.args.n == 1 && !name) {
		TRY(check_options(call, verb, table, false, e));
		return runtimes(call, e);
	}
	TRY(check_options(call, verb, table, !bundle, e));
	return people_each(call, fn, e);
}

static int checkpoint_one(const struct engine *g, const char *who, const struct call *call,
			  struct err *e)
{
	const struct people_checkpoint_values *v = call->options.values;
	const struct checkpoint_wish wish = {
		.file = v->file,
		.leave_running = v->request.leave_running,
		.keep = v->keep,
		.tcp_established = v->request.criu.tcp_established,
		.file_locks = v->request.criu.file_locks,
	};

	TRY(engine_checkpoint(g, who, &wish, e));
	printf("%s\n", who);
	return 0;
}

int cmd_people_checkpoint(const struct call *call, struct err *e)
{
	const struct people_checkpoint_values *v = call->options.values;

	if (v->file && call->options.args.n > 1)
		return err_set(e, EINVAL, "checkpoint: --export: an archive is of one container");
	return dispatch(call, "checkpoint", &people_checkpoint_options, checkpoint_one,
			cmd_checkpoint, false, e);
}

static struct restore_wish restore_wish(const struct people_restore_values *v)
{
	return (struct restore_wish){
		.keep = v->keep,
		.tcp_established = v->restore.criu.tcp_established,
		.tcp_close = v->restore.tcp_close,
		.file_locks = v->restore.criu.file_locks,
		.other_ip = v->other_ip || v->name,
		.other_mac = v->other_mac || v->name,
	};
}

static int restore_archive(const struct call *call, const struct people_restore_values *v,
			   struct err *e)
{
	const struct restore_wish wish = restore_wish(v);
	auto_engine struct engine g = ENGINE_CLOSED;
	const char *name;

	if (call->options.args.n)
		return err_set(e, EINVAL,
			       "restore: --import makes a new container: what it is called is said "
			       "by --name");
	TRY(check_options(call, "restore", &people_restore_options, true, e));
	TRY(people_engine(call, &g, e));
	TRY(engine_restore_archive(&g, v->file, v->name, &wish, call->arena, &name, e));
	printf("%s\n", name);
	return 0;
}

static int restore_one(const struct engine *g, const char *who, const struct call *call,
		       struct err *e)
{
	const struct restore_wish wish = restore_wish(call->options.values);

	TRY(engine_restore(g, who, &wish, e));
	printf("%s\n", who);
	return 0;
}

int cmd_people_restore(const struct call *call, struct err *e)
{
	const struct people_restore_values *v = call->options.values;

	if (v->file)
		return restore_archive(call, v, e);
	if (v->name)
		return err_set(e, EINVAL, "restore: --name goes with --import");
	if (!call->options.args.n)
		return err_set(e, EINVAL, "restore: it needs a CONTAINER, or --import");
	/* With a bundle it is the id of what is made of it, which may be the name of another. */
	return dispatch(call, "restore", &people_restore_options, restore_one, cmd_restore,
			v->restore.create.request.bundle, e);
}
