/*
 * checkpoint_archive.h - a container with its checkpoint as one file, to be taken elsewhere: a tar of
 *
 *	hull-checkpoint.json      the form of the archive, and where DATA was
 *	container.json, config.json, hosts, hostname, resolv.conf, networks.json, hull-init
 *	                          as they are in the container's directory
 *	checkpoint/               the same; and in it
 *	checkpoint/changes.tar    what the container changed of its image, as a layer
 *
 * The image has to be in the store where it is restored; volumes are no part of it. Like a bundle an
 * archive says what its container is and may do: it has to come from somebody who is trusted.
 */
#ifndef HULL_ENGINE_CHECKPOINT_ARCHIVE_H
#define HULL_ENGINE_CHECKPOINT_ARCHIVE_H

#include "engine/containers.h"

#define CHECKPOINT_HEAD "hull-checkpoint.json"
#define CHECKPOINT_CHANGES "changes.tar"
enum { CHECKPOINT_FORM = 1 };

/* Whether it could be written for this container. */
int checkpoint_export_check(const struct record *r, struct err *e) MUST_CHECK;

/*
 * Writes it; `dir` is the container's, and `images` the name in it of what becomes "checkpoint". The
 * container does not run, or is paused. `file` is there when it is whole.
 */
int checkpoint_export(const struct engine *g, int dir, const struct record *r, const char *images,
		      const char *file, struct err *e) MUST_CHECK;

/* Makes a container of it, called `name` (NULL: as it was). On failure nothing is left. */
int checkpoint_import(const struct engine *g, const char *file, const char *name,
		      struct making *ret, struct err *e) MUST_CHECK;

#endif
