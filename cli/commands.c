#include "cli/commands.h"

#include <errno.h>
#include <string.h>

#include "cli/cmd.h"

/* What `create` and `run` have in common, then `run` under both names. */
#define DEFAULT_BUNDLE " Without --bundle, the current directory is the bundle."
#define RUN                                                                                   \
	"Creates the container ID from a bundle, starts its program, passes signals and the " \
	"terminal on to it, and deletes the container when the program has ended. The exit "  \
	"status is the program's, or 128 and the number of the signal that ended it. With "   \
	"--detach it returns as soon as the program runs."

#define PS                                                                                       \
	"Shows the processes of the container, also those that exec brought. As a table, it is " \
	"the output of ps(1), called with PS-OPTIONs or else -ef, cut down to them."

const struct option_table no_options;

static const struct command commands[] = {
	{
		.name = "__complete",
		.modes = MODE_BOTH,
		.arguments = "-- WORD...",
		.help = "complete a command line",
		.details = "Lists what can stand in place of the last WORD, for the completions of "
			   "shells.",
		.options = &no_options,
		.max_args = ARGS_MANY,
		.stateless = true,
		.hidden = true,
		.run = cmd_complete,
	},
	{
		.name = "create",
		.modes = MODE_BOTH,
		.arguments = "ID",
		.help = "create a container",
		.details = "Creates the container ID from a bundle: all is made and waits, but for "
			   "the container's program, which start lets go." DEFAULT_BUNDLE,
		.options = &create_options,
		.min_args = 1,
		.max_args = 1,
		.creates = true,
		.enters = true,
		.run = cmd_create,
	},
	{
		.name = "delete",
		.modes = MODE_BOTH,
		.arguments = "ID",
		.help = "delete a container",
		.details =
			"Gives back all that a stopped container still holds and forgets it. One "
			"that was created but never started is killed first.",
		.options = &delete_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_delete,
	},
	{
		.name = "exec",
		.modes = MODE_BOTH,
		.arguments = "ID [COMMAND [ARG...]]",
		.help = "run a further program in a running container",
		.details = "Runs COMMAND in the container, or the program that a process file "
			   "describes. What follows ID belongs to the command. The exit status is "
			   "the program's, or 255 if it could not be started.",
		.options = &exec_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.ordered = true,
		.failure_status = 255,
		.enters = true,
		.takes_container = true,
		.run = cmd_exec,
	},
	{
		.name = "features",
		.modes = MODE_BOTH,
		.arguments = "",
		.help = "show what this runtime supports, as JSON",
		.details = "Prints the features document of the OCI runtime specification.",
		.options = &no_options,
		.stateless = true,
		.run = cmd_features,
	},
	{
		.name = "help",
		.modes = MODE_BOTH,
		.arguments = "[COMMAND]",
		.help = "show the commands, or the options of one",
		.details = "Shows all commands and the options before them, or what one COMMAND "
			   "does and takes.",
		.options = &no_options,
		.max_args = 1,
		.stateless = true,
		.failure_status = STATUS_NO_COMMAND,
		.run = cmd_help,
	},
	{
		.name = "kill",
		.modes = MODE_BOTH,
		.arguments = "ID [SIGNAL]",
		.help = "send a signal to a container",
		.details = "Sends SIGNAL, a name or a number (default: SIGTERM), to the first "
			   "process of the container.",
		.options = &kill_options,
		.min_args = 1,
		.max_args = 2,
		.takes_container = true,
		.run = cmd_kill,
	},
	{
		.name = "list",
		.modes = MODE_BOTH,
		.arguments = "",
		.help = "list the containers",
		.details = "Lists the containers under the root directory, also the stopped ones.",
		.options = &list_options,
		.run = cmd_list,
	},
	{
		.name = "pause",
		.modes = MODE_BOTH,
		.arguments = "ID",
		.help = "stop all processes of a container where they are",
		.details = "Freezes the container, which may be running or only created, until "
			   "resume lets it go on. It can still be killed and updated.",
		.options = &no_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_pause,
	},
	{
		.name = "ps",
		.modes = MODE_HULL,
		.arguments = "[ID [PS-OPTION...]]",
		.help = "list the containers, or the processes of one",
		.details = PS " Without ID, it lists the containers as list does.",
		.options = &ps_options,
		.max_args = ARGS_MANY,
		.ordered = true,
		.takes_container = true,
		.run = cmd_ps,
	},
	{
		.name = "ps",
		.modes = MODE_OCI,
		.arguments = "ID [PS-OPTION...]",
		.help = "show the processes of a container",
		.details = PS,
		.options = &ps_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.ordered = true,
		.takes_container = true,
		.run = cmd_ps,
	},
	{
		.name = "resume",
		.modes = MODE_BOTH,
		.arguments = "ID",
		.help = "let a paused container go on",
		.details = "Thaws what pause has frozen.",
		.options = &no_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_resume,
	},
	{
		.name = "run",
		.modes = MODE_HULL,
		.arguments = "--bundle DIR ID",
		.help = "create a container, run it and delete it",
		.details = RUN,
		.options = &run_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.ordered = true,
		.creates = true,
		.enters = true,
		.run = cmd_run_image,
	},
	{
		.name = "run",
		.modes = MODE_OCI,
		.arguments = "ID",
		.help = "create a container, run it and delete it",
		.details = RUN DEFAULT_BUNDLE,
		.options = &run_options,
		.min_args = 1,
		.max_args = 1,
		.creates = true,
		.enters = true,
		.run = cmd_run,
	},
	{
		.name = "spec",
		.modes = MODE_BOTH,
		.arguments = "",
		.help = "write a config.json to start from",
		.details = "Writes a config.json that runs a shell in the directory rootfs beside "
			   "it. An existing file is never replaced.",
		.options = &spec_options,
		.stateless = true,
		.run = cmd_spec,
	},
	{
		.name = "start",
		.modes = MODE_BOTH,
		.arguments = "ID",
		.help = "start the program of a created container",
		.details = "Lets the program of a created container go.",
		.options = &no_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_start,
	},
	{
		.name = "state",
		.modes = MODE_BOTH,
		.arguments = "ID",
		.help = "show the state of a container, as JSON",
		.details = "Prints the state of the container: its status (creating, created, "
			   "running, paused or stopped), the pid of its first process, 0 when it "
			   "is stopped, and where it came from.",
		.options = &no_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_state,
	},
	{
		.name = "update",
		.modes = MODE_BOTH,
		.arguments = "ID",
		.help = "change the limits of a container",
		.details =
			"Sets new limits on a container that exists, all of them or none. What is "
			"not given, or 0 or empty, stays as it is. The device policy stays in any "
			"case.",
		.options = &update_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_update,
	},
	{
		.name = "version",
		.modes = MODE_HULL,
		.arguments = "",
		.help = "show the version",
		.details = "Prints the version of hull, of the specification it follows and of "
			   "libseccomp.",
		.options = &no_options,
		.stateless = true,
		.run = cmd_version,
	},
};

const struct command *command_at(enum mode mode, size_t i)
{
	for (size_t c = 0; c < ARRAY_LEN(commands); c++)
		if ((commands[c].modes & mode) && i-- == 0)
			return &commands[c];
	return NULL;
}

int command_find(enum mode mode, const char *name, const struct command **ret, struct err *e)
{
	const struct command *command;

	for (size_t i = 0; (command = command_at(mode, i)); i++) {
		if (strcmp(command->name, name) == 0) {
			*ret = command;
			return 0;
		}
	}
	return err_set(e, ENOENT, "No help topic for '%s'", name);
}
