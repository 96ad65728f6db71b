#include <criterion/criterion.h>
#include <sys/resource.h>

#include "process/rlimits.h"
#include "test_child.h"

static void is_limited(void *arg)
{
	struct spec_rlimit limits[] = { { RLIMIT_NOFILE, 100, 200 },
					{ RLIMIT_CORE, 0, 0 },
					{ RLIMIT_STACK, 1 << 20, 2 << 20 } };
	const struct spec_process p = { .rlimits = { limits, ARRAY_LEN(limits) } };
	struct err e = { 0 };

	(void)arg;
	CHILD_ASSERT(rlimits_apply(getpid(), &p, &e) == 0, "%s", e.msg);
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit now;

		getrlimit((enum __rlimit_resource)limits[i].resource, &now);
		CHILD_ASSERT(now.rlim_cur == limits[i].soft && now.rlim_max == limits[i].hard,
			     "limit %zu is %lu:%lu", i, now.rlim_cur, now.rlim_max);
	}
}

static void is_refused(void *arg)
{
	struct spec_rlimit low = { RLIMIT_NOFILE, 100, 100 }, high = { RLIMIT_NOFILE, 100, 200 };
	const struct spec_process lower = { .rlimits = { &low, 1 } };
	const struct spec_process raise = { .rlimits = { &high, 1 } };
	struct err e = { 0 };

	(void)arg;
	become_user(1000);
	CHILD_ASSERT(rlimits_apply(0, &lower, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(!rlimits_raise(&lower) && rlimits_raise(&raise),
		     "it is not known which is above");
	CHILD_ASSERT(rlimits_apply(getpid(), &raise, &e) == -EPERM, "no error");
	CHILD_STR_EQ(e.msg, "process.rlimits[0]: set RLIMIT_NOFILE to 100:200: operation not "
			    "permitted");
}

Test(rlimits, are_set_or_refused)
{
	expect_child(is_limited, NULL);
	need_root();
	expect_child(is_refused, NULL);
}

static int oom_score(void)
{
	FILE *f = fopen("/proc/self/oom_score_adj", "re");
	int value = -9999;

	if (f && fscanf(f, "%d", &value) != 1)
		value = -9999;
	if (f)
		fclose(f);
	return value;
}

static void scores(void *arg)
{
	const struct spec_process nothing = { 0 };
	const struct spec_process high = { .oom_score_adj = { true, 500 } };
	const struct spec_process wrong = { .oom_score_adj = { true, 1001 } };
	int proc = open("/proc", O_PATH | O_CLOEXEC), before = oom_score();
	struct err e = { 0 };

	(void)arg;
	CHILD_ASSERT(oom_score_apply(proc, getpid(), &nothing, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(oom_score() == before, "%d", oom_score());
	CHILD_ASSERT(oom_score_apply(proc, getpid(), &high, &e) == 0, "%s", e.msg);
	CHILD_ASSERT(oom_score() == 500, "%d", oom_score());
	CHILD_ASSERT(oom_score_apply(proc, getpid(), &wrong, &e) == -EINVAL, "no error");
	CHILD_STR_EQ(e.msg, "process.oomScoreAdj: set it to 1001: invalid argument");
}

static void scores_no_lower(void *arg)
{
	const struct spec_process low = { .oom_score_adj = { true, -500 } };
	int proc = open("/proc", O_PATH | O_CLOEXEC);
	struct err e = { 0 };

	(void)arg;
	become_user(1000);
	CHILD_ASSERT(oom_score_apply(proc, getpid(), &low, &e) == -EACCES, "%s", e.msg);
	CHILD_STR_EQ(e.msg, "process.oomScoreAdj: set it to -500: permission denied");
}

Test(oom_score, is_set_or_refused)
{
	expect_child(scores, NULL);
	need_root();
	expect_child(scores_no_lower, NULL);
}
