/*
 * metrics.h - what containers use, in the text format of OpenMetrics 1.0
 * (github.com/OpenObservability/OpenMetrics), which Prometheus reads.
 *
 * The families are a table in metrics.c. A sample whose value isn't known, or
 * is no limit, is left out; a family without samples as well.
 */
#ifndef HULL_CLI_METRICS_H
#define HULL_CLI_METRICS_H

#include "base/buf.h"
#include "runtime/stats.h"

/* The whole exposition, up to its "# EOF". */
void metrics_text(struct buf *b, const struct stats_list *list);

#endif
