#include "engine/mounted.h"

#include <string.h>

#include "base/io.h"
#include "engine/record.h"
#include "engine/volumes.h"
#include "spec/spec.h"

/* Files that hull itself mounts, as /etc/hosts. */
static bool is_own(const struct engine *g, const char *id, const char *source, struct arena *a)
{
	const char *dir = arena_printf(a, "%s/containers/%s/", g->path.text, id);

	return strncmp(source, dir, strlen(dir)) == 0;
}

int mounted_read(const struct engine *g, const char *id, struct arena *a, struct mounted_list *ret,
		 struct err *e)
{
	auto_record struct record record = { 0 };
	auto_spec struct spec spec = { 0 };
	auto_fd int dir = record_open(g, id, &record, e);

	TRY(dir);
	TRY(record_read_spec(dir, &spec, e));
	*ret = (struct mounted_list){ arena_array(a, spec.mounts.n, sizeof(*ret->at)), 0 };
	for (size_t i = 0; i < spec.mounts.n; i++) {
		const struct spec_mount *m = &spec.mounts.at[i];

		if (!m->source || !m->type || strcmp(m->type, "bind") != 0 ||
		    is_own(g, id, m->source, a))
			continue;
		ret->at[ret->n++] = (struct mounted){ .volume = volume_of_source(g, m->source, a),
						      .source = arena_strdup(a, m->source),
						      .target = arena_strdup(a, m->destination) };
	}
	return 0;
}
