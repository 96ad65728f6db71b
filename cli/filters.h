/*
 * filters.h - which rows of a list --filter KEY=VALUE leaves. Each list has a table of its keys;
 * several values of one key are alternatives, but where all of them have to be there, as of label.
 */
#ifndef HULL_CLI_FILTERS_H
#define HULL_CLI_FILTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"

struct filter {
	const struct filter_row *row;
	const char *value;
	int64_t found; /* what its `read` made of the value */
	const char *text;
};

struct filter_row {
	const char *key;
	/* Whether what the list is about has this value. */
	bool (*matches)(const struct filter *f, const void *subject);
	/* -EINVAL: a wrong value. `ctx` is filters_read()'s. NULL: any will do. */
	int (*read)(struct filter *f, const void *ctx, struct arena *a, struct err *e);
	bool all;       /* each value has to match, not one of them */
	unsigned needs; /* bits of the list's own: what has to be known for it */
};

struct filter_table {
	const struct filter_row *rows;
	size_t n;
};

struct filters {
	LIST(struct filter) list;
	unsigned needs; /* of all of them */
};

/* Reads "KEY=VALUE"s. -EINVAL: it is none; or what a row's `read` says. */
int filters_read(const struct filter_table *table, const struct strings *texts, const void *ctx,
		 struct arena *a, struct filters *ret, struct err *e) MUST_CHECK;
/* Pure, if the rows are. */
bool filters_match(const struct filters *filters, const void *subject);

/* A `read` of values that are extended regular expressions, and whether a text has what one says. */
int filter_read_pattern(struct filter *f, const void *ctx, struct arena *a, struct err *e)
	MUST_CHECK;
bool filter_finds(const struct filter *f, const char *text);

/* A `read` of values that are true or false: `found` is 1 or 0. */
int filter_read_bool(struct filter *f, const void *ctx, struct arena *a, struct err *e) MUST_CHECK;

#endif
