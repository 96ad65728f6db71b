#include "cli/globals.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

static const struct personality personalities[] = {
	{ .name = "hull", .mode = MODE_HULL, .log_level = LOG_LEVEL_WARN },
	{ .name = "hull-oci", .mode = MODE_OCI, .log_level = LOG_LEVEL_ERROR },
	{ .name = "runc", .mode = MODE_OCI, .log_level = LOG_LEVEL_ERROR },
	{ .name = "crun", .mode = MODE_OCI, .log_level = LOG_LEVEL_ERROR },
	{ .name = "hull-vm", .mode = MODE_OCI, .log_level = LOG_LEVEL_ERROR, .isolation = "vm" },
};

const struct personality *personality_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(personalities); i++)
		if (strcmp(personalities[i].name, name) == 0)
			return &personalities[i];
	return &personalities[0];
}

static const struct option_row rows[] = {
	{ .name = "root",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct globals, root),
	  .argument = "DIR",
	  .help = "keep the state of containers in DIR (default: /run/hull, without root "
		  "$XDG_RUNTIME_DIR/hull)" },
	{ .name = "data-root",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct globals, data_root),
	  .argument = "DIR",
	  .help = "keep images, volumes and what containers change in DIR (default: /var/lib/hull, "
		  "without root ~/.local/share/hull)" },
	{ .name = "log",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct globals, log),
	  .argument = "FILE",
	  .help = "append messages to FILE; errors are still printed, too" },
	{ .name = "log-format",
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct globals, log_format),
	  .argument = "text|json",
	  .help = "write messages as text or as one JSON object a line (default: text)" },
	{ .name = "log-level",
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct globals, log_level),
	  .argument = "error|warn|warning|info|debug|trace",
	  .help = "how much to log (default: warning; as hull-oci: error)" },
	{ .name = "debug",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct globals, debug),
	  .help = "the same as --log-level debug" },
	{ .name = "cgroup-manager",
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct globals, cgroup_manager),
	  .argument = "cgroupfs|systemd|disabled",
	  .help = "who makes the cgroups (default: cgroupfs); systemd takes a linux.cgroupsPath of "
		  "slice:prefix:name" },
	{ .name = "isolation",
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct globals, isolation),
	  .argument = "process|vm",
	  .help = "what new containers are: processes of this host (default), or each a microVM "
		  "(default as hull-vm)" },
	{ .name = "systemd-cgroup",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct globals, systemd_cgroup),
	  .help = "the same as --cgroup-manager systemd" },
	{ .name = "rootless",
	  .kind = OPTION_CHOICE,
	  .use = OPTION_IGNORED,
	  .argument = "true|false|auto",
	  .help = "accepted for runc's callers; hull finds out by itself" },
	{ .name = "criu",
	  .kind = OPTION_STRING,
	  .use = OPTION_IGNORED,
	  .argument = "FILE",
	  .help = "accepted for runc's callers; has no effect" },
	{ .name = "version",
	  .letter = 'v',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct globals, version),
	  .help = "show the version" },
};

const struct option_table global_options = { rows, ARRAY_LEN(rows), sizeof(struct globals), NULL,
					     false };

struct log_settings globals_log(const struct globals *g, const struct personality *p)
{
	struct log_settings settings = { .level = p->log_level, .path = g->log };

	if (g->debug)
		settings.level = LOG_LEVEL_DEBUG;
	if (g->log_level && log_level_parse(g->log_level, &settings.level) < 0)
		assert(!"every choice of --log-level is a level");
	if (choice_is(g->log_format, "json"))
		settings.format = LOG_FORMAT_JSON;
	return settings;
}

bool globals_wants_systemd(const struct globals *g)
{
	return g->systemd_cgroup || choice_is(g->cgroup_manager, "systemd");
}

int globals_check_create(const struct globals *g, struct err *e)
{
	if (g->systemd_cgroup && g->cgroup_manager && !choice_is(g->cgroup_manager, "systemd"))
		return err_set(e, EINVAL,
			       "--systemd-cgroup and --cgroup-manager %s: give one of them",
			       g->cgroup_manager);
	return 0;
}

/* The initial user namespace maps every id to itself (user_namespaces(7)). */
static bool in_initial_user_namespace(void)
{
	unsigned inside, outside, count;
	char map[256];

	if (io_read_value(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map)) < 0)
		return true;
	return sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == 0 && count == UINT32_MAX;
}

void root_facts_read(struct root_facts *ret)
{
	ret->uid = geteuid();
	ret->initial_user_namespace = in_initial_user_namespace();
	ret->xdg_runtime_dir = getenv("XDG_RUNTIME_DIR");
}

int root_plan(const struct root_facts *facts, struct arena *a, const char **ret, struct err *e)
{
	const char *dir = facts->xdg_runtime_dir;
	bool usable = dir && dir[0] == '/'; /* the XDG specification: ignore relative ones */

	if (usable && !(facts->uid == 0 && facts->initial_user_namespace))
		*ret = arena_printf(a, "%s/hull", dir);
	else if (facts->uid == 0)
		*ret = "/run/hull";
	else
		return err_set(e, ENOENT,
			       "no place for the state of containers: set XDG_RUNTIME_DIR to a "
			       "directory of yours, or give --root DIR");
	return 0;
}
