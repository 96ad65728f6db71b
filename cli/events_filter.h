/* events_filter.h - which events --filter leaves. Pure. */
#ifndef HULL_CLI_EVENTS_FILTER_H
#define HULL_CLI_EVENTS_FILTER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/list.h"

struct events_filter {
	const struct events_filter_row *row;
	const char *value;
};

/* Several values of one key are alternatives, but of label, which all have to be there. */
struct events_filters {
	LIST(struct events_filter) list;
};

/* Reads "KEY=VALUE"s. -EINVAL: it is none. */
int events_filters_read(const struct strings *texts, struct arena *a, struct events_filters *ret,
			struct err *e) MUST_CHECK;
/* `event` is as happened_write() has it. */
bool events_filters_match(const struct events_filters *filters, const struct json *event);

#endif
