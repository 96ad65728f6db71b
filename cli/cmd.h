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

extern const struct option_table no_options, checkpoint_options, create_options, restore_options,
	delete_options, doctor_options, events_options, exec_options, kill_options, list_options,
	network_options, plan_options, ps_options, run_options, spec_options, stats_options,
	update_options;

/* Of commands_people.c. */
extern const struct option_table attach_options, commit_options, cp_options, export_options,
	checkpoint_common_options, fsck_options, history_options, image_options, images_options,
	import_options, info_options, inspect_options, load_options, logs_options,
	people_checkpoint_options, people_events_options, people_exec_options, people_kill_options,
	people_ps_options, people_restore_options, people_start_options, people_update_options,
	prune_options, pull_options, push_options, rm_options, rmi_options, run_image_options,
	save_options, stop_options, volume_options, why_options;

struct events_values {
	bool stats;
	const char *interval;
};

/* The options of `create`; those of `run` begin with them. */
struct create_values {
	struct create_request request;
};

/* The options of `restore`; those of `checkpoint` are a struct checkpoint_request. */
struct restore_values {
	struct create_values create;
	struct criu_options criu;
	const char *lsm_profile, *lsm_mount_context;
	bool detach, tcp_close;
};

/* What they ask for, for the container `id`. */
struct create_request create_values_request(const struct create_values *values, const char *id);

/* What `list` prints. */
int list_containers(const struct runtime *rt, const char *format, bool quiet, struct err *e);

int cmd_attach(const struct call *call, struct err *e);
int cmd_checkpoint(const struct call *call, struct err *e);
int cmd_commit(const struct call *call, struct err *e);
int cmd_complete(const struct call *call, struct err *e);
int cmd_cp(const struct call *call, struct err *e);
int cmd_create(const struct call *call, struct err *e);
int cmd_delete(const struct call *call, struct err *e);
int cmd_diff(const struct call *call, struct err *e);
int cmd_doctor(const struct call *call, struct err *e);
int cmd_events(const struct call *call, struct err *e);
int cmd_people_events(const struct call *call, struct err *e);
int cmd_exec(const struct call *call, struct err *e);
int cmd_export(const struct call *call, struct err *e);
int cmd_features(const struct call *call, struct err *e);
int cmd_fsck(const struct call *call, struct err *e);
int cmd_healthcheck(const struct call *call, struct err *e);
int cmd_help(const struct call *call, struct err *e);
int cmd_history(const struct call *call, struct err *e);
int cmd_image(const struct call *call, struct err *e);
int cmd_images(const struct call *call, struct err *e);
int cmd_import(const struct call *call, struct err *e);
int cmd_info(const struct call *call, struct err *e);
int cmd_inspect(const struct call *call, struct err *e);
int cmd_kill(const struct call *call, struct err *e);
int cmd_people_checkpoint(const struct call *call, struct err *e);
int cmd_people_restore(const struct call *call, struct err *e);
int cmd_people_kill(const struct call *call, struct err *e);
int cmd_list(const struct call *call, struct err *e);
int cmd_load(const struct call *call, struct err *e);
int cmd_logs(const struct call *call, struct err *e);
int cmd_metrics(const struct call *call, struct err *e);
int cmd_network(const struct call *call, struct err *e);
int cmd_pause(const struct call *call, struct err *e);
int cmd_people_ps(const struct call *call, struct err *e);
int cmd_people_start(const struct call *call, struct err *e);
int cmd_people_update(const struct call *call, struct err *e);
int cmd_profile(const struct call *call, struct err *e);
int cmd_prune(const struct call *call, struct err *e);
int cmd_plan(const struct call *call, struct err *e);
int cmd_port(const struct call *call, struct err *e);
int cmd_ps(const struct call *call, struct err *e);
int cmd_pull(const struct call *call, struct err *e);
int cmd_push(const struct call *call, struct err *e);
int cmd_rename(const struct call *call, struct err *e);
int cmd_restart(const struct call *call, struct err *e);
int cmd_restore(const struct call *call, struct err *e);
int cmd_resume(const struct call *call, struct err *e);
int cmd_rm(const struct call *call, struct err *e);
int cmd_rmi(const struct call *call, struct err *e);
int cmd_run(const struct call *call, struct err *e);
int cmd_run_image(const struct call *given, struct err *e);
int cmd_save(const struct call *call, struct err *e);
int cmd_spec(const struct call *call, struct err *e);
int cmd_start(const struct call *call, struct err *e);
int cmd_state(const struct call *call, struct err *e);
int cmd_stop(const struct call *call, struct err *e);
int cmd_tag(const struct call *call, struct err *e);
int cmd_top(const struct call *call, struct err *e);
int cmd_stats(const struct call *call, struct err *e);
int cmd_update(const struct call *call, struct err *e);
int cmd_version(const struct call *call, struct err *e);
int cmd_volume(const struct call *call, struct err *e);
int cmd_wait(const struct call *call, struct err *e);
int cmd_why(const struct call *call, struct err *e);

#endif
