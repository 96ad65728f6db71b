#include "runtime/lookout.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "runtime/store.h"

/*
 * Wait for 50 ms of any 2 s, which is what a user may ask for
 * (Documentation/accounting/psi.rst of the kernel).
 */
#define STALLED "some 50000 2000000"

static const struct watched {
	const char *name, *limit; /* limit: it tells something only if this file has one */
} watched[LOOKOUT_FILES] = {
	{ "memory.events", NULL },
	{ "pids.events", NULL },
	{ "cpu.pressure", "cpu.max" },
	{ "io.pressure", "io.max" },
};

static bool is_limited(int dir, const char *file)
{
	char text[1024];
	int r = io_read_value(dir, file, text, sizeof(text));

	/* "max 100000", or a line for each device with a limit */
	return r == -EOVERFLOW || (r == 0 && *text && strncmp(text, "max", 3) != 0);
}

/* -1: there is no such file, as not every cgroup has every controller, or nothing to hear of it. */
static int open_watched(int dir, const struct watched *w)
{
	auto_fd int fd = -1;

	if (w->limit && !is_limited(dir, w->limit))
		return -1;
	fd = openat(dir, w->name, (w->limit ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd >= 0 && w->limit && write(fd, STALLED, sizeof(STALLED)) < 0) {
		log_debug("write \"" STALLED "\" to %s: %s", w->name, err_text(errno));
		return -1;
	}
	return take_fd(&fd);
}

static int wait_for_changes(struct lookout *l)
{
	struct epoll_event change = { .events = EPOLLPRI };

	l->events = epoll_create1(EPOLL_CLOEXEC);
	if (l->events < 0)
		return -errno;
	for (size_t i = 0; i < LOOKOUT_FILES; i++) {
		l->files[i] = open_watched(l->fd, &watched[i]);
		if (l->files[i] >= 0 &&
		    epoll_ctl(l->events, EPOLL_CTL_ADD, l->files[i], &change) < 0)
			return -errno;
	}
	return 0;
}

void lookout_open(struct lookout *l, const struct cgroup *cg)
{
	int r;

	if (!cg->unit || cg->fd < 0)
		return;
	l->fd = fcntl(cg->fd, F_DUPFD_CLOEXEC, 0);
	r = l->fd < 0 ? -errno : wait_for_changes(l);
	if (r < 0)
		log_warn("what limits do to container's cgroup %s can't be told: %s", cg->path,
			 err_text(-r));
	l->path = arena_strdup(&l->arena, cg->path);
	lookout_look(l);
}

/* Its last numbers stay if it is gone meanwhile. */
static void read_oom(struct lookout *l)
{
	struct cgroup_oom oom = { 0 };
	struct err e = { 0 };

	if (cgroup_oom_read(l->fd, l->path, true, &oom, &e) < 0)
		log_debug("%s", e.msg);
	else if (oom.kills.set)
		l->oom = oom;
}

static bool holds(const struct cgroup_held *held)
{
	return held->refused.set || held->throttled.set || held->waited.set;
}

static void read_held(struct lookout *l)
{
	struct arena a = { 0 };
	struct cgroup_held held = { 0 };
	struct err e = { 0 };

	if (cgroup_held_read(l->fd, l->path, &a, &held, &e) < 0)
		log_debug("%s", e.msg);
	if (e.code || !holds(&held)) {
		arena_done(&a);
		return;
	}
	arena_done(&l->held_arena);
	l->held_arena = a;
	l->held = held;
}

/* Reading a file also makes it wait for its next change. A removed one would wake us for ever. */
void lookout_look(struct lookout *l)
{
	char text[1024];

	if (l->fd < 0)
		return;
	for (size_t i = 0; i < LOOKOUT_FILES; i++)
		if (l->files[i] >= 0 && pread(l->files[i], text, sizeof(text), 0) < 0)
			close_fd(&l->files[i]);
	read_oom(l);
	read_held(l);
}

static void stop_looking(struct lookout *l)
{
	for (size_t i = 0; i < LOOKOUT_FILES; i++)
		close_fd(&l->files[i]);
	close_fd(&l->events);
	close_fd(&l->fd);
}

void lookout_last(struct lookout *l)
{
	if (l->fd < 0)
		return;
	read_held(l);
	read_oom(l);
	stop_looking(l);
}

static bool knows(const struct lookout *l)
{
	return l->oom.kills.set || holds(&l->held);
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
	stop_looking(l);
	arena_done(&l->held_arena);
	arena_done(&l->arena);
	*l = (struct lookout)LOOKOUT_NONE;
}
