#include "runtime/held.h"

#include "base/buf.h"
#include "base/log.h"

/* Accounting only: that it can't be read must not keep anybody from starting or deleting. */
static struct cgroup_held read_held(const struct cgroup *cg, struct arena *a)
{
	struct cgroup_held held = { 0 };
	struct err e = { 0 };

	if (cg->fd >= 0 && cgroup_held_read(cg->fd, cg->path, a, &held, &e) < 0)
		log_warn("what its limits did can't be told: %s", e.msg);
	return held;
}

void held_remember(const struct cgroup *cg, struct state *state)
{
	auto_arena struct arena a = { 0 };

	if (cg->fd >= 0 && cg->made == 0) {
		state->held_before = read_held(cg, &a);
		state->held_before.io_limits = (struct strings){ 0 };
	}
}

/* What was counted since; unset if that is nothing, or if the start is not known. */
static struct opt_u64 since(struct opt_u64 now, struct opt_u64 before, bool made)
{
	if (!now.set || (!made && !before.set) || now.value <= before.value)
		return (struct opt_u64){ 0 };
	return (struct opt_u64){ true, now.value - before.value };
}

void held_look(const struct cgroup *cg, struct state *state)
{
	const struct cgroup_held *before = &state->held_before;
	const bool made = state->cgroup_made > 0;
	struct cgroup_held now;

	if (state->status != STATE_STOPPED)
		return;
	now = read_held(cg, &state->arena);
	if (!now.refused.set && !now.throttled.set && !now.waited.set)
		now = state->last_held; /* it went with its unit; or there is nothing of it */
	if (now.refused_here.set && (made || before->refused_here.set))
		now.refused_below = now.refused_here.value <= before->refused_here.value;
	now.refused = since(now.refused, before->refused, made);
	now.throttled = since(now.throttled, before->throttled, made);
	now.periods = since(now.periods, before->periods, made);
	now.waited = since(now.waited, before->waited, made);
	state->held = now;
}

/* The sentence's next part. */
static void next(struct buf *b, size_t begun)
{
	if (b->len > begun)
		buf_str(b, "; ");
}

static void describe_pids(const struct cgroup_held *held, struct buf *b)
{
	if (!held->refused.set)
		return;
	buf_printf(b, "the kernel refused %llu of its forks",
		   (unsigned long long)held->refused.value);
	if (held->refused_below)
		buf_str(b, ": not at its own limit, but at that of a cgroup below it");
	else if (held->pids_limit.set && held->pids_limit.value != CGROUP_NO_LIMIT)
		buf_printf(b, ": its limit is %llu processes",
			   (unsigned long long)held->pids_limit.value);
	else if (held->pids_limit.set)
		buf_str(b, ": it has no limit of its own");
}

/* 1500000: "1.5 s" */
static void put_time(struct buf *b, uint64_t microseconds)
{
	if (microseconds >= 1000000)
		buf_printf(b, "%.1f s", (double)microseconds / 1e6);
	else
		buf_printf(b, "%.1f ms", (double)microseconds / 1e3);
}

static void describe_cpu(const struct cgroup_held *held, struct buf *b, size_t begun)
{
	if (!held->throttled.set)
		return;
	next(b, begun);
	buf_printf(b, "it used up its CPU time in %llu", (unsigned long long)held->throttled.value);
	if (held->periods.set)
		buf_printf(b, " of %llu", (unsigned long long)held->periods.value);
	buf_str(b, " periods");
	if (held->quota == CGROUP_NO_LIMIT)
		return; /* lifted meanwhile */
	buf_str(b, ": its limit is ");
	put_time(b, held->quota);
	buf_str(b, " in each ");
	put_time(b, held->period);
}

/* The kernel does not count what io.max delays; it counts all waiting, so that is what is said. */
static void describe_io(const struct cgroup_held *held, struct buf *b, size_t begun)
{
	if (!held->waited.set)
		return;
	next(b, begun);
	buf_str(b, "it waited for I/O for ");
	put_time(b, held->waited.value);
	buf_str(b, ": its limits are ");
	for (size_t i = 0; i < held->io_limits.n; i++)
		buf_printf(b, "%s%s", i ? ", " : "", held->io_limits.at[i]);
}

bool held_describe(const struct state *state, struct buf *b)
{
	const size_t begun = b->len;

	describe_pids(&state->held, b);
	describe_cpu(&state->held, b, begun);
	describe_io(&state->held, b, begun);
	return b->len > begun;
}

void held_log(const struct state *state)
{
	auto_buf struct buf text = { 0 };

	if (!held_describe(state, &text))
		return;
	if (state->held.refused.set)
		log_warn("container %s: %s", state->id, text.text);
	else
		log_info("container %s: %s", state->id, text.text);
}
