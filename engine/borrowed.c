#include "engine/borrowed.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/containers.h"

enum { NAMESPACES = 5 }; /* at most: network, pid, ipc, uts and, without root, the user namespace */

const char *borrowed_note(const struct engine *g, struct record *r, const char *file,
			  const char *id)
{
	if (!r->borrowed.at)
		r->borrowed.at = arena_array(&r->arena, NAMESPACES, sizeof(*r->borrowed.at));
	assert(r->borrowed.n < NAMESPACES);
	r->borrowed.at[r->borrowed.n++] = arena_printf(&r->arena, "%s=%s", file, id);
	return arena_printf(&r->arena, "%s/containers/%s/ns-%s", g->path.text, r->id, file);
}

static int point(int dir, const char *file, pid_t pid, struct err *e)
{
	char name[32], path[64];

	snprintf(name, sizeof(name), "ns-%s", file);
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, file);
	if ((unlinkat(dir, name, 0) < 0 && errno != ENOENT) || symlinkat(path, dir, name) < 0)
		return err_sys(e, "make %s in the container's directory", name);
	return 0;
}

static int find(const struct engine *g, int dir, const char *file, const char *id, struct err *e)
{
	struct container_view view;
	pid_t pid;
	int r = engine_view(g, id, &view, e);

	if (r == -ENOENT)
		return err_set(
			e, ENOENT,
			"its %s namespace was to be that of container %.*s, which is no more", file,
			RECORD_SHORT, id);
	TRY(r);
	pid = view.pid;
	r = pid ? 0
		: err_set(e, ESRCH, "its %s namespace is that of container %s, which does not run",
			  file, view.record.name);
	container_view_done(&view);
	TRY(r);
	return point(dir, file, pid, e);
}

int borrowed_find(const struct engine *g, int dir, const struct record *r, struct err *e)
{
	for (size_t i = 0; i < r->borrowed.n; i++) {
		const char *text = r->borrowed.at[i], *equals = strchr(text, '=');
		char file[16];

		/* Our own file says so; what it gets is only the name of a link beside it. */
		if (!equals || (size_t)(equals - text) >= sizeof(file) ||
		    memchr(text, '/', (size_t)(equals - text)))
			return err_set(e, EINVAL,
				       "container.json: borrowed: expected NAMESPACE=ID");
		snprintf(file, sizeof(file), "%.*s", (int)(equals - text), text);
		TRY(find(g, dir, file, equals + 1, e));
	}
	return 0;
}
