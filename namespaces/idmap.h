/*
 * idmap.h - which ids of the host a user namespace sees (user_namespaces(7)).
 *
 * With CAP_SETUID and CAP_SETGID in our user namespace we write the maps
 * ourselves. Without, newuidmap(1) and newgidmap(1) write what /etc/subuid and
 * /etc/subgid grant us, except for the one map that everybody may write: our
 * own id alone.
 */
#ifndef HULL_NAMESPACES_IDMAP_H
#define HULL_NAMESPACES_IDMAP_H

#include <sys/types.h>

#include "base/err.h"
#include "spec/spec.h"

/* Writes both maps of the user namespace of `pid`, which must be a child of ours. */
int idmap_write(pid_t pid, const struct spec_idmaps *uids, const struct spec_idmaps *gids,
		struct err *e) MUST_CHECK;

/* Pure: the host's id for a container's; -ERANGE when it has none. */
int idmap_to_host(const struct spec_idmaps *maps, uint32_t id, uint32_t *ret) MUST_CHECK;

/* Pure: the text of a map file, "inside outside count\n" per range. */
struct buf;
void idmap_format(const struct spec_idmaps *maps, struct buf *ret);

#endif
