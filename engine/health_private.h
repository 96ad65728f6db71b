/* health_private.h - between the two files of health.h. */
#ifndef HULL_ENGINE_HEALTH_PRIVATE_H
#define HULL_ENGINE_HEALTH_PRIVATE_H

#include "engine/health.h"

/* Takes a result into account on disk; *ret_changed is what it has become by that, or HEALTH_NONE. */
int health_note(int dir, const struct image_healthcheck *check, const struct health_result *result,
		int *ret_changed, struct err *e) MUST_CHECK;

#endif
