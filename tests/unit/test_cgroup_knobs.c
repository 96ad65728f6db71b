/* linux.resources -> what is written to which file. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cgroups/knobs.h"

#define SET(v)          \
	{               \
		true, v \
	}
#define LIST_OF(T, ...)                                                                   \
	{                                                                                 \
		.at = (T[]){ __VA_ARGS__ }, .n = sizeof((T[]){ __VA_ARGS__ }) / sizeof(T) \
	}

#define THROTTLE(...)                                             \
	{                                                         \
		(struct spec_throttle_device[]){ __VA_ARGS__ }, 1 \
	}

/* Flags as letters: default, optional, again, not below usage. */
static const char *flag_letters(unsigned flags)
{
	static char text[8];

	snprintf(text, sizeof(text), "%s%s%s%s", flags & KNOB_DEFAULT ? "d" : "",
		 flags & KNOB_OPTIONAL ? "o" : "", flags & KNOB_AGAIN ? "a" : "",
		 flags & KNOB_NOT_BELOW_USAGE ? "u" : "");
	return text;
}

/* The plan as text: "FILE=VALUE|OTHER=VALUE/FLAGS", separated by "; ". */
static void print_plan(const struct knob_plan *plan, struct buf *out)
{
	buf_str(out, "");
	for (size_t i = 0; i < plan->values.n; i++) {
		const struct knob_value *v = &plan->values.at[i];

		buf_printf(out, "%s%s=%s", i ? "; " : "", v->file, v->value);
		if (v->other_file)
			buf_printf(out, "|%s=%s", v->other_file, v->other_value);
		if (v->flags)
			buf_printf(out, "/%s", flag_letters(v->flags));
	}
}

struct row {
	const char *name;
	struct spec_resources r;
	const char *plan;
};

static const struct row written[] = {
	{ "nothing", { .pids_limit = { 0 } }, "" },

	{ "memory.limit", { .memory = { .limit = SET(1048576) } }, "memory.max=1048576" },
	{ "memory.limit -1",
	  { .memory = { .limit = SET(-1) } },
	  "memory.swap.max=max/do; memory.max=max/d" },
	{ "memory.limit 0", { .memory = { .limit = SET(0) } }, "" },
	{ "checkBeforeUpdate",
	  { .memory = { .limit = SET(5), .check_before_update = SET(true) } },
	  "memory.max=5/u" },
	{ "checkBeforeUpdate alone", { .memory = { .check_before_update = SET(true) } }, "" },
	{ "memory.reservation", { .memory = { .reservation = SET(7) } }, "memory.low=7" },
	{ "memory.reservation 0", { .memory = { .reservation = SET(0) } }, "" },
	{ "swap is what remains",
	  { .memory = { .limit = SET(100), .swap = SET(150) } },
	  "memory.swap.max=50; memory.max=100" },
	{ "no swap",
	  { .memory = { .limit = SET(100), .swap = SET(100) } },
	  "memory.swap.max=0/o; memory.max=100" },
	{ "unlimited swap",
	  { .memory = { .limit = SET(100), .swap = SET(-1) } },
	  "memory.swap.max=max/do; memory.max=100" },
	{ "swap with unlimited memory",
	  { .memory = { .limit = SET(-1), .swap = SET(9) } },
	  "memory.swap.max=9; memory.max=max/d" },
	{ "docker 20 update",
	  { .memory = { .limit = SET(100663296),
			.reservation = SET(0),
			.swap = SET(100663296),
			.kernel = SET(0) },
	    .cpu = { .shares = SET(0), .quota = SET(25000), .period = SET(100000) },
	    .pids_limit = SET(44),
	    .block_io = { .weight = SET(0) } },
	  "memory.swap.max=0/o; memory.max=100663296; cpu.max=25000 100000; pids.max=44" },

	{ "cpu.shares", { .cpu = { .shares = SET(512) } }, "cpu.weight=59/a" },
	{ "cpu.shares, the default", { .cpu = { .shares = SET(1024) } }, "cpu.weight=100/da" },
	{ "cpu.quota", { .cpu = { .quota = SET(5000) } }, "cpu.max=5000" },
	{ "cpu.period", { .cpu = { .period = SET(50000) } }, "cpu.max=max 50000" },
	{ "cpu.quota and period",
	  { .cpu = { .quota = SET(5000), .period = SET(20000) } },
	  "cpu.max=5000 20000" },
	{ "cpu.quota -1", { .cpu = { .quota = SET(-1) } }, "cpu.max=max/d" },
	{ "cpu.quota 0", { .cpu = { .quota = SET(0) } }, "" },
	{ "the kernel's period",
	  { .cpu = { .quota = SET(-1), .period = SET(100000) } },
	  "cpu.max=max 100000/d" },
	{ "burst before quota",
	  { .cpu = { .quota = SET(5000), .burst = SET(1000) } },
	  "cpu.max.burst=1000/a; cpu.max=5000" },
	{ "burst 0", { .cpu = { .burst = SET(0) } }, "cpu.max.burst=0/da" },
	{ "idle", { .cpu = { .idle = SET(1) } }, "cpu.idle=1" },
	{ "idle, which has no weight",
	  { .cpu = { .shares = SET(512), .idle = SET(1) } },
	  "cpu.idle=1" },
	{ "not idle, with a weight",
	  { .cpu = { .shares = SET(512), .idle = SET(0) } },
	  "cpu.weight=59/a; cpu.idle=0/d" },
	{ "not idle", { .cpu = { .idle = SET(0) } }, "cpu.idle=0/d" },
	{ "cpuset",
	  { .cpu = { .cpus = "0-3,7", .mems = "0" } },
	  "cpuset.cpus=0-3,7; cpuset.mems=0" },
	{ "empty cpuset", { .cpu = { .cpus = "", .mems = "" } }, "" },

	{ "pids.limit", { .pids_limit = SET(33) }, "pids.max=33" },
	{ "pids.limit 0", { .pids_limit = SET(0) }, "pids.max=1" },
	{ "pids.limit -1", { .pids_limit = SET(-1) }, "pids.max=max/d" },

	{ "blockIO.weight", { .block_io = { .weight = SET(10) } }, "io.bfq.weight=10|io.weight=1" },
	{ "blockIO.weight 1000",
	  { .block_io = { .weight = SET(1000) } },
	  "io.bfq.weight=1000|io.weight=10000" },
	{ "blockIO.weight 750",
	  { .block_io = { .weight = SET(750) } },
	  "io.bfq.weight=750|io.weight=7475" },
	{ "blockIO.weightDevice",
	  { .block_io = { .weight_devices =
				  LIST_OF(struct spec_weight_device, { 8, 0, SET(500), SET(0) },
					  { 8, 16, SET(10), { 0 } }, { 8, 32, { 0 }, SET(0) }) } },
	  "io.bfq.weight=8:0 500|io.weight=8:0 4950; io.bfq.weight=8:16 10|io.weight=8:16 1" },
	{ "throttles",
	  { .block_io = { .read_bps = THROTTLE({ 8, 0, 600 }),
			  .write_bps = THROTTLE({ 8, 1, 601 }),
			  .read_iops = THROTTLE({ 8, 2, 602 }),
			  .write_iops = THROTTLE({ 8, 3, 0 }) } },
	  "io.max=8:0 rbps=600; io.max=8:1 wbps=601; io.max=8:2 riops=602; "
	  "io.max=8:3 wiops=max/d" },

	{ "hugepages",
	  { .hugepage_limits =
		    LIST_OF(struct spec_hugepage_limit, { "2MB", 209715200 }, { "64KB", 0 }) },
	  "hugetlb.2MB.max=209715200; hugetlb.2MB.rsvd.max=209715200/o; "
	  "hugetlb.64KB.max=0; hugetlb.64KB.rsvd.max=0/o" },
	{ "rdma",
	  { .rdma = LIST_OF(struct spec_rdma, { "mlx5_1", SET(3), SET(10000) },
			    { "mlx4_0", { 0 }, SET(1000) }, { "rxe3", SET(2), { 0 } },
			    { "none", { 0 }, { 0 } }) },
	  "rdma.max=mlx5_1 hca_handle=3 hca_object=10000; rdma.max=mlx4_0 hca_object=1000; "
	  "rdma.max=rxe3 hca_handle=2" },
	{ "network 0", { .network = { .class_id = SET(0) } }, "" },

	{ "unified has the last word",
	  { .pids_limit = SET(5),
	    .unified = LIST_OF(struct spec_pair, { "pids.max", "7" }, { "cgroup.max.depth", "3" },
			       { "some.new.thing", " as is " }) },
	  "pids.max=5; pids.max=7; cgroup.max.depth=3; some.new.thing= as is " },
	{ "misc, by name",
	  { .unified = LIST_OF(struct spec_pair, { "misc.max", "sev 3\nsev_es max" }) },
	  "misc.max=sev 3; misc.max=sev_es max" },
	{ "unified, lines and none",
	  { .unified = LIST_OF(struct spec_pair,
			       { "io.max", "259:0 rbps=2 wiops=1\n\n253:0 rbps=2\n" },
			       { "cpuset.cpus", "" }) },
	  "io.max=259:0 rbps=2 wiops=1; io.max=253:0 rbps=2; cpuset.cpus=\n" },
};

Test(cgroup_knobs, become_writes)
{
	for (size_t i = 0; i < ARRAY_LEN(written); i++) {
		auto_arena struct arena a = { 0 };
		auto_buf struct buf out = { 0 };
		struct knob_plan plan = { 0 };
		struct err e = { 0 };

		cr_expect_eq(knobs_plan(&a, &written[i].r, &plan, &e), 0, "%s: %s", written[i].name,
			     e.msg);
		print_plan(&plan, &out);
		cr_expect_str_eq(out.text, written[i].plan, "%s: %s", written[i].name, out.text);
		cr_expect_eq(knobs_any(&written[i].r), *written[i].plan != '\0', "%s",
			     written[i].name);
	}
}

static const struct row refused[] = {
	{ "limit",
	  { .memory = { .limit = SET(-2) } },
	  "linux.resources.memory.limit: -2 is neither a size nor -1, for unlimited" },
	{ "swap",
	  { .memory = { .limit = SET(5), .swap = SET(-2) } },
	  "linux.resources.memory.swap: -2 is neither a size nor -1, for unlimited" },
	{ "swap below limit",
	  { .memory = { .limit = SET(5), .swap = SET(4) } },
	  "linux.resources.memory.swap: it is memory and swap together, and 4 is less than the 5 "
	  "of linux.resources.memory.limit" },
	{ "swap without limit",
	  { .memory = { .swap = SET(4) } },
	  "linux.resources.memory.swap: it is memory and swap together, and "
	  "linux.resources.memory.limit is not given" },
	{ "idle", { .cpu = { .idle = SET(2) } }, "linux.resources.cpu.idle: 2 is neither 0 nor 1" },
	{ "weight",
	  { .block_io = { .weight = SET(9) } },
	  "linux.resources.blockIO.weight: 9 is not between 10 and 1000" },
	{ "weightDevice",
	  { .block_io = { .weight_devices = LIST_OF(struct spec_weight_device,
						    { 8, 0, SET(1001), { 0 } }) } },
	  "linux.resources.blockIO.weightDevice[0]: 1001 is not between 10 and 1000" },
	{ "device",
	  { .block_io = { .write_bps = THROTTLE({ -1, 0, 1 }) } },
	  "linux.resources.blockIO.throttleWriteBpsDevice[0]: -1:0 is not the number of a device" },
	{ "page size",
	  { .hugepage_limits = LIST_OF(struct spec_hugepage_limit, { "2MB", 1 }, { "../2MB", 1 }) },
	  "linux.resources.hugepageLimits[1]: \"../2MB\" is not a size like 64KB, 2MB or 1GB" },
	{ "page size without unit",
	  { .hugepage_limits = LIST_OF(struct spec_hugepage_limit, { "2B", 1 }) },
	  "linux.resources.hugepageLimits[0]: \"2B\" is not a size like 64KB, 2MB or 1GB" },
	{ "rdma",
	  { .rdma = LIST_OF(struct spec_rdma, { "a b", SET(3), { 0 } }) },
	  "linux.resources.rdma: \"a b\" is not the name of a device" },
	{ "kernel",
	  { .memory = { .kernel = SET(5) } },
	  "linux.resources.memory.kernel: cgroup v2 limits kernel memory as part of all memory" },
	{ "kernelTCP",
	  { .memory = { .kernel_tcp = SET(5) } },
	  "linux.resources.memory.kernelTCP: cgroup v2 limits kernel memory as part of all "
	  "memory" },
	{ "swappiness",
	  { .memory = { .swappiness = SET(0) } },
	  "linux.resources.memory.swappiness: cgroup v2 has nothing like it" },
	{ "disableOOMKiller",
	  { .memory = { .disable_oom_killer = SET(true) } },
	  "linux.resources.memory.disableOOMKiller: cgroup v2 has nothing like it" },
	{ "useHierarchy",
	  { .memory = { .use_hierarchy = SET(false) } },
	  "linux.resources.memory.useHierarchy: the limits of cgroup v2 always are of all below a "
	  "cgroup" },
	{ "realtimeRuntime",
	  { .cpu = { .realtime_runtime = SET(950000) } },
	  "linux.resources.cpu.realtimeRuntime: cgroup v2 has nothing like it" },
	{ "realtimePeriod",
	  { .cpu = { .realtime_period = SET(950000) } },
	  "linux.resources.cpu.realtimePeriod: cgroup v2 has nothing like it" },
	{ "leafWeight",
	  { .block_io = { .leaf_weight = SET(10) } },
	  "linux.resources.blockIO.leafWeight: cgroup v2 has nothing like it" },
	{ "leafWeight of a device",
	  { .block_io = { .weight_devices = LIST_OF(struct spec_weight_device,
						    { 8, 0, SET(12), SET(13) }) } },
	  "linux.resources.blockIO.weightDevice[0].leafWeight: cgroup v2 has nothing like it" },
	{ "classID",
	  { .network = { .class_id = SET(1048577) } },
	  "linux.resources.network.classID: cgroup v2 has nothing like it" },
	{ "priorities",
	  { .network = { .priorities = LIST_OF(struct spec_net_priority, { "eth0", 1 }) } },
	  "linux.resources.network.priorities: cgroup v2 has nothing like it" },
	{ "unified with a slash",
	  { .unified = LIST_OF(struct spec_pair, { "../memory.max", "1" }) },
	  "linux.resources.unified: \"../memory.max\" is not a file like \"memory.high\"" },
	{ "unified without a dot",
	  { .unified = LIST_OF(struct spec_pair, { "tasks", "1" }) },
	  "linux.resources.unified: \"tasks\" is not a file like \"memory.high\"" },
	{ "unified, dots only",
	  { .unified = LIST_OF(struct spec_pair, { "..", "1" }) },
	  "linux.resources.unified: \"..\" is not a file like \"memory.high\"" },
	{ "unified, ours",
	  { .unified = LIST_OF(struct spec_pair, { "cgroup.freeze", "1" }) },
	  "linux.resources.unified.cgroup.freeze: only the runtime writes this" },
};

Test(cgroup_knobs, refuses)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		auto_arena struct arena a = { 0 };
		struct knob_plan plan = { 0 };
		struct err e = { 0 };

		cr_expect_lt(knobs_plan(&a, &refused[i].r, &plan, &e), 0, "%s", refused[i].name);
		cr_expect_str_eq(e.msg, refused[i].plan, "%s: %s", refused[i].name, e.msg);
		cr_expect_eq(plan.values.n, 0, "%s", refused[i].name);
	}
}

Test(cgroup_knobs, what_asks_for_nothing_passes)
{
	const struct spec_resources silent = { .memory = { .kernel = SET(-1),
							   .kernel_tcp = SET(0),
							   .disable_oom_killer = SET(false),
							   .use_hierarchy = SET(true) },
					       .cpu = { .realtime_runtime = SET(0),
							.realtime_period = SET(0) },
					       .block_io = { .leaf_weight = SET(0) } };
	auto_arena struct arena a = { 0 };
	struct knob_plan plan = { 0 };

	cr_expect_eq(knobs_plan(&a, &silent, &plan, NULL), 0);
	cr_expect_eq(plan.values.n, 0);
}

Test(cgroup_knobs, names_members)
{
	const struct spec_resources r = {
		.cpu = { .period = SET(50000) },
		.block_io.read_iops = { (struct spec_throttle_device[]){ { 8, 0, 1 },
									 { 8, 16, 2 } },
					2 },
		.rdma = LIST_OF(struct spec_rdma, { "mlx5_1", SET(3), { 0 } }),
		.unified = LIST_OF(struct spec_pair, { "memory.high", "1" },
				   { "cgroup.max.depth", "1" }),
	};
	static const struct {
		const char *member, *controller;
	} rows[] = {
		{ "linux.resources.cpu.period", "cpu" },
		{ "linux.resources.blockIO.throttleReadIOPSDevice[0]", "io" },
		{ "linux.resources.blockIO.throttleReadIOPSDevice[1]", "io" },
		{ "linux.resources.rdma.mlx5_1", "rdma" },
		{ "linux.resources.unified.memory.high", "memory" },
		{ "linux.resources.unified.cgroup.max.depth", NULL },
	};
	auto_arena struct arena a = { 0 };
	struct knob_plan plan = { 0 };

	cr_assert_eq(knobs_plan(&a, &r, &plan, NULL), 0);
	cr_assert_eq(plan.values.n, ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_str_eq(plan.values.at[i].member, rows[i].member);
		if (rows[i].controller)
			cr_expect_str_eq(plan.values.at[i].controller, rows[i].controller);
		else
			cr_expect_null(plan.values.at[i].controller);
	}
}

/* The values that runc's and crun's test suites expect, and the ends. */
Test(cgroup_knobs, weighs_cpu)
{
	static const struct {
		uint64_t shares;
		unsigned weight;
	} rows[] = { { 0, 1 },          { 1, 1 },          { 2, 1 },
		     { 3, 2 },          { 100, 17 },       { 512, 59 },
		     { 1023, 100 },     { 1024, 100 },     { 1025, 101 },
		     { 2048, 174 },     { 102400, 4429 },  { 262143, 10000 },
		     { 262144, 10000 }, { 262145, 10000 }, { UINT64_MAX, 10000 } };
	unsigned before = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(knob_cpu_weight(rows[i].shares), rows[i].weight, "%lu: %u",
			     (unsigned long)rows[i].shares, knob_cpu_weight(rows[i].shares));
	for (uint64_t shares = 2; shares <= 262144; shares++) {
		unsigned weight = knob_cpu_weight(shares);

		cr_assert(weight >= before && weight <= 10000, "%lu", (unsigned long)shares);
		before = weight;
	}
}
