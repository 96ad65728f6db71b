#include <stddef.h>

#include "cli/cmd.h"

static const struct option_row rows[] = {
	{ .name = "bundle",
	  .letter = 'b',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct create_values, request.bundle),
	  .argument = "DIR",
	  .help = "the bundle: a directory with config.json and usually the root file system" },
	{ .name = "console-socket",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct create_values, request.console_socket),
	  .argument = "SOCKET",
	  .help = "send the master of the container's terminal to the listener of SOCKET" },
	{ .name = "pid-file",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct create_values, request.pid_file),
	  .argument = "FILE",
	  .help = "write the pid of the container's first process to FILE" },
	{ .name = "no-pivot",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct create_values, request.no_pivot),
	  .help = "move the root mount instead of calling pivot_root(2), for hosts that run "
		  "from a ramdisk" },
	{ .name = "no-new-keyring",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct create_values, request.no_new_keyring),
	  .help = "keep the caller's session keyring" },
	{ .name = "preserve-fds",
	  .kind = OPTION_UNSIGNED,
	  .member = offsetof(struct create_values, request.preserve_fds),
	  .argument = "N",
	  .help = "pass N descriptors to the container, from 3 on, after those of $LISTEN_FDS" },
	{ .name = "pidfd-socket",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct create_values, request.pidfd_socket),
	  .argument = "SOCKET",
	  .help = "send a pidfd of the container's first process to the listener of SOCKET" },
};

const struct option_table create_options = { rows, ARRAY_LEN(rows), sizeof(struct create_values),
					     NULL, false };

struct create_request create_values_request(const struct create_values *values, const char *id)
{
	struct create_request req = values->request;

	req.id = id;
	if (!req.bundle)
		req.bundle = ".";
	return req;
}

int cmd_create(const struct call *call, struct err *e)
{
	struct create_request req =
		create_values_request(call->options.values, call->options.args.at[0]);

	TRY(container_create(&call->runtime, &req, e));
	return 0;
}
