/* events_filter.h - what the events say, and which of them --filter leaves. Pure. */
#ifndef HULL_CLI_EVENTS_FILTER_H
#define HULL_CLI_EVENTS_FILTER_H

#include "base/json.h"
#include "cli/filters.h"

/* Of events as happened_write() has them, struct json. */
extern const struct filter_table events_filters;

/* The text, or number, of a member; "": there is none. */
const char *event_text(const struct json *event, const char *key);

#endif
