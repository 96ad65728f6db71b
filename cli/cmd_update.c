#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "cli/cmd.h"
#include "engine/wish.h"

static const struct option_row rows[] = {
	{ .name = "resources",
	  .letter = 'r',
	  .kind = OPTION_STRING,
	  .member = offsetof(struct update_request, file),
	  .argument = "FILE",
	  .help = "read a partial linux.resources from FILE, or from standard input (-), in place "
		  "of the other options" },
	{ .name = "blkio-weight",
	  .kind = OPTION_U16,
	  .member = offsetof(struct update_request, resources.block_io.weight),
	  .argument = "N",
	  .help = "the weight in block I/O, 10 to 1000" },
	{ .name = "cpu-period",
	  .kind = OPTION_U64,
	  .member = offsetof(struct update_request, resources.cpu.period),
	  .argument = "MICROSECONDS",
	  .help = "the period that --cpu-quota is for" },
	{ .name = "cpu-quota",
	  .kind = OPTION_I64,
	  .member = offsetof(struct update_request, resources.cpu.quota),
	  .argument = "MICROSECONDS",
	  .help = "the CPU time in a period, -1: no limit" },
	{ .name = "cpu-burst",
	  .kind = OPTION_U64,
	  .member = offsetof(struct update_request, resources.cpu.burst),
	  .argument = "MICROSECONDS",
	  .help = "the unused quota that may be saved up" },
	{ .name = "cpu-share",
	  .kind = OPTION_U64,
	  .member = offsetof(struct update_request, resources.cpu.shares),
	  .argument = "N",
	  .help = "the weight in CPU time, in cgroup v1's scale of 2 to 262144" },
	{ .name = "cpu-idle",
	  .kind = OPTION_I64,
	  .member = offsetof(struct update_request, resources.cpu.idle),
	  .argument = "N",
	  .help = "1: run only when nobody else wants to, 0: as others" },
	{ .name = "cpu-rt-period",
	  .kind = OPTION_U64,
	  .member = offsetof(struct update_request, resources.cpu.realtime_period),
	  .argument = "MICROSECONDS",
	  .help = "for runc's callers; anything but 0 is refused: cgroup v2 has nothing like it" },
	{ .name = "cpu-rt-runtime",
	  .kind = OPTION_I64,
	  .member = offsetof(struct update_request, resources.cpu.realtime_runtime),
	  .argument = "MICROSECONDS",
	  .help = "for runc's callers; anything but 0 is refused: cgroup v2 has nothing like it" },
	{ .name = "cpuset-cpus",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct update_request, resources.cpu.cpus),
	  .argument = "LIST",
	  .help = "the CPUs to use, as 0-3,7" },
	{ .name = "cpuset-mems",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct update_request, resources.cpu.mems),
	  .argument = "LIST",
	  .help = "the memory nodes to use" },
	{ .name = "kernel-memory",
	  .kind = OPTION_BYTES,
	  .member = offsetof(struct update_request, resources.memory.kernel),
	  .argument = "BYTES",
	  .help = "for runc's callers; anything but 0 is refused: cgroup v2 has nothing like it" },
	{ .name = "kernel-memory-tcp",
	  .kind = OPTION_BYTES,
	  .member = offsetof(struct update_request, resources.memory.kernel_tcp),
	  .argument = "BYTES",
	  .help = "for runc's callers; anything but 0 is refused: cgroup v2 has nothing like it" },
	{ .name = "memory",
	  .kind = OPTION_BYTES,
	  .member = offsetof(struct update_request, resources.memory.limit),
	  .argument = "BYTES",
	  .help = "the limit of memory, as 512M; -1: none" },
	{ .name = "memory-reservation",
	  .kind = OPTION_BYTES,
	  .member = offsetof(struct update_request, resources.memory.reservation),
	  .argument = "BYTES",
	  .help = "the memory that is not reclaimed if that can be helped" },
	{ .name = "memory-swap",
	  .kind = OPTION_BYTES,
	  .member = offsetof(struct update_request, resources.memory.swap),
	  .argument = "BYTES",
	  .help = "the limit of memory and swap together, -1: none" },
	{ .name = "pids-limit",
	  .kind = OPTION_I64,
	  .member = offsetof(struct update_request, resources.pids_limit),
	  .argument = "N",
	  .help = "the limit of processes and threads, -1: none, 0: no forks" },
	{ .name = "l3-cache-schema",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct update_request, l3_cache_schema),
	  .argument = "SCHEMA",
	  .help = "what the container's class may use of the L3 caches, as \"L3:0=f;1=f\"" },
	{ .name = "mem-bw-schema",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct update_request, mem_bw_schema),
	  .argument = "SCHEMA",
	  .help = "its memory bandwidth, as \"MB:0=50;1=70\"" },
};

const struct option_table update_options = { rows, ARRAY_LEN(rows), sizeof(struct update_request),
					     NULL, false };

int cmd_update(const struct call *call, struct err *e)
{
	static const struct spec_resources none;
	struct update_request req = *(const struct update_request *)call->options.values;

	/* The values of options are zeroed, so there are no stray bytes in between. */
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
	if (req.file && memcmp(&req.resources, &none, sizeof(none)) != 0)
		return err_set(e, EINVAL,
			       "update: give --resources or options for single limits, not both");
	req.id = call->options.args.at[0];
	return container_update(&call->runtime, &req, e);
}

/* What people say otherwise. */
struct people_update_values {
	struct update_request request;
	const char *cpus;
};

static_assert(offsetof(struct people_update_values, request) == 0, "those of update come first");

static const struct option_row people_rows[] = {
	{ .name = "cpus",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct people_update_values, cpus),
	  .argument = "NUMBER",
	  .help = "so many processors' time" },
	{ .name = "cpu-shares",
	  .letter = 'c',
	  .kind = OPTION_U64,
	  .member = offsetof(struct people_update_values, request.resources.cpu.shares),
	  .argument = "N",
	  .help = "the same as --cpu-share" },
};

const struct option_table people_update_options = { people_rows, ARRAY_LEN(people_rows),
						    sizeof(struct people_update_values),
						    &update_options, true };

static int take_cpus(const char *cpus, struct update_request *req, struct err *e)
{
	struct spec_cpu *cpu = &req->resources.cpu;

	if (cpu->quota.set || cpu->period.set)
		return err_set(e, EINVAL,
			       "--cpus: it says the same as --cpu-quota and --cpu-period, which were "
			       "given too");
	TRY(wish_cpus(cpus, &cpu->quota.value, &cpu->period.value, e));
	cpu->quota.set = cpu->period.set = true;
	return 0;
}

int cmd_people_update(const struct call *call, struct err *e)
{
	const struct people_update_values *values = call->options.values;
	struct people_update_values own = *values;
	struct call mine = *call;

	if (own.cpus)
		TRY(take_cpus(own.cpus, &own.request, e));
	mine.options.values = &own;
	return cmd_update(&mine, e);
}
