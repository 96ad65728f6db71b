#include <stdio.h>

#include "cli/cmd.h"
#include "cli/complete.h"

/* Best effort: who completes a line is told of no failures. */
static void add_containers(struct completion *c, const struct call *call)
{
	struct runtime rt = { .root = c->root, .program = call->runtime.program };
	struct state_list list = { 0 };
	struct root_facts facts;

	root_facts_read(&facts);
	if (!rt.root && root_plan(&facts, call->arena, &rt.root, NULL) < 0)
		return;
	if (container_list(&rt, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < list.n; i++)
		completion_add(c, list.at[i].id, state_status_name(list.at[i].status));
	state_list_done(&list);
}

int cmd_complete(const struct call *call, struct err *e)
{
	auto_completion struct completion c = { 0 };

	(void)e;
	completion_plan(&c, call->mode, &call->options.args);
	if (c.containers)
		add_containers(&c, call);
	if (c.lines.text)
		fputs(c.lines.text, stdout);
	return 0;
}
