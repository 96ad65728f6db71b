/* image_json.h - an image as JSON, in Docker's words: what `hull image inspect` prints. Pure. */
#ifndef HULL_CLI_IMAGE_JSON_H
#define HULL_CLI_IMAGE_JSON_H

#include "base/json_write.h"
#include "image/store.h"

struct image_json {
	const struct image *image;
	const struct digest *index; /* of the index it was chosen from; NULL: of none */
	const char *name;           /* by which it was asked for; NULL: it has none */
	struct strings names;       /* all it has, as the store has them */
	const char *config;         /* its configuration's own text */
};

/*
 * An object. What an image does not have is "", empty or null, so that templates find each member;
 * Digest, Name, Layers and ImageConfig are hull's own.
 */
void image_json_write(struct json_writer *w, const struct image_json *i);

/* Docker's Healthcheck, also of containers. */
void image_json_healthcheck(struct json_writer *w, const struct image_healthcheck *c);

#endif
