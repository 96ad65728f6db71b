/* push.h - an image to a registry. */
#ifndef HULL_ENGINE_PUSH_H
#define HULL_ENGINE_PUSH_H

#include "engine/pull.h"

/*
 * Gives `image` to the registry that `to` names (NULL: the image's own name), under that name. What
 * the registry has already is not sent again, and what another of its repositories has (as names in the
 * store say) it is asked to take from there. *ret is the manifest's digest.
 */
int push_image(const struct engine *g, const char *image, const char *to,
	       const struct pull_options *o, struct digest *ret, struct err *e) MUST_CHECK;

#endif
