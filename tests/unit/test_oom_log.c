/* Kills for lack of memory: records of the kernel's log, and what is known by them. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/util.h"
#include "cgroups/oom_log.h"

#define OURS "/system.slice/hull-a.scope/container"
#define MEMORY(usage, limit) \
	"6,10,900,-;memory: usage " usage "kB, limit " limit "kB, failcnt 7\n SUBSYSTEM=memory\n"
#define KILL(time, oom, task, pid)                                                   \
	"6,11," time ",-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),"      \
	"cpuset=container,mems_allowed=0,oom_memcg=" oom ",task_memcg=" task ",task=" \
	"tail,pid=" pid ",uid=0\n"

static const struct {
	const char *path, *records[4];
	struct cgroup_oom found;
} rows[] = {
	{ OURS, { NULL }, { { 0 } } },
	{ OURS,
	  { MEMORY("16380", "16384"), KILL("1000", OURS, OURS, "5") },
	  { { true, 1 }, { true, 16777216 }, { true, 16773120 }, { true, 1 }, { true, 1 } } },
	/* the first process at any time, another one not before the container */
	{ OURS,
	  { KILL("10", OURS, OURS, "77") },
	  { .kills = { true, 1 }, .own = { true, 1 }, .within = { true, 1 } } },
	{ OURS, { KILL("999", OURS, OURS, "5") }, { { 0 } } },
	/* two of them, and the most that was used */
	{ OURS,
	  { MEMORY("30", "32"), KILL("1000", OURS, OURS, "5"), MEMORY("20", "64"),
	    KILL("1001", OURS, OURS, "6") },
	  { { true, 2 }, { true, 65536 }, { true, 30720 }, { true, 2 }, { true, 2 } } },
	/* below it; of others, whose names may begin like ours or end like it */
	{ OURS,
	  { KILL("1000", OURS "/x", OURS "/x", "5") },
	  { .kills = { true, 1 }, .within = { true, 1 } } },
	{ OURS, { KILL("1000", OURS "2", OURS "2", "77") }, { { 0 } } },
	{ OURS, { KILL("1000", "/a" OURS, "/a" OURS, "77") }, { { 0 } } },
	{ OURS,
	  { MEMORY("30", "32"), KILL("1000", OURS "/x", OURS "/x", "5") },
	  { .kills = { true, 1 }, .within = { true, 1 } } },
	/* the lack was of a slice: its limit is not ours */
	{ OURS,
	  { MEMORY("30", "32"), KILL("1000", "/system.slice", OURS, "5") },
	  { .kills = { true, 1 } } },
	/* somebody else's report in between */
	{ OURS,
	  { MEMORY("30", "32"), KILL("1000", "/b", "/b", "5"), KILL("1000", OURS, OURS, "5") },
	  { .kills = { true, 1 }, .own = { true, 1 }, .within = { true, 1 } } },
	/* a backslash, as in the units of ids that systemd escapes */
	{ "/s/hull-a\\x2fb.scope/container",
	  { KILL("1000", "/s/hull-a\\x5cx2fb.scope/container", "/s/hull-a\\x5cx2fb.scope/container",
		 "5") },
	  { .kills = { true, 1 }, .own = { true, 1 }, .within = { true, 1 } } },
	/* names that a container has chosen */
	{ OURS, { KILL("1000", "/b/a,task_memcg=" OURS ",task=x", "/b", "77") }, { { 0 } } },
	{ OURS,
	  { "6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=" OURS ",task_memcg=" OURS
	    ",task=a,pid=77,pid=5,uid=0\n" },
	  { { 0 } } },
	/* what a program writes to the log itself, and what is no such record */
	{ OURS, { "12" KILL(",1000", OURS, OURS, "77") }, { { 0 } } },
	{ OURS, { "6,1,2,-;oom-kill:constraint=CONSTRAINT_MEMCG\n" }, { { 0 } } },
	{ OURS, { "6,1,2,-;eth0: link up\n", "", ";", "6,1" }, { { 0 } } },
};

static void is_same(struct opt_u64 value, struct opt_u64 wanted, const char *what, size_t row)
{
	cr_expect_eq(value.set, wanted.set, "row %zu: %s", row, what);
	cr_expect_eq(value.value, wanted.value, "row %zu: %s: %llu", row, what,
		     (unsigned long long)value.value);
}

Test(oom_log, records_and_what_is_known)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct oom_log log = { .path = rows[i].path, .init = 77, .since = 1000 };

		for (size_t k = 0; k < ARRAY_LEN(rows[i].records) && rows[i].records[k]; k++)
			oom_log_take(&log, rows[i].records[k]);
		is_same(log.found.kills, rows[i].found.kills, "kills", i);
		is_same(log.found.limit, rows[i].found.limit, "limit", i);
		is_same(log.found.peak, rows[i].found.peak, "peak", i);
		cr_expect_eq(log.found.own.set, rows[i].found.kills.set);
		cr_expect_eq(log.found.own.value > 0, rows[i].found.own.value > 0, "row %zu", i);
		cr_expect_eq(log.found.within.value > 0, rows[i].found.within.value > 0, "row %zu",
			     i);
	}
}

/* The unit has the same limit, and more in it. */
Test(oom_log, the_units_own_limit)
{
	struct oom_log log = { .path = OURS, .unit = "/system.slice/hull-a.scope", .since = 1000 };

	oom_log_take(&log, MEMORY("30", "32"));
	oom_log_take(&log, KILL("1000", "/system.slice/hull-a.scope", OURS, "5"));
	is_same(log.found.kills, (struct opt_u64){ true, 1 }, "kills", 0);
	is_same(log.found.limit, (struct opt_u64){ true, 32768 }, "limit", 0);
	is_same(log.found.peak, (struct opt_u64){ true, 30720 }, "peak", 0);
}

/* A first process that is not known is not one without a pid. */
Test(oom_log, an_unknown_first_process)
{
	struct oom_log log = { .path = OURS, .since = 1000 };

	oom_log_take(&log, "6,1,2,-;oom-kill:constraint=C,task_memcg=" OURS ",task=a\n");
	cr_expect_not(log.found.kills.set);
}
