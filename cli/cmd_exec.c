#include <errno.h>
#include <stddef.h>

#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/attach.h"
#include "engine/keep.h"

struct exec_values {
	struct exec_request request;
	struct numbers groups;
	const char *detach_keys;
};

static const struct option_row rows[] = {
	{ .name = "process",
	  .letter = 'p',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct exec_values, request.process_file),
	  .argument = "FILE",
	  .help = "run what FILE describes, a process object of the OCI runtime specification" },
	{ .name = "detach",
	  .letter = 'd',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct exec_values, request.detach),
	  .help = "return as soon as the program runs" },
	{ .name = "pid-file",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct exec_values, request.pid_file),
	  .argument = "FILE",
	  .help = "write the pid of the new process to FILE" },
	{ .name = "tty",
	  .letter = 't',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct exec_values, request.terminal),
	  .help = "give the program a terminal" },
	{ .name = "console-socket",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct exec_values, request.console_socket),
	  .argument = "SOCKET",
	  .help = "send the master of that terminal to the listener of SOCKET" },
	{ .name = "cwd",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct exec_values, request.cwd),
	  .argument = "PATH",
	  .help = "start in PATH of the container" },
	{ .name = "env",
	  .letter = 'e',
	  .kind = OPTION_STRINGS,
	  .member = offsetof(struct exec_values, request.env),
	  .argument = "NAME=VALUE",
	  .help = "add to the container's environment (may be repeated)" },
	{ .name = "user",
	  .letter = 'u',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct exec_values, request.user),
	  .argument = "UID[:GID]",
	  .help = "run as this user and group" },
	{ .name = "additional-gids",
	  .letter = 'g',
	  .kind = OPTION_NUMBERS,
	  .member = offsetof(struct exec_values, groups),
	  .argument = "GID",
	  .help = "add a supplementary group (may be repeated)" },
	{ .name = "cap",
	  .letter = 'c',
	  .kind = OPTION_STRINGS,
	  .member = offsetof(struct exec_values, request.caps),
	  .argument = "CAPABILITY",
	  .help = "add a capability (may be repeated)" },
	{ .name = "no-new-privs",
	  .kind = OPTION_TRISTATE,
	  .member = offsetof(struct exec_values, request.no_new_privs),
	  .help = "never let the program gain privileges" },
	{ .name = "apparmor",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct exec_values, request.apparmor),
	  .argument = "PROFILE",
	  .help = "run under this AppArmor profile" },
	{ .name = "process-label",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct exec_values, request.selinux_label),
	  .argument = "LABEL",
	  .help = "run under this SELinux label" },
	{ .name = "preserve-fds",
	  .kind = OPTION_UNSIGNED,
	  .member = offsetof(struct exec_values, request.preserve_fds),
	  .argument = "N",
	  .help = "pass N descriptors to the program, from 3 on, after those of $LISTEN_FDS" },
	{ .name = "ignore-paused",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct exec_values, request.ignore_paused),
	  .help = "also in a paused container; the program runs when that is resumed" },
	{ .name = "cgroup",
	  .kind = OPTION_STRINGS,
	  .member = offsetof(struct exec_values, request.cgroups),
	  .argument = "PATH",
	  .help = "run in the cgroup PATH, which is there, below the container's (/: in that itself)" },
	{ .name = "pidfd-socket",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct exec_values, request.pidfd_socket),
	  .argument = "SOCKET",
	  .help = "send a pidfd of the new process to the listener of SOCKET" },
};

const struct option_table exec_options = { rows, ARRAY_LEN(rows), sizeof(struct exec_values), NULL,
					   false };

/* For people, "-it" is "-i -t"; -i says what is always so. */
static const struct option_row people_rows[] = {
	{ .name = "interactive",
	  .letter = 'i',
	  .kind = OPTION_FLAG,
	  .use = OPTION_IGNORED,
	  .help = "accepted: standard input is passed on in any case" },
	{ .name = "detach-keys",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct exec_values, detach_keys),
	  .argument = "KEYS",
	  .help = "with --tty: let these keys, as ctrl-p,ctrl-q, leave the program running" },
	{ .name = "workdir",
	  .letter = 'w',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct exec_values, request.cwd),
	  .argument = "PATH",
	  .help = "the same as --cwd" },
};

const struct option_table people_exec_options = { people_rows, ARRAY_LEN(people_rows),
						  sizeof(struct exec_values), &exec_options, true };

int cmd_exec(const struct call *call, struct err *e)
{
	const struct exec_values *values = call->options.values;
	const struct strings *args = &call->options.args;
	struct exec_request req = values->request;
	struct attach_keys keys = { .n = 0 };
	char exec_id[RECORD_ID_LEN + 1];
	int status, r;

	if (values->detach_keys) {
		TRY(attach_keys_parse(values->detach_keys, &keys, e));
		if (!req.terminal || req.detach)
			return err_set(e, EINVAL,
				       "--detach-keys: only with --tty, and without --detach");
	}
	req.leave = keys.at;
	req.n_leave = keys.n;

	req.id = args->at[0];
	req.args = (struct strings){ args->at + 1, args->n - 1 };
	req.groups.at = values->groups.at;
	req.groups.n = values->groups.n;
	people_exec_begins(call, req.id, &req.args, exec_id);
	r = container_exec(&call->runtime, &req, &status, e);
	/* One that goes on by itself is nobody's to wait for. */
	if (r < 0 || !req.detach)
		people_exec_ended(call, req.id, exec_id, r < 0 ? keep_failure_status(e) : status);
	return r < 0 ? r : status;
}
