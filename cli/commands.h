/*
 * commands.h - the table of commands.
 *
 * What hull can be told to do is the rows of commands.c: the parser, `help`,
 * the manual pages and the completions are all read from them. To add a
 * command, write cli/cmd_NAME.c, declare it in cmd.h, add its row, and run
 * cli/generate.
 */
#ifndef HULL_CLI_COMMANDS_H
#define HULL_CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/globals.h"
#include "cli/options.h"
#include "runtime/container.h"

/* One invocation, as a command sees it. */
struct call {
	enum mode mode;
	struct runtime runtime;
	const char *data_root;  /* --data-root, NULL: the usual place */
	struct options options; /* `values` is the struct of the command's option table */
	struct arena *arena;
	int *failure_status; /* exit status if it fails, where the command decides that */
};

struct command {
	const char *name;
	enum mode modes;       /* the names hull has it under; a name may have a row for each */
	const char *arguments; /* "ID [SIGNAL]" */
	const char *verbs;   /* what the first argument can be, "create|ls"; NULL: it is no verb */
	const char *help;    /* one line */
	const char *details; /* a paragraph */
	const struct option_table *options;
	size_t min_args, max_args;
	bool ordered;   /* options end where the arguments begin */
	bool stateless; /* needs no state directory */
	bool creates;   /* makes a container */
	bool enters; /* it makes a process in a container: hull then seals itself (security/seal.h) */
	bool takes_container; /* its first argument is one that exists */
	bool finds_container; /* the same, and it looks for it itself */
	bool opens_libraries; /* of systemd or CRIU: full.h */
	bool asks_systemd;    /* the same where it is the cgroup manager */
	bool hidden;          /* for programs: no help shows it */
	int failure_status;   /* exit status if it fails, 0: 1 */

	/* As hull-oci, --help succeeds only where this does: so engines ask; NULL: everywhere. */
	int (*works)(const struct runtime *rt, struct err *e);

	/* Returns the exit status, or a negative errno. */
	int (*run)(const struct call *call, struct err *e);
};

#define ARGS_MANY SIZE_MAX

/* The exit status for a command that does not exist, runc's. */
enum { STATUS_NO_COMMAND = 3 };

/* The rows that only people have; ends with a NULL name. */
extern const struct command people_commands[];

/* The i-th command of the mode, NULL after the last one. */
const struct command *command_at(enum mode mode, size_t i);
int command_find(enum mode mode, const char *name, const struct command **ret, struct err *e)
	MUST_CHECK;

#endif
