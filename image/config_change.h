/*
 * config_change.h - from an image's configuration to that of a new one on top of it. Pure.
 */
#ifndef HULL_IMAGE_CONFIG_CHANGE_H
#define HULL_IMAGE_CONFIG_CHANGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "image/documents.h"

/*
 * Carries out one instruction of a Dockerfile: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, USER,
 * VOLUME or WORKDIR, with a blank or "=" behind it. CMD and ENTRYPOINT are a JSON array of words, or a
 * line for /bin/sh -c; ENV and LABEL NAME=VALUE pairs with quotes as a shell has them, or NAME and the
 * rest of the line. Strings are in *a. -EINVAL.
 */
int image_run_change(struct image_run *run, const char *instruction, struct arena *a, struct err *e)
	MUST_CHECK;

/* One more layer, and how it came to be. */
struct image_step {
	const char *created;    /* RFC 3339 */
	const char *author;     /* NULL: the image keeps the one it has */
	const char *created_by; /* what made the layer */
	const char *comment;    /* NULL: none */
	struct digest diff_id;
};

/*
 * Writes the configuration `text` again with a layer more, and with `run`: its members take the
 * place of those of the same name. Whatever else is in it stays, known or not.
 */
int image_config_change(const char *name, const char *text, size_t size,
			const struct image_run *run, const struct image_step *step, struct buf *ret,
			struct err *e) MUST_CHECK;

#endif
