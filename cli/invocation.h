/*
 * invocation.h - the whole command line: which name, which global options,
 * which command with what. Reads words and decides nothing else.
 */
#ifndef HULL_CLI_INVOCATION_H
#define HULL_CLI_INVOCATION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "cli/commands.h"
#include "cli/globals.h"
#include "cli/options.h"

struct invocation {
	const char *program; /* base name of argv[0] */
	const struct personality *personality;
	const struct globals *globals;
	const struct command *command; /* NULL: not known */
	struct options options;        /* of the command */
	int failure_status;            /* exit status if reading or the command fails */
};

/*
 * Reads `argv`. Asking for help or the version in any way becomes the command
 * of that name. Unlike elsewhere *ret is also filled on failure, as far as the
 * words could be read: the log of the failure is named there.
 */
int invocation_parse(struct invocation *ret, const struct strings *argv, struct arena *a,
		     struct err *e) MUST_CHECK;

#endif
