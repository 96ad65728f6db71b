/* cmd_profile.c - `hull profile record`: a seccomp profile made of what a container does. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/config.h"
#include "engine/keep.h"
#include "engine/recording.h"

static int check_wish(const struct call *call, const struct wish *w, struct err *e)
{
	const char *isolation = w->isolation ? w->isolation : call->runtime.isolation;
	struct security_wish security;

	if (isolation && strcmp(isolation, "vm") == 0)
		return err_set(
			e, ENOTSUP,
			"--isolation vm: the system calls of a microVM are its own kernel's, "
			"which nobody records");
	if (w->detach)
		return err_set(e, EINVAL,
			       "--detach: the profile is made when the container has ended");
	if (w->followed)
		return err_set(e, EINVAL,
			       "--attach, --sig-proxy=false and --detach-keys: the profile is made "
			       "when the container has ended, and not when it is left");
	if (w->restart && strcmp(w->restart, "no") != 0)
		return err_set(e, EINVAL, "--restart: the container is removed when it has ended");
	TRY(wish_security(w, &security, e));
	if (security.seccomp_file || security.no_seccomp)
		return err_set(e, EINVAL,
			       "%s: the recording has a filter of its own, which is hull's",
			       w->privileged ? "--privileged" : "--security-opt seccomp");
	return 0;
}

/* Known before the container has done its work. */
static int check_place(const struct call *call, const char *file, struct err *e)
{
	const char *slash = strrchr(file, '/');
	const char *directory =
		slash ? arena_strndup(call->arena, file, (size_t)(slash + 1 - file)) : ".";

	if (faccessat(AT_FDCWD, directory, W_OK, AT_EACCESS) < 0)
		return err_sys(e, "write to %s", file);
	return 0;
}

/* Writes it beside FILE first, so that FILE is whole or not there. */
static int save(const char *file, const struct buf *profile, struct err *e)
{
	return io_replace_file(AT_FDCWD, file, profile->text, profile->len, e);
}

static int record(const struct call *call, const char *file, const struct wish *w, struct err *e)
{
	struct call own = *call;
	struct wish recorded = *w;
	auto_recording struct recording recording = RECORDING_NONE;
	auto_buf struct buf profile = { 0 };
	struct strings capabilities, names;
	int status;

	TRY(recording_begin(&call->runtime, call->arena, &recording, e));
	recorded.listener = recording.listener;
	/* Its filter asks hull-record: it could not run again. */
	recorded.remove = true;
	if (w->isolation)
		own.runtime.isolation = w->isolation;
	status = run_image(&own, &recorded, NULL, e);
	TRY(status);
	TRY(recording_end(&recording, call->arena, &names, e));
	TRY(wish_capabilities(w, call->arena, &capabilities, e));
	seccomp_default_write(&capabilities, &(struct seccomp_choice){ .only = &names }, &profile);
	buf_char(&profile, '\n');
	TRY(save(file, &profile, e));
	return status;
}

int cmd_profile(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	const struct strings words = { args->at + 2, args->n - 2 };
	struct wish w;
	int r;

	if (strcmp(args->at[0], "record") != 0)
		return err_set(e, EINVAL, "profile %s: expected record", args->at[0]);
	if (run_image_wish(call, &words, &w, e) < 0 || check_wish(call, &w, e) < 0 ||
	    check_place(call, args->at[1], e) < 0)
		return err_wrap(e, "profile record");
	r = record(call, args->at[1], &w, e);
	if (r < 0)
		*call->failure_status = keep_failure_status(e);
	return r;
}
