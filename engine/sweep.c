#include "engine/sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/scratch.h"
#include "engine/record.h"

/* Whether it is one of ours by its form, and there is no such container, not even one that is being made. */
static bool is_gone(const struct engine *g, const char *id)
{
	struct stat st;

	return strlen(id) == RECORD_ID_LEN && strspn(id, "0123456789abcdef") == RECORD_ID_LEN &&
	       fstatat(g->containers, id, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* A container's directory is made before its pin, so one without is nobody's. */
static int sweep_pins(const struct engine *g, struct arena *a, struct err *e)
{
	struct image_pins pins;

	TRY(image_store_pins(&g->store, a, &pins, e));
	for (size_t i = 0; i < pins.n; i++)
		if (is_gone(g, pins.at[i].name))
			TRY(image_store_unpin(&g->store, pins.at[i].name, e));
	return 0;
}

void sweep_containers(const struct engine *g)
{
	auto_arena struct arena a = { 0 };
	struct err e = { 0 };
	struct strings ids;

	if (record_list(g, &a, &ids, &e) < 0 || record_sweep_names(g, &e) < 0 ||
	    sweep_pins(g, &a, &e) < 0)
		log_warn("%s", e.msg);
}

void sweep_archives(const struct engine *g)
{
	scratch_sweep(g->dir, SWEEP_LOAD_PREFIX);
}
