/*
 * happened.h - what happened to containers, images, volumes and networks: DATA/events.jsonl, a JSON
 * object a line in Docker's words, appended by whoever does it, without a lock. At MAX bytes the file
 * becomes events.jsonl.1, in place of the one before it.
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

/* What happened to something that is no container. */
struct happening {
	const char *type;   /* "image", "volume" or "network" */
	const char *action; /* "pull" */
	const char *id;     /* an image's digest, or a name */
	struct spec_pairs attributes;
};
void happened_beside(const struct engine *g, const struct happening *h);
/* To an image: `id` is its own, or for "pull" and "push" the name with its tag. */
void happened_image(const struct engine *g, const char *action, const char *id, const char *name);

/*
 * Pure: their lines, to be added one behind the other and noted at once, which costs no more than one of
 * them. `when` is in nanoseconds; labels that are called as one of `more` (NULL: none) are left out.
 */
void happened_write(const struct record *r, const char *action, const struct spec_pairs *more,
		    int64_t when, struct buf *ret);
void happening_write(const struct happening *h, int64_t when, struct buf *ret);
void happened_note(const struct engine *g, const struct buf *lines);
int64_t happened_now(void);

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
