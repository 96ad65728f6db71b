/*
 * stats.h - what the files of a cgroup say about its use of the machine.
 *
 *	struct cgroup_stats stats;
 *
 *	TRY(cgroup_stats_read(cg.fd, cg.path, &arena, &stats, e));
 *	v = cgroup_stat(&stats.cpu, "usage_usec");
 *	if (v.set) ...
 *
 * A file that isn't there, because its controller isn't or the kernel is too
 * old, leaves its member unset: never 0. Which files there are and how each is
 * read is a table in stats.c. All memory is the arena's.
 */
#ifndef HULL_CGROUPS_STATS_H
#define HULL_CGROUPS_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_decode.h"
#include "base/list.h"

/* The value of a limit that is "max". */
#define CGROUP_NO_LIMIT UINT64_MAX

struct stat_pair {
	const char *key;
	uint64_t value;
};

/* A flat keyed file, or a line of a nested keyed one: "KEY VALUE" each, in the file's order. */
struct stat_pairs {
	bool known; /* the file is there */
	struct stat_pair *at;
	size_t n;
};

/* Pressure stall information: shares of time in percent, and microseconds in total. */
struct psi_line {
	bool known;
	double avg10, avg60, avg300;
	uint64_t total;
};

struct psi {
	struct psi_line some, full;
};

struct io_device {
	uint32_t major, minor;
	struct stat_pairs values; /* "rbytes", "wbytes", "rios", ... */
};

struct hugetlb_stats {
	const char *size; /* "2MB" */
	struct opt_u64 current, max;
	struct stat_pairs events;
};

struct cgroup_stats {
	struct stat_pairs cpu; /* cpu.stat, times in microseconds; there without a controller */
	struct psi cpu_psi;

	struct opt_u64 memory, memory_peak, memory_max, memory_high; /* bytes */
	struct opt_u64 swap, swap_peak, swap_max;                    /* without memory */
	struct stat_pairs memory_stat, memory_events;
	struct psi memory_psi;

	struct opt_u64 pids, pids_peak, pids_max;
	struct stat_pairs pids_events;

	LIST(struct io_device) io;
	bool io_known;
	struct psi io_psi;

	LIST(struct hugetlb_stats) hugetlb; /* by size as text */
};

/* Reads them all; `path` is for messages. One that was removed has no files: cpu.stat isn't known. */
int cgroup_stats_read(int dirfd, const char *path, struct arena *a, struct cgroup_stats *ret,
		      struct err *e) MUST_CHECK;

/* The value of a key, unset if the file or the key isn't there. */
struct opt_u64 cgroup_stat(const struct stat_pairs *pairs, const char *key);

/*
 * What became of the memory of a cgroup, for those who look into an end:
 * processes that were killed for lack of it, its limit and its peak. A member
 * is unset where its file is missing.
 */
struct cgroup_oom {
	struct opt_u64 kills, limit, peak;
	/* How often memory ran out at its own limit, and at that or one of a cgroup below it. */
	struct opt_u64 own, within;
};

/* Whose limit it was; that of the whole machine is above. */
enum cgroup_where { WHERE_UNKNOWN, WHERE_OWN, WHERE_BELOW, WHERE_ABOVE };

enum cgroup_where cgroup_oom_where(const struct cgroup_oom *oom);

/*
 * All unset if the cgroup was removed. `in_unit`: the cgroup above it has the same limit (unit.h), and what ran
 * out there counts as here.
 */
int cgroup_oom_read(int dirfd, const char *path, bool in_unit, struct cgroup_oom *ret,
		    struct err *e) MUST_CHECK;

/*
 * Where limits held a cgroup back, for the same. What has a limit to name is
 * counted; a member is unset where its file is missing or nothing is limited.
 */
struct cgroup_held {
	struct opt_u64 refused, pids_limit; /* forks that a limit of processes refused */
	struct opt_u64 refused_here;        /* ... its own limit, where the kernel tells (6.11) */
	bool refused_below;                 /* ... none of them, so those of cgroups below it */
	struct opt_u64 throttled, periods;  /* periods in which the CPU time was used up, of all */
	uint64_t quota, period;   /* cpu.max, microseconds; quota may be CGROUP_NO_LIMIT */
	struct opt_u64 waited;    /* microseconds in which some process waited for I/O */
	struct strings io_limits; /* of io.max what is limited: "8:0 rbps=1048576 wiops=9" */
};

/* All unset if the cgroup was removed. *ret is the arena's. */
int cgroup_held_read(int dirfd, const char *path, struct arena *a, struct cgroup_held *ret,
		     struct err *e) MUST_CHECK;

/*
 * The parsers; `text` ends with a NUL. They return 0, or -EBADMSG with the
 * number of the line in *ret_line.
 */
int stats_parse_flat(const char *text, struct arena *a, struct stat_pairs *ret, size_t *ret_line)
	MUST_CHECK;
int stats_parse_nested(const char *text, struct arena *a, struct cgroup_stats *ret,
		       size_t *ret_line) MUST_CHECK;
int stats_parse_psi(const char *text, struct psi *ret, size_t *ret_line) MUST_CHECK;
int stats_parse_value(const char *text, struct opt_u64 *ret) MUST_CHECK; /* a number or "max" */

#endif
