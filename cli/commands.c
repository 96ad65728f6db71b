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
	"the output of ps(1), called with PS-OPTIONs or else -ef, cut down to them. Of a "       \
	"microVM, whose processes ps(1) can't see, the table has the same columns and takes no " \
	"PS-OPTIONs; JSON has the one process that the host sees, for engines that look it up."

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
		.name = "checkpoint",
		.modes = MODE_OCI,
		.arguments = "ID",
		.help = "write a running container's processes into files",
		.details =
			"Writes the processes of a container with their memory, files and "
			"connections into a directory, by CRIU, and deletes the container, "
			"unless it is to go on. restore makes it run on from there. As hull-oci, "
			"checkpoint --help succeeds only where this can work.",
		.options = &checkpoint_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.opens_libraries = true,
		.works = container_checkpoint_works,
		.run = cmd_checkpoint,
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
		.asks_systemd = true,
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
		.name = "doctor",
		.modes = MODE_HULL,
		.arguments = "",
		.help = "say what this host can do, and how to mend what it can't",
		.details = "Looks at the host for the user who asks, tries what only trying tells, "
			   "and prints a line for each: ok, missing for what some containers want, "
			   "or failed for what keeps any from running, with the command that mends "
			   "it. The exit status is 1 if anything failed. It changes nothing.",
		.options = &doctor_options,
		.stateless = true,
		.run = cmd_doctor,
	},
	{
		.name = "events",
		.modes = MODE_OCI,
		.arguments = "ID",
		.help = "print what happens to a container, and its statistics, as JSON",
		.details = "Prints a line of JSON for each event until the container has ended: "
			   "\"stats\" in intervals, \"oom\" when the kernel has killed some of its "
			   "processes for lack of memory.",
		.options = &events_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_events,
	},
	{
		.name = "exec",
		.modes = MODE_OCI,
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
		.modes = MODE_OCI,
		.arguments = "ID [SIGNAL]",
		.help = "send a signal to a container",
		.details =
			"Sends SIGNAL, a name or a number (default: what the annotation "
			"org.opencontainers.image.stopSignal says, or SIGTERM), to the first "
			"process of the container, or with --all to all that are in its cgroup or, "
			"where it has none, in the PID namespace that was made for it.",
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
		.name = "metrics",
		.modes = MODE_HULL,
		.arguments = "",
		.help = "print the statistics of all containers as OpenMetrics text",
		.details = "Prints what all containers under the root directory use, for "
			   "Prometheus and its like. What the host does not count is left out.",
		.options = &no_options,
		.run = cmd_metrics,
	},
	{
		.name = "network",
		.modes = MODE_HULL,
		.arguments = "VERB [NAME...]",
		.verbs = "check|connect|create|disconnect|inspect|ls|prune|rm",
		.help = "manage the networks of containers",
		.details =
			"The verbs are create NAME, ls (a template's fields are Name, which is "
			"the ID too, Driver, Link, Subnet, IPv6Subnet, Scope, IPv4, IPv6 and "
			"Internal), inspect NAME..., rm NAME..., prune (all "
			"that no container is on), connect NETWORK CONTAINER and disconnect "
			"NETWORK CONTAINER. Connect puts a container on a further network, at "
			"once if it runs, and whenever it is started; disconnect takes it off; "
			"its /etc/hosts and /etc/resolv.conf are written anew by both. Check "
			"CONTAINER... fails if what was made for a container is not there any "
			"more, and lets CNI plug-ins look (CHECK). Networks of CNI are those of "
			"the configurations in /etc/cni/net.d, or the directory that NETCONFPATH "
			"names; their plug-ins are looked for in CNI_PATH, else in /opt/cni/bin "
			"and "
			"/usr/lib/cni, and for a container that has such a network, where they "
			"were "
			"when it came to be on it. The "
			"default network, bridge, makes itself when a container first needs it. "
			"Networks are kept in the directory that HULL_NETWORK_DIR names, else in "
			"/var/lib/hull/network, or in a user's ~/.local/state/hull/network.",
		.options = &network_options,
		.min_args = 1,
		.max_args = ARGS_MANY,
		.stateless = true,
		.run = cmd_network,
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
		.name = "plan",
		.modes = MODE_HULL,
		.arguments = "[ID]",
		.help = "show what create would do, and do nothing",
		.details =
			"Prints the operations that create would perform for a bundle, in their "
			"order: hull's own and those of the container's init, and at the end "
			"what start would let follow. Nothing is made or changed, and root is not "
			"needed; what is shown is what create would do for this caller. Without "
			"ID, the container's name is \"ID\"." DEFAULT_BUNDLE,
		.options = &plan_options,
		.max_args = 1,
		.asks_systemd = true,
		.run = cmd_plan,
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
		.name = "restore",
		.modes = MODE_OCI,
		.arguments = "ID",
		.help = "let a container run on from a checkpoint",
		.details =
			"Makes a container of a bundle whose processes are those that "
			"checkpoint wrote. What the container is and may do comes from the "
			"bundle. Its pipes become the caller's streams; a stream that was a file "
			"must be that file again, appended to. Without --detach its streams and "
			"signals are passed on and "
			"the exit status is its program's, as of run.",
		.options = &restore_options,
		.min_args = 1,
		.max_args = 1,
		.creates = true,
		.asks_systemd = true,
		.opens_libraries = true,
		.run = cmd_restore,
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
		.modes = MODE_OCI,
		.arguments = "ID",
		.help = "create a container, run it and delete it",
		.details = RUN DEFAULT_BUNDLE,
		.options = &run_options,
		.min_args = 1,
		.max_args = 1,
		.creates = true,
		.asks_systemd = true,
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
		.modes = MODE_OCI,
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
			   "is stopped, and where it came from. If the kernel has killed processes "
			   "of a stopped one for lack of memory, run.hull.oom says how many, with "
			   "the limit and the most it used, in bytes, and where that limit was: "
			   "its own, below or above it. If its other limits held it "
			   "back, run.hull.held says where: how often it was refused a process "
			   "(pids), in how many periods it used up its CPU time (cpu, with "
			   "microseconds of the limit), how many microseconds it waited for I/O "
			   "while that is limited (io).",
		.options = &no_options,
		.min_args = 1,
		.max_args = 1,
		.takes_container = true,
		.run = cmd_state,
	},
	{
		.name = "stats",
		.modes = MODE_HULL,
		.arguments = "[ID...]",
		.help = "show what containers use",
		.details =
			"Shows what the containers use, or those that are running, renewed "
			"each second: as a table, or as a line of JSON for each. The share of CPU "
			"is of one processor. Memory is without what files could be dropped from "
			"it, its limit the machine's where there is none. What the host does not "
			"count is \"-\", as is all of a container that does not run. What a template "
			"is, hull(1) says at TEMPLATES.",
		.options = &stats_options,
		.max_args = ARGS_MANY,
		.takes_container = true,
		.run = cmd_stats,
	},
	{
		.name = "update",
		.modes = MODE_OCI,
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

/* The next row of `table` that this mode has, from `at` on; NULL: none. */
static const struct command *next_of(const struct command *at, const struct command *end,
				     enum mode mode)
{
	while (at < end && at->name && !(at->modes & mode))
		at++;
	return at < end && at->name ? at : NULL;
}

/* Both tables are in the order of their names, and so is what comes of them. */
const struct command *command_at(enum mode mode, size_t i)
{
	const struct command *end = commands + ARRAY_LEN(commands), *a = commands;
	const struct command *b = people_commands;

	for (;;) {
		const struct command *row;

		a = a ? next_of(a, end, mode) : NULL;
		b = b ? next_of(b, (const struct command *)UINTPTR_MAX, mode) : NULL;
		row = a && (!b || strcmp(a->name, b->name) < 0) ? a : b;
		if (!row || i-- == 0)
			return row;
		if (row == a)
			a++;
		else
			b++;
	}
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
