/* ps_filter.h - what `hull ps` knows of a container, and which of them --filter leaves. */
#ifndef HULL_CLI_PS_FILTER_H
#define HULL_CLI_PS_FILTER_H

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
void ps_entry_done(struct ps_entry *entry);
#define auto_ps_entry __attribute__((cleanup(ps_entry_done)))

struct ps_filter {
	const struct ps_filter_row *row;
	const char *value;
	const char *image_id; /* of ancestor, if that is an image here; else NULL */
	size_t place;         /* of the container that before and since name */
};

/* Several values of one key are alternatives, but of label, which all have to be there. */
struct ps_filters {
	LIST(struct ps_filter) list;
	bool of_stopped;             /* one of them is about containers that may not run */
	bool of_mounts, of_networks; /* those have to be known */
};

/*
 * Reads "KEY=VALUE"s; `ids` are those of all containers. -EINVAL: it is none; -ENOENT: of a
 * container that is not there.
 */
int ps_filters_read(const struct engine *g, const struct strings *ids, const struct strings *texts,
		    struct arena *a, struct ps_filters *ret, struct err *e) MUST_CHECK;

/* Pure. */
bool ps_filters_match(const struct ps_filters *filters, const struct ps_entry *entry);

#endif
