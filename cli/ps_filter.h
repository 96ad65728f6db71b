/* ps_filter.h - what `hull ps` knows of a container, and which of them --filter leaves. */
#ifndef HULL_CLI_PS_FILTER_H
#define HULL_CLI_PS_FILTER_H

#include "cli/filters.h"
#include "engine/containers.h"
#include "engine/mounted.h"

struct ps_entry {
	struct arena arena;
	struct container_view view;
	size_t place;            /* among all containers, the one made last first */
	struct strings networks; /* names, or what --network was */
	struct mounted_list mounts;
	const char *ports; /* those that are published now, in words */
};
/*
 * All of one container but its place, in a zeroed *ret; `needs` says whether its mounts (PS_MOUNTS) and all its
 * networks (PS_NETWORKS) are looked for. One whose networks can't be told is told of all the same. -ENOENT: it
 * is gone.
 */
int ps_entry_read(const struct engine *g, const char *id, unsigned needs, struct ps_entry *ret,
		  struct err *e) MUST_CHECK;
void ps_entry_done(struct ps_entry *entry);
#define auto_ps_entry __attribute__((cleanup(ps_entry_done)))

/* What `needs` of its rows is about. */
enum {
	PS_STOPPED = 1, /* containers that may not run are looked at, too, as Docker does */
	PS_MOUNTS = 2,
	PS_NETWORKS = 4,
};

/* What its rows read values with. */
struct ps_filter_facts {
	const struct engine *g;
	struct strings ids; /* of all containers, the one made last first */
};

/*
 * Of struct ps_entry, read with struct ps_filter_facts. before and since of a container that is not there
 * are -ENOENT.
 */
extern const struct filter_table ps_filters;

#endif
