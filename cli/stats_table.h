/*
 * stats_table.h - what containers use, for people: columns as Docker has them.
 *
 * Shares of CPU need two samples; a container that has none before has none.
 */
#ifndef HULL_CLI_STATS_TABLE_H
#define HULL_CLI_STATS_TABLE_H

#include <stdint.h>

#include "base/buf.h"
#include "runtime/stats.h"

/*
 * `machine_memory` in bytes stands for the limit that isn't there; `format` is a template, or "table",
 * or NULL. -EINVAL: the template names a field that is not there.
 */
int stats_table(struct buf *b, const struct stats_list *before, const struct stats_list *now,
		uint64_t machine_memory, const char *format, struct err *e) MUST_CHECK;

/* A line of JSON for each: numbers, in bytes and percent; what isn't known is left out. */
void stats_lines(struct buf *b, const struct stats_list *before, const struct stats_list *now,
		 uint64_t machine_memory);

#endif
