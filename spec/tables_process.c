/* tables_process.c - `process`, also on its own for `exec --process`: config.md. */
#include "spec/names.h"
#include "spec/tables.h"

JSON_TABLE(console_size_fields, struct spec_process) = {
	FIELD_U16(struct spec_process, "height", console_size.height, REQUIRED),
	FIELD_U16(struct spec_process, "width", console_size.width, REQUIRED),
	{ 0 },
};

/* The text requires uid and gid, the schema does not, and Go's decoder makes them 0. */
JSON_TABLE(user_fields, struct spec_user) = {
	FIELD_U32(struct spec_user, "uid", uid, 0),
	FIELD_U32(struct spec_user, "gid", gid, 0),
	FIELD_OPT_U32_IN(struct spec_user, "umask", umask, 0, 07777, 0),
	FIELD_U32_LIST(struct spec_user, "additionalGids", additional_gids, 0),
	FIELD_STRING(struct spec_user, "username", username, 0),
	{ 0 },
};

JSON_TABLE(capabilities_fields, struct spec_capabilities) = {
	FIELD_STRINGS(struct spec_capabilities, "bounding", bounding, 0),
	FIELD_STRINGS(struct spec_capabilities, "effective", effective, 0),
	FIELD_STRINGS(struct spec_capabilities, "permitted", permitted, 0),
	FIELD_STRINGS(struct spec_capabilities, "inheritable", inheritable, 0),
	FIELD_STRINGS(struct spec_capabilities, "ambient", ambient, 0),
	{ 0 },
};

JSON_TABLE(rlimit_fields, struct spec_rlimit) = {
	FIELD_ENUM(struct spec_rlimit, "type", resource, spec_rlimit_names, REQUIRED),
	FIELD_U64(struct spec_rlimit, "soft", soft, REQUIRED),
	FIELD_U64(struct spec_rlimit, "hard", hard, REQUIRED),
	{ 0 },
};

JSON_TABLE(scheduler_fields, struct spec_scheduler) = {
	FIELD_ENUM(struct spec_scheduler, "policy", policy, spec_sched_policy_names, REQUIRED),
	FIELD_I32_IN(struct spec_scheduler, "nice", nice, -20, 19, 0),
	FIELD_I32_IN(struct spec_scheduler, "priority", priority, 0, 99, 0),
	FIELD_FLAGS(struct spec_scheduler, "flags", flags, spec_sched_flag_names, 0),
	FIELD_U64(struct spec_scheduler, "runtime", runtime, 0),
	FIELD_U64(struct spec_scheduler, "deadline", deadline, 0),
	FIELD_U64(struct spec_scheduler, "period", period, 0),
	{ 0 },
};

JSON_TABLE(io_priority_fields, struct spec_io_priority) = {
	FIELD_ENUM(struct spec_io_priority, "class", class, spec_io_class_names, REQUIRED),
	FIELD_I32_IN(struct spec_io_priority, "priority", priority, 0, 7, 0),
	{ 0 },
};

JSON_TABLE(cpu_affinity_fields, struct spec_cpu_affinity) = {
	FIELD_STRING(struct spec_cpu_affinity, "initial", initial, 0),
	FIELD_STRING(struct spec_cpu_affinity, "final", final, 0),
	{ 0 },
};

const struct json_field spec_process_fields[] = {
	FIELD_BOOL(struct spec_process, "terminal", terminal, 0),
	FIELD_GROUP(struct spec_process, "consoleSize", console_size_fields, 0),
	FIELD_OBJECT(struct spec_process, "user", user, user_fields, 0),
	FIELD_STRINGS(struct spec_process, "args", args, REQUIRED),
	FIELD_IGNORED("commandLine"), /* Windows */
	FIELD_STRINGS(struct spec_process, "env", env, 0),
	FIELD_STRING(struct spec_process, "cwd", cwd, REQUIRED),
	FIELD_POINTER(struct spec_process, "capabilities", capabilities, capabilities_fields, 0),
	FIELD_LIST(struct spec_process, "rlimits", rlimits, rlimit_fields, 0),
	FIELD_BOOL(struct spec_process, "noNewPrivileges", no_new_privileges, 0),
	FIELD_OPT_I32_IN(struct spec_process, "oomScoreAdj", oom_score_adj, -1000, 1000, 0),
	FIELD_STRING(struct spec_process, "apparmorProfile", apparmor_profile, 0),
	FIELD_STRING(struct spec_process, "selinuxLabel", selinux_label, 0),
	FIELD_POINTER(struct spec_process, "scheduler", scheduler, scheduler_fields, 0),
	FIELD_POINTER(struct spec_process, "ioPriority", io_priority, io_priority_fields, 0),
	FIELD_POINTER(struct spec_process, "execCPUAffinity", exec_cpu_affinity,
		      cpu_affinity_fields, 0),
	{ 0 },
};
