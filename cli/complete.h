/*
 * complete.h - what may stand at the cursor of a command line.
 *
 * The completions of bash, zsh and fish ask `hull __complete -- WORD...`, the
 * last word being typed, and get a line for each candidate: "WORD<tab>what it
 * is". Files are not listed: one line ":file" or ":directory" leaves them to
 * the shell.
 */
#ifndef HULL_CLI_COMPLETE_H
#define HULL_CLI_COMPLETE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/list.h"
#include "cli/globals.h"

struct completion {
	const char *typed; /* candidates begin with this */
	struct buf lines;
	bool containers;  /* the ids of containers are candidates, too, */
	const char *root; /* of this --root; NULL: of the usual one */
};

/* Looks at the words after the program's name, which must outlive *ret. */
void completion_plan(struct completion *ret, enum mode mode, const struct strings *words);

/* Adds a line for `word` if it can become the word being typed. */
void completion_add(struct completion *c, const char *word, const char *what);

void completion_done(struct completion *c);
#define auto_completion __attribute__((cleanup(completion_done)))

#endif
