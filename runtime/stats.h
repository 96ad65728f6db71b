/*
 * stats.h - what a container uses, now and as it goes on.
 *
 *	TRY(container_stats(rt, id, &arena, &stats, e));
 *
 *	auto_watch struct watch w = WATCH_NONE;
 *
 *	TRY(watch_open(&w, rt, id, interval, e));
 *	while ((r = watch_next(&w, e)) != WATCH_END)
 *		...                               WATCH_TICK, WATCH_OOM, < 0
 */
#ifndef HULL_RUNTIME_STATS_H
#define HULL_RUNTIME_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroups/stats.h"
#include "network/counters.h"
#include "runtime/container.h"
#include "runtime/handle.h"

struct container_stats {
	const char *id;
	const char *name; /* NULL here: for who knows it by another name, too */
	enum state_status status;
	bool has_cgroup; /* false: `cgroup` is all unset */
	struct cgroup_stats cgroup;
	bool has_network; /* it has a network namespace other than ours */
	struct net_counters_list interfaces;
	int64_t taken; /* when: io_now_us() */
};

/*
 * A stopped container has a status and, as long as it is not deleted, what is
 * left of its cgroup. A container without a cgroup is no failure.
 */
int container_stats(const struct runtime *rt, const char *id, struct arena *a,
		    struct container_stats *ret, struct err *e) MUST_CHECK;

struct stats_list {
	struct container_stats *at;
	size_t n;
};

/* Of all containers of the root, sorted by id, in *a. One that is broken is logged, no failure. */
int container_stats_all(const struct runtime *rt, struct arena *a, struct stats_list *ret,
			struct err *e) MUST_CHECK;

enum watch_event { WATCH_END, WATCH_TICK, WATCH_OOM };

struct watch {
	struct handle handle;
	int events; /* memory.events, -1: there is no memory controller */
	uint64_t kills;
	int64_t interval, next; /* microseconds */
};

/* clang-format off */
#define WATCH_NONE { .handle = HANDLE_NONE, .events = -1 }
/* clang-format on */
#define auto_watch __attribute__((cleanup(watch_close)))

/*
 * Refuses a container that isn't running (-ESRCH) or has no cgroup (-ENOTSUP).
 * `interval` is in microseconds; 0 if there will be no watch_next().
 */
int watch_open(struct watch *w, const struct runtime *rt, const char *id, int64_t interval,
	       struct err *e) MUST_CHECK;

/*
 * Waits for what comes next: WATCH_TICK when an interval is over, WATCH_OOM
 * when the kernel killed processes of the container for lack of memory, and
 * WATCH_END when its first process has ended, after the last WATCH_OOM. What was
 * counted last is lost if the cgroup is removed at once, as `run` does; the log
 * and the state tell it in any case (oom.h).
 */
int watch_next(struct watch *w, struct err *e) MUST_CHECK;

/* What it uses now. */
int watch_stats(struct watch *w, struct arena *a, struct container_stats *ret, struct err *e)
	MUST_CHECK;

void watch_close(struct watch *w);

#endif
