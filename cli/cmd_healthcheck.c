/* cmd_healthcheck.c - `hull healthcheck run CONTAINER`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/health.h"

int cmd_healthcheck(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	auto_engine struct engine g = ENGINE_CLOSED;
	int code;

	if (strcmp(args->at[0], "run") != 0)
		return err_set(e, EINVAL, "healthcheck %s: expected run", args->at[0]);
	TRY(people_engine(call, &g, e));
	TRY(health_check(&g, args->at[1], &code, e));
	if (code == 0)
		return 0;
	puts("unhealthy");
	return 1;
}
