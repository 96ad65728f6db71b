#include "cli/cmd.h"

int cmd_start(const struct call *call, struct err *e)
{
	TRY(container_start(&call->runtime, call->options.args.at[0], e));
	return 0;
}
