/*
 * happened.h - what happened to containers: DATA/events.jsonl, a JSON object a line in Docker's
 * words, appended by whoever does it, without a lock. At MAX bytes the file becomes events.jsonl.1,
 * in place of the one before it.
 */
#ifndef HULL_ENGINE_HAPPENED_H
#define HULL_ENGINE_HAPPENED_H

#include <stdint.h>

#include "base/json.h"
#include "engine/engine.h"
#include "engine/record.h"

#define HAPPENED_FILE "events.jsonl"

enum { HAPPENED_MAX = 1024 * 1024 };

/*
 * Notes that `action` ("start") happened to the container; `key`, if there is one, and `value` say
 * more of it. What was done is done: that it can't be noted is no failure.
 */
void happened(const struct engine *g, const struct record *r, const char *action, const char *key,
	      const char *value);
/* The same of one whose record is not known, or may have another name by now. */
void happened_to(const struct engine *g, const char *id, const char *action, const char *key,
		 const char *value);

/* Pure: the line. `when` is in nanoseconds. */
void happened_write(const struct record *r, const char *action, const char *key, const char *value,
		    int64_t when, struct buf *ret);

struct happened_query {
	int64_t since, until; /* nanoseconds; -1: from now on; to no end */
};

/*
 * Calls `tell` with each that was asked for, `when` it happened with it, until there is no more before
 * `until`; a non-zero answer ends it.
 */
int happened_read(const struct engine *g, const struct happened_query *q,
		  int (*tell)(const struct json *event, int64_t when, void *ctx, struct err *e),
		  void *ctx, struct err *e) MUST_CHECK;

#endif
