/*
 * idrange.h - --userns auto: a range of the host's ids that one container has for itself.
 *
 * Which are to be had is said by /etc/subuid and /etc/subgid, in the lines of the user "hull", or else
 * "containers" (Podman's convention). Which are taken is said by DATA/containers/ID/userns, one for
 * each container that has any: so they are free again when its directory is gone, however that came.
 */
#ifndef HULL_ENGINE_IDRANGE_H
#define HULL_ENGINE_IDRANGE_H

#include "engine/engine.h"
#include "spec/spec.h"

enum { IDRANGE_SIZE = 65536 };

struct idrange {
	uint32_t uid, gid, count; /* the first of each; count 0: none */
};

/* NULL, "host", "" : *ret_count 0. "auto", "auto:size=N": so many. */
int idrange_parse(const char *text, uint32_t *ret_count, struct err *e) MUST_CHECK;

/* Pure: the lowest offset into `all` at which `count` of both are free; -ENOSPC. */
int idrange_choose(const struct idrange *all, const struct idrange *taken, size_t n, uint32_t count,
		   struct idrange *ret);

/* Takes `count` of them for the container whose directory is `dir`. */
int idrange_take(const struct engine *g, int dir, uint32_t count, struct idrange *ret,
		 struct err *e) MUST_CHECK;

/* The maps of a user namespace with them, in *a. */
void idrange_maps(const struct idrange *r, struct arena *a, struct spec_idmaps *ret_uids,
		  struct spec_idmaps *ret_gids);

#endif
