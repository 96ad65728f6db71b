#include "runtime/lookout.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "runtime/store.h"

void lookout_open(struct lookout *l, const struct cgroup *cg)
{
	if (!cg->unit || cg->fd < 0)
		return;
	l->fd = fcntl(cg->fd, F_DUPFD_CLOEXEC, 0);
	if (l->fd < 0) {
		log_warn("what limits do to container's cgroup %s can't be told: %s", cg->path,
			 err_text(errno));
		return;
	}
	l->path = arena_strdup(&l->arena, cg->path);
	l->events =
		openat(l->fd, "memory.events", O_RDONLY | O_CLOEXEC); /* or no such controller */
	lookout_look(l);
}

/* Its last numbers stay if it is gone meanwhile. */
static void read_oom(struct lookout *l)
{
	struct cgroup_oom oom = { 0 };
	struct err e = { 0 };

	if (cgroup_oom_read(l->fd, l->path, &oom, &e) < 0)
		log_debug("%s", e.msg);
	else if (oom.kills.set)
		l->oom = oom;
}

/* Reading it also makes poll(2) wait for the next change. A removed one would wake us for ever. */
void lookout_look(struct lookout *l)
{
	char text[1024];

	if (l->events < 0)
		return;
	if (pread(l->events, text, sizeof(text), 0) < 0)
		close_fd(&l->events);
	read_oom(l);
}

void lookout_last(struct lookout *l)
{
	struct cgroup_held held = { 0 };
	struct err e = { 0 };

	if (l->fd < 0)
		return;
	read_oom(l);
	if (cgroup_held_read(l->fd, l->path, &l->arena, &held, &e) < 0)
		log_debug("%s", e.msg);
	else
		l->held = held;
	close_fd(&l->events);
	close_fd(&l->fd);
}

static bool knows(const struct lookout *l)
{
	return l->oom.kills.set || l->held.refused.set || l->held.throttled.set ||
	       l->held.waited.set;
}

static int save(const struct lookout *l, const struct runtime *rt, const char *id, struct err *e)
{
	auto_fd int root = store_open_root(rt->root, false, e), dir = -1;
	auto_state struct state state = { 0 };

	TRY(root);
	dir = store_open(root, id, e);
	TRY(dir);
	TRY(store_lock(dir, id, e));
	TRY(store_load_state(dir, id, &state, e));
	state.last_oom = l->oom;
	state.last_held = l->held;
	return store_save_state(dir, &state, e);
}

void lookout_save(const struct lookout *l, const struct runtime *rt, const char *id)
{
	struct err e = { 0 };
	int r = knows(l) ? save(l, rt, id, &e) : 0;

	/* Somebody may have deleted it already. */
	if (r < 0 && r != -ENOENT)
		log_warn("what limits did to container %s is not kept: %s", id, e.msg);
}

void lookout_close(struct lookout *l)
{
	close_fd(&l->events);
	close_fd(&l->fd);
	arena_done(&l->arena);
	*l = (struct lookout)LOOKOUT_NONE;
}
