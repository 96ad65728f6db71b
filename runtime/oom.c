#include "runtime/oom.h"

#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "cgroups/oom_log.h"
#include "cgroups/unit.h"

/* Accounting only: that it can't be read must not keep anybody from starting or deleting. */
static struct cgroup_oom read_oom(const struct cgroup *cg)
{
	struct cgroup_oom oom = { 0 };
	struct err e = { 0 };

	if (cg->fd >= 0 && cgroup_oom_read(cg->fd, cg->path, cg->unit != NULL, &oom, &e) < 0)
		log_warn("lack of memory can't be told: %s", e.msg);
	return oom;
}

void oom_remember(const struct cgroup *cg, struct state *state)
{
	const struct cgroup_oom oom = read_oom(cg);

	state->oom_kills = oom.kills;
	state->oom_own = oom.own;
	state->oom_within = oom.within;
}

/* What was counted since; not known if the start is not. */
static struct opt_u64 since(struct opt_u64 now, struct opt_u64 before)
{
	if (!now.set || !before.set || now.value < before.value)
		return (struct opt_u64){ 0 };
	return (struct opt_u64){ true, now.value - before.value };
}

/* When init began, by the clock of the kernel's log: it stands still while the machine sleeps. */
static uint64_t began_at(const struct state *state)
{
	struct timespec awake, all;
	int64_t slept, began;

	clock_gettime(CLOCK_MONOTONIC, &awake);
	clock_gettime(CLOCK_BOOTTIME, &all);
	slept = (int64_t)(all.tv_sec - awake.tv_sec) * 1000000 +
		(all.tv_nsec - awake.tv_nsec) / 1000;
	began = (int64_t)(state->pid_start * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK)) - slept;
	return began > 0 ? (uint64_t)began : 0;
}

/* Only what it names is known: it may have no report of a kill. */
static void ask_log(const struct cgroup *cg, pid_t init, struct state *state)
{
	auto_arena struct arena a = { 0 };
	struct oom_log log = { .path = state->cgroup, .init = init, .since = began_at(state) };

	if (cg->fd >= 0 || !state->unit || !state->cgroup)
		return;
	log.unit = unit_cgroup(&a, state->cgroup);
	oom_log_read(&log);
	state->oom_counted = log.found.kills.set;
	state->oom = log.found;
}

void oom_look(const struct cgroup *cg, pid_t init, struct state *state)
{
	struct cgroup_oom oom;

	if (!state->oom_kills.set)
		return;
	oom = read_oom(cg);
	if (!oom.kills.set)
		oom = state->last_oom;
	if (!oom.kills.set)
		ask_log(cg, init, state);
	else
		state->oom_counted = true;
	if (!oom.kills.set || oom.kills.value <= state->oom_kills.value)
		return;
	oom.kills.value -= state->oom_kills.value;
	oom.own = since(oom.own, state->oom_own);
	oom.within = since(oom.within, state->oom_within);
	state->oom = oom;
}

/* As people write limits, in the largest unit that is not below 1. */
static void put_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit < ARRAY_LEN(units) - 1; unit++)
		value /= 1024;
	buf_printf(b, "%.*f %s", unit == 0 ? 0 : 1, value, units[unit]);
}

bool oom_describe(const struct state *state, struct buf *b)
{
	static const char *const elsewhere[] = {
		[WHERE_BELOW] = ": not at its own limit, but at that of a cgroup below it",
		[WHERE_ABOVE] = ": not at its own limit, but at that of a cgroup above it, or of the "
				"machine",
		[WHERE_OWN] = NULL,
	};
	const struct cgroup_oom *oom = &state->oom;

	if (!oom->kills.set)
		return false;
	buf_printf(b, "the kernel killed %llu of its processes for lack of memory (OOM)",
		   (unsigned long long)oom->kills.value);
	if (elsewhere[cgroup_oom_where(oom)]) {
		buf_str(b, elsewhere[cgroup_oom_where(oom)]);
		return true;
	}
	if (oom->limit.set && oom->limit.value != CGROUP_NO_LIMIT) {
		buf_str(b, ": its limit is ");
		put_size(b, oom->limit.value);
	} else if (oom->limit.set) {
		buf_str(b, ": it has no limit of its own");
	}
	if (oom->peak.set) {
		buf_str(b, oom->limit.set ? ", its peak was " : ": its peak was ");
		put_size(b, oom->peak.value);
	}
	return true;
}

void oom_log(const struct state *state)
{
	auto_buf struct buf text = { 0 };

	if (oom_describe(state, &text))
		log_warn("container %s: %s", state->id, text.text);
}
