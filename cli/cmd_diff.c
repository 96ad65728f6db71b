/* cmd_diff.c - `hull diff CONTAINER`. */
#include <unistd.h>

#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/diff.h"

int cmd_diff(const struct call *call, struct err *e)
{
	auto_engine struct engine g = ENGINE_CLOSED;

	TRY(people_engine(call, &g, e));
	return engine_diff(&g, call->options.args.at[0], STDOUT_FILENO, e);
}
