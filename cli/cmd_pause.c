#include "cli/cmd.h"
#include "cli/people.h"

int cmd_pause(const struct call *call, struct err *e)
{
	const char *id = call->options.args.at[0];

	TRY(container_pause(&call->runtime, id, e));
	people_happened(call, id, "pause", NULL, NULL);
	return 0;
}

int cmd_resume(const struct call *call, struct err *e)
{
	const char *id = call->options.args.at[0];

	TRY(container_resume(&call->runtime, id, e));
	people_happened(call, id, "unpause", NULL, NULL);
	return 0;
}
