/*
 * engine.h - containers for people: made from images, named, kept, listed.
 *
 *	DATA/blobs, layers, pins ...      the images (image/store.h)
 *	DATA/containers/ID/container.json what was asked for (record.h), written once
 *	DATA/containers/ID/config.json    the OCI configuration made of it
 *	DATA/containers/ID/status.json    how it goes (record.h)
 *	DATA/containers/ID/rootfs         empty; the place where the root is mounted
 *	DATA/containers/ID/upper, work    what the container changes of its image
 *	DATA/containers/ID/log.jsonl      what it wrote (logs.h)
 *	DATA/containers/ID/hull-init      of --init: the program that is its pid 1
 *	DATA/containers/ID/health.json    what its health checks found (health.h)
 *	DATA/containers/ID/checkpoint     its processes, by CRIU (checkpoint.h)
 *	DATA/containers/ID/networks.json  which networks it is on, once that was changed (joins.h)
 *	DATA/containers/ID/lock           flock(2): held by who keeps it as long as it runs
 *	DATA/containers/ID/copying        flock(2): held by who writes to its files while it does not run (files.h)
 *	DATA/names/NAME -> ID             a symbolic link
 *	DATA/events.jsonl                 what happened to containers (happened.h)
 *	DATA/gone/ID                      what is known of a removed one, for a time (gone.h)
 *	DATA/volumes/NAME/_data           named volumes
 *
 * DATA is /var/lib/hull, or for a user ~/.local/share/hull. The running
 * container itself is one of runtime/container.h, its id the ID here, so that
 * all verbs of the runtime work on it.
 */
#ifndef HULL_ENGINE_ENGINE_H
#define HULL_ENGINE_ENGINE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "image/store.h"
#include "runtime/container.h"

struct engine {
	const struct runtime *rt;
	struct buf path; /* DATA, absolute */
	struct buf networks;
	int dir; /* DATA */
	int containers, names, volumes;
	struct image_store store;
	const char *network_path; /* where networks are kept, NULL: the usual place */
	bool rootless;            /* not root: a user namespace is ours to make */
};

/* clang-format off */
#define ENGINE_CLOSED \
	{ .dir = -1, .containers = -1, .names = -1, .volumes = -1, .store = IMAGE_STORE_CLOSED }
/* clang-format on */
#define auto_engine __attribute__((cleanup(engine_close)))

/* `data` is --data-root, NULL for the usual place. Makes what is missing. */
int engine_open(const struct runtime *rt, const char *data, struct engine *ret, struct err *e)
	MUST_CHECK;
void engine_close(struct engine *g);

#endif
