#include "cli/cmd.h"

int cmd_pause(const struct call *call, struct err *e)
{
	return container_pause(&call->runtime, call->options.args.at[0], e);
}

int cmd_resume(const struct call *call, struct err *e)
{
	return container_resume(&call->runtime, call->options.args.at[0], e);
}
