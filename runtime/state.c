#include "runtime/state.h"

#include <errno.h>

#include "base/json_decode.h"
#include "base/json_write.h"

/* Goes up when an older hull could misread what a newer one writes. */
enum { STATE_VERSION = 1 };

static const char *const status_names[] = {
	[STATE_CREATING] = "creating", [STATE_CREATED] = "created", [STATE_RUNNING] = "running",
	[STATE_PAUSED] = "paused",     [STATE_STOPPED] = "stopped",
};

/* What is in the file beside the state itself. */
struct stored {
	uint32_t version;
	struct state state;
};

JSON_TABLE(last_fields, struct state) = {
	FIELD_OPT_U64(struct state, "oomKills", last_oom.kills, 0),
	FIELD_OPT_U64(struct state, "oomOwn", last_oom.own, 0),
	FIELD_OPT_U64(struct state, "oomWithin", last_oom.within, 0),
	FIELD_OPT_U64(struct state, "memoryLimit", last_oom.limit, 0),
	FIELD_OPT_U64(struct state, "memoryPeak", last_oom.peak, 0),
	FIELD_OPT_U64(struct state, "forksRefused", last_held.refused, 0),
	FIELD_OPT_U64(struct state, "forksRefusedHere", last_held.refused_here, 0),
	FIELD_OPT_U64(struct state, "pidsLimit", last_held.pids_limit, 0),
	FIELD_OPT_U64(struct state, "cpuThrottled", last_held.throttled, 0),
	FIELD_OPT_U64(struct state, "cpuPeriods", last_held.periods, 0),
	FIELD_U64(struct state, "cpuQuota", last_held.quota, 0),
	FIELD_U64(struct state, "cpuPeriod", last_held.period, 0),
	FIELD_OPT_U64(struct state, "ioWaited", last_held.waited, 0),
	FIELD_STRINGS(struct state, "ioLimits", last_held.io_limits, 0),
	{ 0 },
};

JSON_TABLE(state_fields, struct state) = {
	FIELD_STRING(struct state, "id", id, REQUIRED),
	FIELD_STRING(struct state, "ociVersion", oci_version, REQUIRED),
	FIELD_STRING(struct state, "bundle", bundle, REQUIRED),
	FIELD_STRING(struct state, "rootfs", rootfs, REQUIRED),
	FIELD_STRING(struct state, "created", created, REQUIRED),
	FIELD_STRING(struct state, "cgroup", cgroup, 0),
	FIELD_STRING(struct state, "rdtClass", rdt.name, 0),
	FIELD_STRING(struct state, "rdtMonitor", rdt.monitor, 0),
	FIELD_BOOL(struct state, "rdtMade", rdt.made, 0),
	FIELD_STRING(struct state, "cgroupDriver", cgroup_driver, 0),
	FIELD_STRING(struct state, "unit", unit, 0),
	FIELD_OPT_BOOL(struct state, "unitUser", unit_user, 0),
	FIELD_U64(struct state, "cgroupInode", cgroup_inode, 0),
	FIELD_U32(struct state, "cgroupMade", cgroup_made, 0),
	FIELD_STRING(struct state, "executor", executor, 0),
	FIELD_U32(struct state, "owner", owner, REQUIRED),
	FIELD_I32_IN(struct state, "pid", pid, 0, INT32_MAX, REQUIRED),
	FIELD_U64(struct state, "pidStart", pid_start, REQUIRED),
	FIELD_BOOL(struct state, "ready", ready, REQUIRED),
	FIELD_OPT_U64(struct state, "oomKills", oom_kills, 0),
	FIELD_OPT_U64(struct state, "oomOwn", oom_own, 0),
	FIELD_OPT_U64(struct state, "oomWithin", oom_within, 0),
	FIELD_OPT_U64(struct state, "forksRefused", held_before.refused, 0),
	FIELD_OPT_U64(struct state, "forksRefusedHere", held_before.refused_here, 0),
	FIELD_OPT_U64(struct state, "cpuThrottled", held_before.throttled, 0),
	FIELD_OPT_U64(struct state, "cpuPeriods", held_before.periods, 0),
	FIELD_OPT_U64(struct state, "ioWaited", held_before.waited, 0),
	FIELD_GROUP(struct state, "last", last_fields, 0),
	FIELD_STRING_MAP(struct state, "annotations", annotations, key, value, 0),
	{ 0 },
};

JSON_TABLE(version_fields, struct stored) = {
	FIELD_U32(struct stored, "version", version, REQUIRED),
	{ 0 },
};

const char *state_status_name(enum state_status status)
{
	return status_names[status];
}

void state_done(struct state *s)
{
	arena_done(&s->arena);
	*s = (struct state){ 0 };
}

static void write_annotations(struct json_writer *w, const struct state *s)
{
	if (s->annotations.n == 0)
		return;
	json_write_object(w, "annotations");
	for (size_t i = 0; i < s->annotations.n; i++)
		json_write_string(w, s->annotations.at[i].key, s->annotations.at[i].value);
	json_write_end(w);
}

/* What was counted before the start, if anybody counted. */
static void write_counted(struct json_writer *w, const char *key, const struct opt_u64 *value)
{
	if (value->set)
		json_write_uint(w, key, value->value);
}

static void write_last(struct json_writer *w, const struct state *s)
{
	const struct cgroup_held *held = &s->last_held;

	if (!s->last_oom.kills.set && !held->refused.set && !held->throttled.set &&
	    !held->waited.set)
		return;
	json_write_object(w, "last");
	write_counted(w, "oomKills", &s->last_oom.kills);
	write_counted(w, "oomOwn", &s->last_oom.own);
	write_counted(w, "oomWithin", &s->last_oom.within);
	write_counted(w, "memoryLimit", &s->last_oom.limit);
	write_counted(w, "memoryPeak", &s->last_oom.peak);
	write_counted(w, "forksRefused", &held->refused);
	write_counted(w, "forksRefusedHere", &held->refused_here);
	write_counted(w, "pidsLimit", &held->pids_limit);
	write_counted(w, "cpuThrottled", &held->throttled);
	write_counted(w, "cpuPeriods", &held->periods);
	json_write_uint(w, "cpuQuota", held->quota);
	json_write_uint(w, "cpuPeriod", held->period);
	write_counted(w, "ioWaited", &held->waited);
	json_write_strings(w, "ioLimits", &held->io_limits);
	json_write_end(w);
}

void state_encode(const struct state *s, struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);

	json_write_object(&w, NULL);
	json_write_uint(&w, "version", STATE_VERSION);
	json_write_string(&w, "id", s->id);
	json_write_string(&w, "ociVersion", s->oci_version);
	json_write_string(&w, "bundle", s->bundle);
	json_write_string(&w, "rootfs", s->rootfs);
	json_write_string(&w, "created", s->created);
	if (s->cgroup)
		json_write_string(&w, "cgroup", s->cgroup);
	if (s->rdt.name) {
		json_write_string(&w, "rdtClass", s->rdt.name);
		if (s->rdt.monitor)
			json_write_string(&w, "rdtMonitor", s->rdt.monitor);
		json_write_bool(&w, "rdtMade", s->rdt.made);
	}
	if (s->cgroup_driver)
		json_write_string(&w, "cgroupDriver", s->cgroup_driver);
	if (s->unit)
		json_write_string(&w, "unit", s->unit);
	if (s->unit && s->unit_user.set)
		json_write_bool(&w, "unitUser", s->unit_user.value);
	if (s->cgroup_inode)
		json_write_uint(&w, "cgroupInode", s->cgroup_inode);
	if (s->cgroup_made)
		json_write_uint(&w, "cgroupMade", s->cgroup_made);
	if (s->executor)
		json_write_string(&w, "executor", s->executor);
	json_write_uint(&w, "owner", s->owner);
	json_write_int(&w, "pid", s->pid);
	json_write_uint(&w, "pidStart", s->pid_start);
	json_write_bool(&w, "ready", s->ready);
	write_counted(&w, "oomKills", &s->oom_kills);
	write_counted(&w, "oomOwn", &s->oom_own);
	write_counted(&w, "oomWithin", &s->oom_within);
	write_counted(&w, "forksRefused", &s->held_before.refused);
	write_counted(&w, "forksRefusedHere", &s->held_before.refused_here);
	write_counted(&w, "cpuThrottled", &s->held_before.throttled);
	write_counted(&w, "cpuPeriods", &s->held_before.periods);
	write_counted(&w, "ioWaited", &s->held_before.waited);
	write_last(&w, s);
	write_annotations(&w, s);
	json_write_end(&w);
}

int state_decode(const struct buf *text, struct state *ret, struct err *e)
{
	auto_json struct json_doc doc = { .name = "state.json",
					  .text = text->text,
					  .size = text->len };
	auto_state struct state s = { 0 };
	struct stored stored = { 0 };
	struct json_decoder d = { .doc = &doc, .arena = &s.arena, .err = e };

	TRY(json_parse(&doc, &s.arena, e));
	TRY(json_decode(&d, doc.root, version_fields, &stored));
	if (stored.version > STATE_VERSION)
		return err_set(e, ENOTSUP,
			       "state.json has version %u and this hull knows %d: use the newer "
			       "hull that wrote it",
			       stored.version, STATE_VERSION);
	TRY(json_decode(&d, doc.root, state_fields, &s));
	*ret = s;
	s = (struct state){ 0 };
	return 0;
}

void state_encode_oci(const struct state *s, struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);

	json_write_object(&w, NULL);
	json_write_string(&w, "ociVersion", s->oci_version);
	json_write_string(&w, "id", s->id);
	json_write_string(&w, "status", state_status_name(s->status));
	if (s->pid > 0)
		json_write_int(&w, "pid", s->pid);
	json_write_string(&w, "bundle", s->bundle);
	write_annotations(&w, s);
	json_write_end(&w);
}
