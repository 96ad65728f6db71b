#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "cli/cmd.h"

struct run_values {
	struct create_values create;
	bool detach, keep;
};

static_assert(offsetof(struct run_values, create) == 0, "the options of create come first");

static const struct option_row rows[] = {
	{ .name = "detach",
	  .letter = 'd',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct run_values, detach),
	  .help = "return as soon as the program runs" },
	{ .name = "keep",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct run_values, keep),
	  .help = "do not delete the container when it has ended" },
	{ .name = "no-subreaper",
	  .kind = OPTION_FLAG,
	  .use = OPTION_IGNORED,
	  .help = "accepted for runc's callers; has no effect" },
};

const struct option_table run_options = { rows, ARRAY_LEN(rows), sizeof(struct run_values),
					  &create_options, false };

int cmd_run(const struct call *call, struct err *e)
{
	const struct run_values *values = call->options.values;
	struct run_request req = {
		.create = create_values_request(&values->create, call->options.args.at[0]),
		.detach = values->detach,
		.keep = values->keep,
	};
	int status;

	TRY(container_run(&call->runtime, &req, &status, e));
	return status;
}
