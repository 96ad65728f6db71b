/*
 * cmd.h - what the rows of commands.c name: of each cli/cmd_NAME.c its
 * function and its table of options.
 */
#ifndef HULL_CLI_CMD_H
#define HULL_CLI_CMD_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "runtime/container.h"

extern const struct option_table no_options, create_options, delete_options, exec_options,
	kill_options, list_options, ps_options, run_options, spec_options, update_options;

/* The options of `create`; those of `run` begin with them. */
struct create_values {
	struct create_request request;
};

/* What they ask for, for the container `id`. */
struct create_request create_values_request(const struct create_values *values, const char *id);

/* What `list` prints. */
int list_containers(const struct runtime *rt, const char *format, bool quiet, struct err *e);

int cmd_complete(const struct call *call, struct err *e);
int cmd_create(const struct call *call, struct err *e);
int cmd_delete(const struct call *call, struct err *e);
int cmd_exec(const struct call *call, struct err *e);
int cmd_features(const struct call *call, struct err *e);
int cmd_help(const struct call *call, struct err *e);
int cmd_kill(const struct call *call, struct err *e);
int cmd_list(const struct call *call, struct err *e);
int cmd_pause(const struct call *call, struct err *e);
int cmd_ps(const struct call *call, struct err *e);
int cmd_resume(const struct call *call, struct err *e);
int cmd_run(const struct call *call, struct err *e);
int cmd_run_image(const struct call *call, struct err *e);
int cmd_spec(const struct call *call, struct err *e);
int cmd_start(const struct call *call, struct err *e);
int cmd_state(const struct call *call, struct err *e);
int cmd_update(const struct call *call, struct err *e);
int cmd_version(const struct call *call, struct err *e);

#endif
