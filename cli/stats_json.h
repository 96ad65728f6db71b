/*
 * stats_json.h - events in the shape of runc, as go-runc decodes them.
 *
 *	{"type":"stats","id":"ID","data":{"cpu":{...},"memory":{...},...}}
 *	{"type":"oom","id":"ID","data":{"memory":{...}}}
 *
 * Members are runc's (its types/events.go): times in nanoseconds, sizes in
 * bytes, no limit as 2^64 - 1, memory.swap including memory as in cgroup v1.
 * What isn't known is left out. Ours beyond them: memory.events, memory.high,
 * pids.max (the peak) and pids.events, blkio.io with all of io.stat, a hugetlb
 * size's limit, and the data of "oom".
 */
#ifndef HULL_CLI_STATS_JSON_H
#define HULL_CLI_STATS_JSON_H

#include "base/buf.h"
#include "runtime/stats.h"

/* Appends such a line, with its newline. */
void stats_json(struct buf *b, const struct container_stats *stats);
void oom_json(struct buf *b, const struct container_stats *stats);

#endif
