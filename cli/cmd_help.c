#include <stdio.h>

#include "base/full.h"
#include "cli/cmd.h"
#include "cli/help.h"

int cmd_help(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	const struct command *command = NULL;
	auto_buf struct buf text = { 0 };

	if (args->n == 0) {
		help_overview(&text, call->runtime.program, call->mode);
	} else {
		TRY(command_find(call->mode, args->at[0], &command, e));
		if (command->works)
			TRY(full_become(e));
		help_command(&text, call->runtime.program, command);
	}
	fputs(text.text, stdout);
	return command && call->mode == MODE_OCI && command->works
		       ? command->works(&call->runtime, e)
		       : 0;
}
