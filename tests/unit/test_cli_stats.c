/* Statistics as words: events, tables and metrics, of cgroups made up here. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "cli/metrics.h"
#include "cli/stats_json.h"
#include "cli/stats_table.h"
#include "tests/unit/test_dir.h"

#define PSI_LINE "some avg10=1.50 avg60=0.20 avg300=0.00 total=1500001\n"
#define PSI_JSON \
	"\"psi\":{\"some\":{\"avg10\":1.50,\"avg60\":0.20,\"avg300\":0.00,\"total\":1500001}}"

static struct arena arena;

static void forget(void)
{
	arena_done(&arena);
	dir_remove();
}

TestSuite(cli_stats, .init = dir_make, .fini = forget);

static struct net_counters interfaces[] = {
	{ "eth0", 1000, 2, 3, 4, 5000000, 6, 7, 8 },
	{ "a\"\\\xff", 24, 0, 0, 0, 0, 0, 0, 0 },
};

static void files(const char *const (*rows)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		dir_file(rows[i][0], rows[i][1]);
}

static struct container_stats read_dir(const char *id)
{
	struct container_stats stats = { .id = id, .status = STATE_RUNNING, .has_cgroup = true };
	struct err e = { 0 };

	cr_assert_eq(cgroup_stats_read(dir_fd, "/c", &arena, &stats.cgroup, &e), 0, "%s", e.msg);
	return stats;
}

static struct container_stats everything(void)
{
	static const char *const rows[][2] = {
		{ "cpu.stat", "usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n"
			      "nr_periods 10\nnr_throttled 2\nthrottled_usec 30\n" },
		{ "cpu.pressure", PSI_LINE },
		{ "memory.current", "52428800\n" },
		{ "memory.peak", "60000000\n" },
		{ "memory.max", "104857600\n" },
		{ "memory.high", "max\n" },
		{ "memory.swap.current", "10\n" },
		{ "memory.swap.max", "max\n" },
		{ "memory.stat", "anon 1\nfile 2\ninactive_file 1048576\n" },
		{ "memory.events", "max 3\noom_kill 1\n" },
		{ "pids.current", "4\n" },
		{ "pids.peak", "5\n" },
		{ "pids.max", "max\n" },
		{ "pids.events", "max 0\n" },
		{ "io.stat", "8:0 rbytes=1500 wbytes=0 rios=3 wios=4 dbytes=9\n7:1 rbytes=1\n" },
		{ "hugetlb.2MB.current", "2097152\n" },
		{ "hugetlb.2MB.max", "4194304\n" },
		{ "hugetlb.2MB.events", "max 9\n" },
	};
	struct container_stats stats;

	files(rows, ARRAY_LEN(rows));
	stats = read_dir("one");
	stats.has_network = true;
	stats.interfaces = (struct net_counters_list){ interfaces, ARRAY_LEN(interfaces) };
	stats.taken = 3000000;
	return stats;
}

Test(cli_stats, event_with_everything)
{
	struct container_stats stats = everything();
	auto_buf struct buf b = { 0 };

	stats.interfaces.n = 1;
	stats_json(&b, &stats);
	cr_expect_str_eq(
		b.text,
		"{\"type\":\"stats\",\"id\":\"one\",\"data\":{"
		"\"cpu\":{\"usage\":{\"total\":2500000000,\"kernel\":500000000,\"user\":2000000000}"
		","
		"\"throttling\":{\"periods\":10,\"throttledPeriods\":2,\"throttledTime\":30000}"
		"," PSI_JSON "},"
		"\"memory\":{\"cache\":2,"
		"\"usage\":{\"limit\":104857600,\"usage\":52428800,\"max\":60000000,\"failcnt\":3},"
		"\"swap\":{\"limit\":18446744073709551615,\"usage\":52428810},"
		"\"high\":18446744073709551615,\"events\":{\"max\":3,\"oom_kill\":1},"
		"\"raw\":{\"anon\":1,\"file\":2,\"inactive_file\":1048576}},"
		"\"pids\":{\"current\":4,\"limit\":0,\"max\":5,\"events\":{\"max\":0}},"
		"\"blkio\":{\"ioServiceBytesRecursive\":["
		"{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":1500},"
		"{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":0},"
		"{\"major\":7,\"minor\":1,\"op\":\"Read\",\"value\":1}],"
		"\"ioServicedRecursive\":["
		"{\"major\":8,\"minor\":0,\"op\":\"Read\",\"value\":3},"
		"{\"major\":8,\"minor\":0,\"op\":\"Write\",\"value\":4}],"
		"\"io\":[{\"major\":8,\"minor\":0,\"rbytes\":1500,\"wbytes\":0,\"rios\":3,\"wios\":"
		"4,"
		"\"dbytes\":9},{\"major\":7,\"minor\":1,\"rbytes\":1}]},"
		"\"hugetlb\":{\"2MB\":{\"usage\":2097152,\"limit\":4194304,\"failcnt\":9}},"
		"\"network_interfaces\":[{\"Name\":\"eth0\",\"RxBytes\":1000,\"RxPackets\":2,"
		"\"RxErrors\":3,\"RxDropped\":4,\"TxBytes\":5000000,\"TxPackets\":6,\"TxErrors\":7,"
		"\"TxDropped\":8}]}}\n");
}

Test(cli_stats, event_with_nothing)
{
	struct container_stats stats = read_dir("x");
	auto_buf struct buf b = { 0 };

	stats_json(&b, &stats);
	cr_expect_str_eq(b.text, "{\"type\":\"stats\",\"id\":\"x\",\"data\":{}}\n");
}

Test(cli_stats, event_oom)
{
	static const char *const rows[][2] = {
		{ "memory.current", "5\n" },
		{ "memory.max", "6\n" },
		{ "memory.events", "max 3\noom_kill 1\n" },
	};
	struct container_stats stats;
	auto_buf struct buf b = { 0 };

	files(rows, ARRAY_LEN(rows));
	stats = read_dir("x");
	oom_json(&b, &stats);
	cr_expect_str_eq(b.text, "{\"type\":\"oom\",\"id\":\"x\",\"data\":{\"memory\":{"
				 "\"usage\":{\"limit\":6,\"usage\":5,\"failcnt\":3},"
				 "\"events\":{\"max\":3,\"oom_kill\":1}}}}\n");
}

/* Two containers, of which the first has used half a processor since `before`. */
static void two(struct container_stats before[1], struct container_stats now[2])
{
	before[0] = everything();
	now[0] = before[0];
	now[0].taken += 1000000;
	dir_file("cpu.stat", "usage_usec 3000000\n");
	now[0].cgroup.cpu = read_dir("one").cgroup.cpu;
	now[1] = (struct container_stats){ .id = "two-without-anything", .status = STATE_CREATED };
}

Test(cli_stats, table)
{
	struct container_stats before[1], now[2];
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };

	two(before, now);
	cr_assert_eq(stats_table(&b, &(struct stats_list){ before, 1 },
				 &(struct stats_list){ now, 2 }, 1073741824, NULL, &e),
		     0);
	cr_expect_str_eq(
		b.text,
		"CONTAINER ID           NAME                   CPU %    MEM USAGE / LIMIT   MEM %  "
		"  NET I/O           BLOCK I/O     PIDS\n"
		"one                    one                    50.00%   49.0MiB / 100MiB    49.00% "
		"  1.02kB / 5.00MB   1.50kB / 0B   4\n"
		"two-without-anything   two-without-anything   -        -                   -      "
		"  -                 -             -\n",
		"%s", b.text);
}

Test(cli_stats, template)
{
	struct container_stats before[1], now[2];
	auto_buf struct buf b = { 0 };
	struct err e = { 0 };
	struct stats_list list = { now, 1 };

	two(before, now);
	now[0].id = "0123456789abcdef";
	now[0].name = "web";
	cr_assert_eq(stats_table(&b, &list, &list, 1073741824,
				 "table {{.Name}}\t{{.ID}}\t{{.MemUsage}}", &e),
		     0);
	cr_expect_str_eq(b.text, "NAME   CONTAINER ID   MEM USAGE / LIMIT\n"
				 "web    0123456789ab   49.0MiB / 100MiB\n");
	buf_clear(&b);
	cr_assert_eq(stats_table(&b, &list, &list, 1, "{{.Container}} {{.PIDs}}", &e), 0);
	cr_expect_str_eq(b.text, "0123456789abcdef 4\n");
	cr_expect_eq(stats_table(&b, &list, &list, 1, "{{.Nothing}}", &e), -EINVAL);
	cr_expect_str_eq(e.msg, "--format: there is no field \".Nothing\"");
	/* It has no labels, and says so without a row. */
	list.n = 0;
	cr_expect_eq(stats_table(&b, &list, &list, 1, "{{.Label \"x\"}}", &e), -EINVAL);
	cr_expect_str_eq(e.msg, "--format: there is no field \".Label\"");
	list.n = 1;
	buf_clear(&b);
	stats_lines(&b, &list, &list, 1);
	cr_expect_not_null(strstr(b.text, "{\"id\":\"0123456789abcdef\",\"name\":\"web\","));
}

Test(cli_stats, lines)
{
	struct container_stats before[1], now[2];
	auto_buf struct buf b = { 0 };

	two(before, now);
	now[0].cgroup.memory_max.value = CGROUP_NO_LIMIT;
	stats_lines(&b, &(struct stats_list){ before, 1 }, &(struct stats_list){ now, 2 },
		    102760448);
	cr_expect_str_eq(b.text,
			 "{\"id\":\"one\",\"status\":\"running\",\"cpuPercent\":50.00,"
			 "\"memory\":51380224,\"memoryLimit\":102760448,\"memoryPercent\":50.00,"
			 "\"networkReceived\":1024,\"networkSent\":5000000,\"blockRead\":1501,"
			 "\"blockWritten\":0,\"pids\":4}\n"
			 "{\"id\":\"two-without-anything\",\"status\":\"created\"}\n");
}

/* Counters that went back are those of another container of the same id. */
Test(cli_stats, no_share_without_a_sample_before)
{
	struct container_stats before[1], now[2];
	auto_buf struct buf b = { 0 };

	two(before, now);
	stats_lines(&b, &(struct stats_list){ now, 1 }, &(struct stats_list){ before, 1 }, 1);
	cr_expect_null(strstr(b.text, "cpuPercent"));
	buf_clear(&b);
	stats_lines(&b, &(struct stats_list){ NULL, 0 }, &(struct stats_list){ now, 1 }, 1);
	cr_expect_null(strstr(b.text, "cpuPercent"));
}

static const char *const samples[] = {
	"# TYPE hull_container_status stateset\n"
	"# HELP hull_container_status What state the container is in.\n"
	"hull_container_status{id=\"one\",hull_container_status=\"creating\"} 0\n"
	"hull_container_status{id=\"one\",hull_container_status=\"created\"} 0\n"
	"hull_container_status{id=\"one\",hull_container_status=\"running\"} 1\n",
	"hull_container_status{id=\"two\",hull_container_status=\"stopped\"} 1\n"
	"# TYPE hull_container_cpu_usage_seconds counter\n"
	"# UNIT hull_container_cpu_usage_seconds seconds\n"
	"# HELP hull_container_cpu_usage_seconds Time on a processor.\n"
	"hull_container_cpu_usage_seconds_total{id=\"one\"} 2.500000\n"
	"# TYPE",
	"hull_container_cpu_throttled_seconds_total{id=\"one\"} 0.000030\n",
	"hull_container_memory_events_total{id=\"one\",event=\"oom_kill\"} 1\n",
	"hull_container_memory_limit_bytes{id=\"one\"} 104857600\n",
	"hull_container_io_read_bytes_total{id=\"one\",device=\"7:1\"} 1\n",
	"hull_container_hugetlb_usage_bytes{id=\"one\",size=\"2MB\"} 2097152\n",
	"hull_container_pressure_some_seconds_total{id=\"one\",resource=\"cpu\"} 1.500001\n",
	"hull_container_network_sent_bytes_total{id=\"one\",interface=\"eth0\"} 5000000\n",
	"hull_container_network_received_bytes_total{id=\"one\",interface=\"a\\\"\\\\\\\\xff\"} "
	"24\n",
	"\n# EOF\n",
};

Test(cli_stats, metrics)
{
	struct container_stats stats[] = { everything(), { .id = "two", .status = STATE_STOPPED } };
	auto_buf struct buf b = { 0 };

	metrics_text(&b, &(struct stats_list){ stats, 2 });
	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		cr_expect(strstr(b.text, samples[i]), "%s\nis not in\n%s", samples[i], b.text);
	cr_expect_null(strstr(b.text, "pids_limit"), "there is none");
	cr_expect_null(strstr(b.text, "pressure_full"), "nothing is known of it");
	buf_clear(&b);
	metrics_text(&b, &(struct stats_list){ NULL, 0 });
	cr_expect_str_eq(b.text, "# EOF\n");
}
