/*
 * cmd_checkpoint.c - checkpoint and restore, of containers of bundles.
 */
#include <assert.h>
#include <stddef.h>

#include "cli/cmd.h"

#define IMAGE_PATH "checkpoint" /* runc's */

#define CRIU_ROWS(T)                                                                          \
	{ .name = "image-path",                                                               \
	  .kind = OPTION_STRING,                                                              \
	  .member = offsetof(T, criu.image_path),                                             \
	  .argument = "DIR",                                                                  \
	  .help = "the directory of the checkpoint's files (default: " IMAGE_PATH ")" },      \
		{ .name = "work-path",                                                        \
		  .kind = OPTION_STRING,                                                      \
		  .member = offsetof(T, criu.work_path),                                      \
		  .argument = "DIR",                                                          \
		  .help = "where CRIU's log goes (default: the directory of the files)" },    \
		{ .name = "tcp-established",                                                  \
		  .kind = OPTION_FLAG,                                                        \
		  .member = offsetof(T, criu.tcp_established),                                \
		  .help = "take established TCP connections along" },                         \
		{ .name = "ext-unix-sk",                                                      \
		  .kind = OPTION_FLAG,                                                        \
		  .member = offsetof(T, criu.ext_unix_sk),                                    \
		  .help = "allow Unix sockets whose other end is outside" },                  \
		{ .name = "shell-job",                                                        \
		  .kind = OPTION_FLAG,                                                        \
		  .member = offsetof(T, criu.shell_job),                                      \
		  .help = "allow a session and a terminal that are the caller's" },           \
		{ .name = "file-locks",                                                       \
		  .kind = OPTION_FLAG,                                                        \
		  .member = offsetof(T, criu.file_locks),                                     \
		  .help = "take file locks along" },                                          \
		{ .name = "auto-dedup",                                                       \
		  .kind = OPTION_FLAG,                                                        \
		  .member = offsetof(T, criu.auto_dedup),                                     \
		  .help = "free memory images that a later one replaces" },                   \
		{ .name = "empty-ns",                                                         \
		  .kind = OPTION_STRINGS,                                                     \
		  .member = offsetof(T, criu.empty_ns),                                       \
		  .argument = "KIND",                                                         \
		  .help = "leave out what is in this namespace: network" },                   \
		{ .name = "manage-cgroups-mode",                                              \
		  .kind = OPTION_STRING,                                                      \
		  .member = offsetof(T, criu.manage_cgroups_mode),                            \
		  .argument = "MODE",                                                         \
		  .help = "soft or ignore: hull itself puts the processes into the cgroup" }, \
	{                                                                                     \
		.name = "lazy-pages", .kind = OPTION_FLAG,                                    \
		.member = offsetof(T, criu.lazy_pages),                                       \
		.help = "move the memory when it is used, by `criu lazy-pages`"               \
	}

static const struct option_row common_rows[] = {
	CRIU_ROWS(struct checkpoint_request),
	{ .name = "parent-path",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct checkpoint_request, parent_path),
	  .argument = "DIR",
	  .help = "an earlier --pre-dump, relative to --image-path: only what changed since is "
		  "written" },
	{ .name = "pre-dump",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct checkpoint_request, pre_dump),
	  .help = "only write the memory, and let the container go on" },
	{ .name = "tcp-skip-in-flight",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct checkpoint_request, tcp_skip_in_flight),
	  .help = "leave out TCP connections that are only being made" },
	{ .name = "link-remap",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct checkpoint_request, link_remap),
	  .help = "give open files that were removed a name again" },
	{ .name = "page-server",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct checkpoint_request, page_server),
	  .argument = "ADDRESS:PORT",
	  .help = "send the memory to CRIU's page server there; with --lazy-pages, wait at this "
		  "port until all of it was asked for" },
	{ .name = "status-fd",
	  .kind = OPTION_U64,
	  .member = offsetof(struct checkpoint_request, status_fd),
	  .argument = "N",
	  .help = "of --lazy-pages: write a zero byte to this descriptor when the memory can be "
		  "asked for, and close it" },
};

const struct option_table checkpoint_common_options = { common_rows, ARRAY_LEN(common_rows),
							sizeof(struct checkpoint_request), NULL,
							false };

static const struct option_row checkpoint_rows[] = {
	{ .name = "leave-running",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct checkpoint_request, leave_running),
	  .help = "let the container go on" },
};
const struct option_table checkpoint_options = { checkpoint_rows, ARRAY_LEN(checkpoint_rows),
						 sizeof(struct checkpoint_request),
						 &checkpoint_common_options, false };

static_assert(offsetof(struct restore_values, create) == 0, "the options of create come first");

static const struct option_row restore_rows[] = {
	CRIU_ROWS(struct restore_values),
	{ .name = "tcp-close",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct restore_values, tcp_close),
	  .help = "close the TCP connections that were taken along" },
	{ .name = "detach",
	  .letter = 'd',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct restore_values, detach),
	  .help = "return as soon as the container runs" },
	{ .name = "lsm-profile",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct restore_values, lsm_profile),
	  .argument = "TYPE:NAME",
	  .help = "the security module's profile: apparmor:NAME or selinux:LABEL" },
	{ .name = "lsm-mount-context",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct restore_values, lsm_mount_context),
	  .argument = "CONTEXT",
	  .help = "the SELinux context of the mounts" },
	{ .name = "no-subreaper",
	  .kind = OPTION_FLAG,
	  .use = OPTION_IGNORED,
	  .help = "accepted for runc's callers; has no effect" },
};

const struct option_table restore_options = { restore_rows, ARRAY_LEN(restore_rows),
					      sizeof(struct restore_values), &create_options,
					      false };

int cmd_checkpoint(const struct call *call, struct err *e)
{
	const struct checkpoint_request *values = call->options.values;
	struct checkpoint_request req = *values;

	req.id = call->options.args.at[0];
	if (!req.criu.image_path)
		req.criu.image_path = IMAGE_PATH;
	return container_checkpoint(&call->runtime, &req, e);
}

int cmd_restore(const struct call *call, struct err *e)
{
	const struct restore_values *values = call->options.values;
	struct restore_request req = {
		.create = create_values_request(&values->create, call->options.args.at[0]),
		.criu = values->criu,
		.lsm_profile = values->lsm_profile,
		.lsm_mount_context = values->lsm_mount_context,
		.detach = values->detach,
		.tcp_close = values->tcp_close,
	};
	int status;

	if (!req.criu.image_path)
		req.criu.image_path = IMAGE_PATH;
	TRY(container_restore(&call->runtime, &req, &status, e));
	return status;
}
