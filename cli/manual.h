/*
 * manual.h - the parts of the manual pages that are made from the tables of
 * commands and options.
 *
 * Each stands in its page between two comment lines, "begin NAME: ..." and
 * "end NAME". cli/generate rewrites them; a unit test fails as long as one
 * differs from the tables.
 */
#ifndef HULL_CLI_MANUAL_H
#define HULL_CLI_MANUAL_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "cli/globals.h"

struct manual_part {
	const char *path; /* below the source directory */
	const char *name;
	enum mode mode;
	void (*write)(struct buf *b, enum mode mode);
};

/* The i-th part, NULL after the last one. */
const struct manual_part *manual_part_at(size_t i);

/* Adds `text`, the page that the part stands in, with the part made anew. */
int manual_update(const struct manual_part *part, const char *text, struct buf *ret, struct err *e)
	MUST_CHECK;

#endif
