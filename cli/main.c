/*
 * main.c - from argv to exit status. Failures travel here and are reported
 * here, once: a line in the log, and the same message on standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/full.h"
#include "base/helper.h"
#include "base/log.h"
#include "cli/invocation.h"
#include "cli/people.h"
#include "microvm/executor.h"

/* Files would take the place of closed ones; these stay open for the container. */
static void hold_standard_descriptors(void)
{
	int fd;

	do
		/* NOLINTNEXTLINE(android-cloexec-open): they are for the container, too */
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static const struct executor *const executors[] = { &executor_vm, NULL };

static int run(struct invocation *in, struct arena *a, struct err *e)
{
	const struct globals *globals = in->globals;
	struct root_facts facts;
	struct call call = {
		.mode = in->personality->mode,
		.runtime = { .root = globals->root,
			     .cgroups_disabled = choice_is(globals->cgroup_manager, "disabled"),
			     .systemd_cgroup = globals_wants_systemd(globals),
			     .program = in->program,
			     .isolation = globals->isolation ? globals->isolation
							     : in->personality->isolation,
			     .executors = executors },
		.data_root = globals->data_root,
		.options = in->options,
		.arena = a,
		.failure_status = &in->failure_status,
	};

	if (!globals->root && !in->command->stateless) {
		root_facts_read(&facts);
		TRY(root_plan(&facts, a, &call.runtime.root, e));
	}
	if (call.mode == MODE_HULL && in->command->takes_container && call.options.args.n)
		TRY(people_container(&call, call.options.args.at[0], &call.options.args.at[0], e));
	if (in->command->creates)
		TRY(globals_check_create(globals, e));
	return in->command->run(&call, e);
}

/* Before anything is done: this may begin anew as another program, and as a sealed one. */
static int settle_program(const struct invocation *in, char *const *argv, struct err *e)
{
	const struct command *c = in->command;

	if (c->opens_libraries || (c->asks_systemd && globals_wants_systemd(in->globals)))
		TRY(full_become(e));
	if (in->personality->mode == MODE_HULL)
		helper_remember();
	return c->enters ? runtime_seal(argv, environ, e) : 0;
}

/* Output that did not get out is a failure like any other. */
static int flush_stdout(struct err *e)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return err_sys(e, "write to standard output");
}

static void report(const struct invocation *in, const struct log_settings *log, const struct err *e)
{
	bool json = log->format == LOG_FORMAT_JSON;

	if (log_to_file() || json)
		log_line(LOG_LEVEL_ERROR, "%s", e->msg);
	if (log_to_file() || !json)
		fprintf(stderr, "%s: %s\n", in->program, e->msg);
}

static void report_usage(const struct invocation *in)
{
	if (in->command)
		fprintf(stderr, "See '%s %s --help'.\n", in->program, in->command->name);
	else
		fprintf(stderr, "See '%s --help'.\n", in->program);
}

int main(int argc, char **argv)
{
	const struct strings words = { (const char **)argv, (size_t)argc };
	auto_arena struct arena arena = { 0 };
	struct invocation in;
	struct log_settings log;
	struct err e = { 0 };
	int parsed, opened, status = -1;

	full_remember(argv);
	hold_standard_descriptors();
	parsed = invocation_parse(&in, &words, &arena, &e);
	log = globals_log(in.globals, in.personality);
	opened = log_open(&log, parsed < 0 ? NULL : &e);
	if (parsed >= 0 && opened >= 0 && settle_program(&in, argv, &e) == 0)
		status = run(&in, &arena, &e);
	if (status >= 0 && flush_stdout(&e) < 0)
		status = -1;
	if (status >= 0)
		return status;
	report(&in, &log, &e);
	if (parsed < 0)
		report_usage(&in);
	return in.failure_status;
}
