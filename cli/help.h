/*
 * help.h - the tables of commands and options as text, for 80 columns.
 */
#ifndef HULL_CLI_HELP_H
#define HULL_CLI_HELP_H

#include "base/buf.h"
#include "cli/commands.h"

/* All commands and the global options; `program` is the name in the examples. */
void help_overview(struct buf *b, const char *program, enum mode mode);
void help_command(struct buf *b, const char *program, const struct command *command);

#endif
