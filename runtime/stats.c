#include "runtime/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"
#include "runtime/executor.h"
#include "runtime/store.h"

/* Is its network namespace another than ours? What may not be looked at is not counted. */
static bool has_own_network(int proc, pid_t pid)
{
	struct stat ours, its;
	char path[32];

	snprintf(path, sizeof(path), "%d/ns/net", (int)pid);
	return fstatat(proc, "self/ns/net", &ours, 0) == 0 && fstatat(proc, path, &its, 0) == 0 &&
	       (ours.st_dev != its.st_dev || ours.st_ino != its.st_ino);
}

static bool is_alive(const struct handle *h)
{
	struct pollfd fd = { .fd = h->pidfd, .events = POLLIN };

	return h->pidfd >= 0 && poll(&fd, 1, 0) == 0;
}

/* By pid; that it still meant the same process is asked afterwards. */
static int read_network(const struct handle *h, struct arena *a, struct container_stats *stats,
			struct err *e)
{
	auto_fd int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct net_counters_list list = { 0 };
	int r;

	if (proc < 0)
		return err_sys(e, "open /proc");
	if (h->pidfd < 0 || !has_own_network(proc, h->state.pid))
		return 0;
	r = net_counters_read(proc, h->state.pid, a, &list, e);
	if (!is_alive(h) || r == -ENOENT)
		return 0;
	TRY(r);
	stats->has_network = true;
	stats->interfaces = list;
	return 0;
}

static int read_stats(const struct handle *h, struct arena *a, struct container_stats *ret,
		      struct err *e)
{
	struct container_stats stats = {
		.id = arena_strdup(a, h->id),
		.status = h->state.status,
		.taken = io_now_us(),
	};

	if (h->cgroup.fd >= 0) {
		TRY(cgroup_stats_read(h->cgroup.fd, h->cgroup.path, a, &stats.cgroup, e));
		stats.has_cgroup = stats.cgroup.cpu.known; /* each cgroup has a cpu.stat */
	}
	if (h->executor->stats)
		h->executor->stats(h, &stats.cgroup);
	TRY(read_network(h, a, &stats, e));
	*ret = stats;
	return 0;
}

int container_stats(const struct runtime *rt, const char *id, struct arena *a,
		    struct container_stats *ret, struct err *e)
{
	auto_handle struct handle h = HANDLE_NONE;

	TRY(handle_open(&h, rt, id, e));
	if (!h.begun)
		return err_set(e, ENOENT, "container does not exist"); /* yet */
	return read_stats(&h, a, ret, e);
}

int container_stats_all(const struct runtime *rt, struct arena *a, struct stats_list *ret,
			struct err *e)
{
	auto_fd int root = store_open_root(rt->root, false, e);
	struct stats_list list = { 0 };
	struct strings ids;

	*ret = list;
	if (root == -ENOENT)
		return 0;
	TRY(root);
	TRY(store_list(root, a, &ids, e));
	list.at = arena_array(a, ids.n, sizeof(*list.at));
	for (size_t i = 0; i < ids.n; i++) {
		struct err one = { 0 };
		int r = container_stats(rt, ids.at[i], a, &list.at[list.n], &one);

		if (r == 0)
			list.n++;
		else if (r != -ENOENT) /* a broken one must not hide the others */
			log_warn("container %s: %s", ids.at[i], one.msg);
	}
	*ret = list;
	return 0;
}

/* Reading it also makes poll(2) wait for the next change. -ENOENT: removed, or no such key. */
static int read_kills(struct watch *w, uint64_t *ret)
{
	auto_arena struct arena a = { 0 };
	struct stat_pairs pairs;
	struct opt_u64 kills;
	char text[1024];
	ssize_t n = pread(w->events, text, sizeof(text) - 1, 0);
	size_t line;

	if (n < 0)
		return -errno;
	text[n] = '\0';
	TRY(stats_parse_flat(text, &a, &pairs, &line));
	kills = cgroup_stat(&pairs, "oom_kill");
	if (!kills.set)
		return -ENOENT;
	*ret = kills.value;
	return 0;
}

static int open_events(struct watch *w, struct err *e)
{
	int r;

	w->events = openat(w->handle.cgroup.fd, "memory.events", O_RDONLY | O_CLOEXEC);
	if (w->events < 0 && errno == ENOENT) {
		log_warn("container %s: lack of memory can't be told: its cgroup has no memory "
			 "controller",
			 w->handle.id);
		return 0;
	}
	r = w->events < 0 ? -errno : read_kills(w, &w->kills);
	return r < 0 ? err_neg(e, r, "watch %s/memory.events", w->handle.cgroup.path) : 0;
}

int watch_open(struct watch *w, const struct runtime *rt, const char *id, int64_t interval,
	       struct err *e)
{
	struct handle *h = &w->handle;

	TRY(handle_open(h, rt, id, e));
	/* runc's words. */
	if (!h->begun || h->pidfd < 0)
		return err_set(e, ESRCH, "container with id %s is not running", id);
	if (h->cgroup.fd < 0)
		return err_set(e, ENOTSUP, "watch container %s: it has no cgroup of its own", id);
	if (interval > 0)
		TRY(open_events(w, e));
	w->interval = interval;
	w->next = io_now_us() + interval;
	return 0;
}

/* 1 if there are more than before. A cgroup that was removed counts no more. */
static int more_kills(struct watch *w, struct err *e)
{
	uint64_t now;
	int r = w->events < 0 ? -ENODEV : read_kills(w, &now);

	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return err_neg(e, r, "read %s/memory.events", w->handle.cgroup.path);
	if (now <= w->kills)
		return 0;
	w->kills = now;
	return 1;
}

int watch_next(struct watch *w, struct err *e)
{
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = w->handle.pidfd, .events = POLLIN },
			{ .fd = w->events, .events = POLLPRI },
		};
		int64_t left = (w->next - io_now_us() + 999) / 1000;
		int r = poll(fds, ARRAY_LEN(fds),
			     left < 0           ? 0
			     : left > INT32_MAX ? INT32_MAX
						: (int)left);

		if (r < 0 && errno != EINTR)
			return err_sys(e, "wait for container %s", w->handle.id);
		/* An end for lack of memory is counted before it is an end. */
		r = more_kills(w, e);
		if (r != 0)
			return r < 0 ? r : WATCH_OOM;
		if (fds[0].revents)
			return WATCH_END;
		if (io_now_us() >= w->next) {
			w->next += w->interval;
			if (w->next <= io_now_us()) /* we were stopped, or nobody read */
				w->next = io_now_us() + w->interval;
			return WATCH_TICK;
		}
		if (fds[1].revents & POLLERR && w->events >= 0 && !fds[0].revents) {
			/* A counter other than ours changed, or all was removed: don't spin. */
			if (poll(fds, 1, 10) > 0)
				return WATCH_END;
		}
	}
}

int watch_stats(struct watch *w, struct arena *a, struct container_stats *ret, struct err *e)
{
	return read_stats(&w->handle, a, ret, e);
}

void watch_close(struct watch *w)
{
	close_fd(&w->events);
	handle_close(&w->handle);
}
