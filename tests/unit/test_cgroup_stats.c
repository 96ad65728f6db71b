/* The files of a cgroup, from directories made up here. */
#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cgroups/stats.h"
#include "tests/unit/test_dir.h"

TestSuite(cgroup_stats, .init = dir_make, .fini = dir_remove);

static const struct {
	const char *text;
	int result;
	uint64_t value;
} values[] = {
	{ "0\n", 0, 0 },
	{ "18446744073709551614\n", 0, UINT64_MAX - 1 },
	{ "42", 0, 42 },
	{ "max\n", 0, CGROUP_NO_LIMIT },
	{ "", -EBADMSG, 0 },
	{ "\n", -EBADMSG, 0 },
	{ "-1\n", -EBADMSG, 0 },
	{ "1 2\n", -EBADMSG, 0 },
	{ "18446744073709551616\n", -EBADMSG, 0 },
	{ "maximum\n", -EBADMSG, 0 },
};

Test(stats_parse, values)
{
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct opt_u64 v = { 0 };

		cr_expect_eq(stats_parse_value(values[i].text, &v), values[i].result, "\"%s\"",
			     values[i].text);
		cr_expect_eq(v.value, values[i].value, "\"%s\"", values[i].text);
		cr_expect_eq(v.set, values[i].result == 0);
	}
}

Test(stats_parse, flat)
{
	auto_arena struct arena a = { 0 };
	struct stat_pairs pairs = { 0 };
	size_t line;

	cr_assert_eq(stats_parse_flat("usage_usec 12\nuser_usec 7\nsystem_usec max\n", &a, &pairs,
				      &line),
		     0);
	cr_expect(pairs.known);
	cr_expect_eq(pairs.n, 3);
	cr_expect_eq(cgroup_stat(&pairs, "user_usec").value, 7);
	cr_expect_eq(cgroup_stat(&pairs, "system_usec").value, CGROUP_NO_LIMIT);
	cr_expect_not(cgroup_stat(&pairs, "usage").set);
	cr_assert_eq(stats_parse_flat("", &a, &pairs, &line), 0);
	cr_expect(pairs.known);
	cr_expect_eq(pairs.n, 0);
}

static const struct {
	const char *text;
	size_t line;
} bad_flat[] = {
	{ "a 1\nb\n", 2 }, { "a 1\n\nb 1\n", 2 }, { " 1\n", 1 },
	{ "a 1 2\n", 1 },  { "a x\n", 1 },        { "a 1\nb 2\nc -3", 3 },
};

Test(stats_parse, flat_that_is_none)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_flat); i++) {
		auto_arena struct arena a = { 0 };
		struct stat_pairs pairs = { 0 };
		size_t line = 0;

		cr_expect_eq(stats_parse_flat(bad_flat[i].text, &a, &pairs, &line), -EBADMSG, "%s",
			     bad_flat[i].text);
		cr_expect_eq(line, bad_flat[i].line, "%s: %zu", bad_flat[i].text, line);
		cr_expect_not(pairs.known);
	}
}

Test(stats_parse, nested)
{
	auto_arena struct arena a = { 0 };
	struct cgroup_stats s = { 0 };
	size_t line;

	cr_assert_eq(stats_parse_nested("8:16 rbytes=1459200 wbytes=314773504 cost.vrate=100.5\n"
					"253:10 253:5 rbytes=1 rios=2\n"
					"7:0 \n",
					&a, &s, &line),
		     0);
	cr_expect(s.io_known);
	cr_assert_eq(s.io.n, 4);
	cr_expect_eq(s.io.at[0].major, 8);
	cr_expect_eq(s.io.at[0].minor, 16);
	cr_expect_eq(s.io.at[0].values.n, 2);
	cr_expect_eq(cgroup_stat(&s.io.at[0].values, "wbytes").value, 314773504);
	cr_expect_eq(s.io.at[1].values.n, 0);
	cr_expect_eq(s.io.at[2].minor, 5);
	cr_expect_eq(cgroup_stat(&s.io.at[2].values, "rios").value, 2);
	cr_expect_eq(s.io.at[3].major, 7);
}

static const char *const bad_nested[] = { "rbytes=1\n", "8 rbytes=1\n", "8: rbytes=1\n",
					  ":1\n",       "8:0 =1\n",     "4294967296:0 a=1\n" };

Test(stats_parse, nested_that_is_none)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_nested); i++) {
		auto_arena struct arena a = { 0 };
		struct cgroup_stats s = { 0 };
		size_t line;

		cr_expect_eq(stats_parse_nested(bad_nested[i], &a, &s, &line), -EBADMSG, "%s",
			     bad_nested[i]);
		cr_expect_not(s.io_known);
	}
}

Test(stats_parse, pressure)
{
	struct psi psi = { 0 };
	size_t line;

	cr_assert_eq(stats_parse_psi("some avg10=1.25 avg60=0.50 avg300=99.99 total=123456\n"
				     "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n",
				     &psi, &line),
		     0);
	cr_expect(psi.some.known);
	cr_expect_float_eq(psi.some.avg10, 1.25, 0.001);
	cr_expect_float_eq(psi.some.avg300, 99.99, 0.001);
	cr_expect_eq(psi.some.total, 123456);
	cr_expect_eq(psi.full.total, 7);
	cr_assert_eq(stats_parse_psi("some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n", &psi,
				     &line),
		     0);
	cr_expect_not(psi.full.known);
	cr_expect_eq(stats_parse_psi("some avg10=0.00\n", &psi, &line), -EBADMSG);
	cr_expect_eq(stats_parse_psi("some avg10=0 avg60=0 avg300=0 total=\n", &psi, &line),
		     -EBADMSG);
}

#define PSI_LINE "some avg10=0.10 avg60=0.20 avg300=0.30 total=40\n"

static void full_cgroup(void)
{
	static const char *const files[][2] = {
		{ "cpu.stat", "usage_usec 100\nuser_usec 60\nsystem_usec 40\nnr_periods 5\n" },
		{ "cpu.pressure", PSI_LINE },
		{ "memory.current", "1000\n" },
		{ "memory.peak", "2000\n" },
		{ "memory.max", "max\n" },
		{ "memory.swap.current", "5\n" },
		{ "memory.stat", "anon 700\nfile 300\n" },
		{ "memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n" },
		{ "memory.pressure", PSI_LINE },
		{ "pids.current", "2\n" },
		{ "pids.max", "10\n" },
		{ "io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n" },
		{ "io.pressure", PSI_LINE },
		{ "hugetlb.2MB.current", "0\n" },
		{ "hugetlb.2MB.max", "max\n" },
		{ "hugetlb.2MB.events", "max 9\n" },
		{ "hugetlb.2MB.rsvd.current", "0\n" },
		{ "hugetlb.1GB.current", "1\n" },
		{ "cgroup.procs", "not read\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		dir_file(files[i][0], files[i][1]);
}

Test(cgroup_stats, reads_all)
{
	auto_arena struct arena a = { 0 };
	struct cgroup_stats s;
	struct err e = { 0 };

	full_cgroup();
	cr_assert_eq(cgroup_stats_read(dir_fd, "/c", &a, &s, &e), 0, "%s", e.msg);
	cr_expect_eq(cgroup_stat(&s.cpu, "usage_usec").value, 100);
	cr_expect_float_eq(s.cpu_psi.some.avg60, 0.2, 0.001);
	cr_expect_eq(s.memory.value, 1000);
	cr_expect_eq(s.memory_peak.value, 2000);
	cr_expect_eq(s.memory_max.value, CGROUP_NO_LIMIT);
	cr_expect_not(s.memory_high.set);
	cr_expect_not(s.swap_max.set);
	cr_expect_eq(cgroup_stat(&s.memory_events, "oom_kill").value, 1);
	cr_expect_eq(s.pids_max.value, 10);
	cr_expect_not(s.pids_events.known);
	cr_assert_eq(s.io.n, 1);
	cr_assert_eq(s.hugetlb.n, 2);
	cr_expect_str_eq(s.hugetlb.at[0].size, "1GB");
	cr_expect_eq(s.hugetlb.at[0].current.value, 1);
	cr_expect_not(s.hugetlb.at[0].max.set);
	cr_expect_str_eq(s.hugetlb.at[1].size, "2MB");
	cr_expect_eq(cgroup_stat(&s.hugetlb.at[1].events, "max").value, 9);
}

Test(cgroup_stats, what_is_missing_is_unset)
{
	auto_arena struct arena a = { 0 };
	struct cgroup_stats s;
	struct cgroup_oom oom;
	struct err e = { 0 };

	cr_assert_eq(cgroup_stats_read(dir_fd, "/c", &a, &s, &e), 0, "%s", e.msg);
	cr_expect_not(s.cpu.known);
	cr_expect_not(s.memory.set);
	cr_expect_not(s.memory_events.known);
	cr_expect_not(s.memory_psi.some.known);
	cr_expect_not(s.io_known);
	cr_expect_eq(s.hugetlb.n, 0);
	cr_assert_eq(cgroup_oom_read(dir_fd, "/c", false, &oom, &e), 0, "%s", e.msg);
	cr_expect_not(oom.kills.set);
	cr_expect_not(oom.limit.set);
}

Test(cgroup_stats, names_the_line_that_is_wrong)
{
	static const struct {
		const char *file, *text, *message;
	} rows[] = {
		{ "cpu.stat", "usage_usec 1\nbad\n",
		  "/c/cpu.stat: line 2 is not as the kernel writes it" },
		{ "memory.current", "x\n",
		  "/c/memory.current: line 1 is not as the kernel writes it" },
		{ "io.pressure", "some\n",
		  "/c/io.pressure: line 1 is not as the kernel writes it" },
		{ "io.stat", "8:0 a=1\n8 b=1\n",
		  "/c/io.stat: line 2 is not as the kernel writes it" },
		{ "hugetlb.2MB.current", "\n",
		  "/c/hugetlb.2MB.current: line 1 is not as the kernel writes it" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		struct cgroup_stats s;
		struct err e = { 0 };

		dir_file(rows[i].file, rows[i].text);
		cr_expect_eq(cgroup_stats_read(dir_fd, "/c", &a, &s, &e), -EBADMSG);
		cr_expect_str_eq(e.msg, rows[i].message);
		cr_assert_eq(unlinkat(dir_fd, rows[i].file, 0), 0);
	}
}

Test(cgroup_stats, what_became_of_memory)
{
	struct cgroup_oom oom;
	struct err e = { 0 };

	full_cgroup();
	cr_assert_eq(cgroup_oom_read(dir_fd, "/c", false, &oom, &e), 0, "%s", e.msg);
	cr_expect_eq(oom.kills.value, 1);
	cr_expect_eq(oom.limit.value, CGROUP_NO_LIMIT);
	cr_expect_eq(oom.peak.value, 2000);
}
