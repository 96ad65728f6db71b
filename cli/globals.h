/*
 * globals.h - what holds for every command: the name hull was called by, the
 * options before the command, and the state directory that follows from both.
 */
#ifndef HULL_CLI_GLOBALS_H
#define HULL_CLI_GLOBALS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/options.h"
#include "runtime/container.h"

/* Whose words are spoken; commands say with a set of these where they exist. */
enum mode {
	MODE_HULL = 1, /* people */
	MODE_OCI = 2,  /* engines: runc's command line */
	MODE_BOTH = MODE_HULL | MODE_OCI
};

/* One of the names that the program answers to. */
struct personality {
	const char *name;
	enum mode mode;
	enum log_level log_level; /* unless an option says otherwise */
	const char *isolation;    /* of new containers, unless an option says otherwise; or NULL */
};

/* By the base name of argv[0]; a name that nobody knows is "hull". */
const struct personality *personality_find(const char *name);

struct globals {
	const char *root, *data_root, *log, *log_format, *log_level, *cgroup_manager, *isolation;
	bool debug, systemd_cgroup, version;
};

extern const struct option_table global_options;

struct log_settings globals_log(const struct globals *g, const struct personality *p);

/* --systemd-cgroup, in either form. */
bool globals_wants_systemd(const struct globals *g);

/* Refuses what is asked for twice, and differently. */
int globals_check_create(const struct globals *g, struct err *e) MUST_CHECK;

/* What the place of the state directory depends on. */
struct root_facts {
	uid_t uid;                   /* effective */
	bool initial_user_namespace; /* false: "root" here is an ordinary user outside */
	const char *xdg_runtime_dir; /* NULL: not set */
};

void root_facts_read(struct root_facts *ret);
int root_plan(const struct root_facts *facts, struct arena *a, const char **ret, struct err *e)
	MUST_CHECK;

#endif
