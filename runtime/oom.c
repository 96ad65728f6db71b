#include "runtime/oom.h"

#include "base/buf.h"
#include "base/log.h"

/* Accounting only: that it can't be read must not keep anybody from starting or deleting. */
static struct cgroup_oom read_oom(const struct cgroup *cg)
{
	struct cgroup_oom oom = { 0 };
	struct err e = { 0 };

	if (cg->fd >= 0 && cgroup_oom_read(cg->fd, cg->path, &oom, &e) < 0)
		log_warn("lack of memory can't be told: %s", e.msg);
	return oom;
}

void oom_remember(const struct cgroup *cg, struct state *state)
{
	state->oom_kills = read_oom(cg).kills;
}

void oom_look(const struct cgroup *cg, struct state *state)
{
	struct cgroup_oom oom;

	if (!state->oom_kills.set)
		return;
	oom = read_oom(cg);
	state->oom_counted = oom.kills.set;
	if (!oom.kills.set || oom.kills.value <= state->oom_kills.value)
		return;
	oom.kills.value -= state->oom_kills.value;
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
	const struct cgroup_oom *oom = &state->oom;

	if (!oom->kills.set)
		return false;
	buf_printf(b, "the kernel killed %llu of its processes for lack of memory (OOM)",
		   (unsigned long long)oom->kills.value);
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
