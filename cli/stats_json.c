#include "cli/stats_json.h"

#include <string.h>

#include "base/json_write.h"

enum { NS_PER_US = 1000 };

static void write_opt(struct json_writer *w, const char *key, struct opt_u64 v)
{
	if (v.set)
		json_write_uint(w, key, v.value);
}

static void write_pairs(struct json_writer *w, const char *key, const struct stat_pairs *pairs)
{
	if (!pairs->known)
		return;
	json_write_object(w, key);
	for (size_t i = 0; i < pairs->n; i++)
		json_write_uint(w, pairs->at[i].key, pairs->at[i].value);
	json_write_end(w);
}

static void write_share(struct json_writer *w, const char *key, double value)
{
	auto_buf struct buf text = { 0 };

	buf_printf(&text, "%.2f", value);
	json_write_raw(w, key, text.text);
}

static void write_psi_line(struct json_writer *w, const char *key, const struct psi_line *line)
{
	if (!line->known)
		return;
	json_write_object(w, key);
	write_share(w, "avg10", line->avg10);
	write_share(w, "avg60", line->avg60);
	write_share(w, "avg300", line->avg300);
	json_write_uint(w, "total", line->total);
	json_write_end(w);
}

static void write_psi(struct json_writer *w, const struct psi *psi)
{
	if (!psi->some.known && !psi->full.known)
		return;
	json_write_object(w, "psi");
	write_psi_line(w, "some", &psi->some);
	write_psi_line(w, "full", &psi->full);
	json_write_end(w);
}

/* A member of cpu.stat, whose times are microseconds. */
struct cpu_row {
	const char *key, *stat;
	bool time;
};

static void write_cpu_rows(struct json_writer *w, const char *key, const struct stat_pairs *cpu,
			   const struct cpu_row *rows, size_t n)
{
	json_write_object(w, key);
	for (size_t i = 0; i < n; i++) {
		struct opt_u64 v = cgroup_stat(cpu, rows[i].stat);

		if (v.set && rows[i].time)
			v.value *= NS_PER_US;
		write_opt(w, rows[i].key, v);
	}
	json_write_end(w);
}

static void write_cpu(struct json_writer *w, const struct cgroup_stats *s)
{
	static const struct cpu_row usage[] = {
		{ "total", "usage_usec", true },
		{ "kernel", "system_usec", true },
		{ "user", "user_usec", true },
	};
	static const struct cpu_row throttling[] = {
		{ "periods", "nr_periods", false },
		{ "throttledPeriods", "nr_throttled", false },
		{ "throttledTime", "throttled_usec", true },
	};

	if (!s->cpu.known)
		return;
	json_write_object(w, "cpu");
	write_cpu_rows(w, "usage", &s->cpu, usage, ARRAY_LEN(usage));
	if (cgroup_stat(&s->cpu, "nr_periods").set)
		write_cpu_rows(w, "throttling", &s->cpu, throttling, ARRAY_LEN(throttling));
	write_psi(w, &s->cpu_psi);
	json_write_end(w);
}

/* As cgroup v1 counts it: memory and swap together. */
static struct opt_u64 with_memory(struct opt_u64 swap, struct opt_u64 memory)
{
	if (!swap.set || !memory.set)
		return (struct opt_u64){ 0 };
	if (__builtin_add_overflow(swap.value, memory.value, &swap.value))
		swap.value = CGROUP_NO_LIMIT;
	return swap;
}

static void write_memory_entry(struct json_writer *w, const char *key, struct opt_u64 limit,
			       struct opt_u64 usage, struct opt_u64 max, struct opt_u64 failures)
{
	if (!limit.set && !usage.set)
		return;
	json_write_object(w, key);
	write_opt(w, "limit", limit);
	write_opt(w, "usage", usage);
	write_opt(w, "max", max);
	write_opt(w, "failcnt", failures);
	json_write_end(w);
}

static void write_memory(struct json_writer *w, const struct cgroup_stats *s)
{
	const struct opt_u64 none = { 0 };

	if (!s->memory.set && !s->memory_stat.known && !s->memory_psi.some.known)
		return;
	json_write_object(w, "memory");
	write_opt(w, "cache", cgroup_stat(&s->memory_stat, "file"));
	write_memory_entry(w, "usage", s->memory_max, s->memory, s->memory_peak,
			   cgroup_stat(&s->memory_events, "max"));
	write_memory_entry(w, "swap", with_memory(s->swap_max, s->memory_max),
			   with_memory(s->swap, s->memory), none, none);
	write_opt(w, "high", s->memory_high);
	write_pairs(w, "events", &s->memory_events);
	write_psi(w, &s->memory_psi);
	write_pairs(w, "raw", &s->memory_stat);
	json_write_end(w);
}

/* runc has 0 for no limit of pids. */
static void write_pids(struct json_writer *w, const struct cgroup_stats *s)
{
	if (!s->pids.set)
		return;
	json_write_object(w, "pids");
	json_write_uint(w, "current", s->pids.value);
	if (s->pids_max.set)
		json_write_uint(w, "limit",
				s->pids_max.value == CGROUP_NO_LIMIT ? 0 : s->pids_max.value);
	write_opt(w, "max", s->pids_peak);
	write_pairs(w, "events", &s->pids_events);
	json_write_end(w);
}

struct io_row {
	const char *stat, *op;
};

static void write_io_table(struct json_writer *w, const char *key, const struct cgroup_stats *s,
			   const struct io_row *rows, size_t n)
{
	json_write_array(w, key);
	for (size_t d = 0; d < s->io.n; d++) {
		for (size_t i = 0; i < n; i++) {
			const struct io_device *device = &s->io.at[d];
			struct opt_u64 v = cgroup_stat(&device->values, rows[i].stat);

			if (!v.set)
				continue;
			json_write_object(w, NULL);
			json_write_uint(w, "major", device->major);
			json_write_uint(w, "minor", device->minor);
			json_write_string(w, "op", rows[i].op);
			json_write_uint(w, "value", v.value);
			json_write_end(w);
		}
	}
	json_write_end(w);
}

static void write_io(struct json_writer *w, const struct cgroup_stats *s)
{
	json_write_array(w, "io");
	for (size_t d = 0; d < s->io.n; d++) {
		const struct stat_pairs *values = &s->io.at[d].values;

		json_write_object(w, NULL);
		json_write_uint(w, "major", s->io.at[d].major);
		json_write_uint(w, "minor", s->io.at[d].minor);
		for (size_t i = 0; i < values->n; i++)
			json_write_uint(w, values->at[i].key, values->at[i].value);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_blkio(struct json_writer *w, const struct cgroup_stats *s)
{
	static const struct io_row bytes[] = { { "rbytes", "Read" }, { "wbytes", "Write" } };
	static const struct io_row count[] = { { "rios", "Read" }, { "wios", "Write" } };

	if (!s->io_known && !s->io_psi.some.known)
		return;
	json_write_object(w, "blkio");
	if (s->io_known) {
		write_io_table(w, "ioServiceBytesRecursive", s, bytes, ARRAY_LEN(bytes));
		write_io_table(w, "ioServicedRecursive", s, count, ARRAY_LEN(count));
		write_io(w, s);
	}
	write_psi(w, &s->io_psi);
	json_write_end(w);
}

static void write_hugetlb(struct json_writer *w, const struct cgroup_stats *s)
{
	if (s->hugetlb.n == 0)
		return;
	json_write_object(w, "hugetlb");
	for (size_t i = 0; i < s->hugetlb.n; i++) {
		const struct hugetlb_stats *page = &s->hugetlb.at[i];

		json_write_object(w, page->size);
		write_opt(w, "usage", page->current);
		write_opt(w, "limit", page->max);
		write_opt(w, "failcnt", cgroup_stat(&page->events, "max"));
		json_write_end(w);
	}
	json_write_end(w);
}

/* runc's names for these have no tags in Go. */
static void write_network(struct json_writer *w, const struct container_stats *stats)
{
	if (!stats->has_network)
		return;
	json_write_array(w, "network_interfaces");
	for (size_t i = 0; i < stats->interfaces.n; i++) {
		const struct net_counters *c = &stats->interfaces.at[i];

		json_write_object(w, NULL);
		json_write_string(w, "Name", c->name);
		json_write_uint(w, "RxBytes", c->rx_bytes);
		json_write_uint(w, "RxPackets", c->rx_packets);
		json_write_uint(w, "RxErrors", c->rx_errors);
		json_write_uint(w, "RxDropped", c->rx_dropped);
		json_write_uint(w, "TxBytes", c->tx_bytes);
		json_write_uint(w, "TxPackets", c->tx_packets);
		json_write_uint(w, "TxErrors", c->tx_errors);
		json_write_uint(w, "TxDropped", c->tx_dropped);
		json_write_end(w);
	}
	json_write_end(w);
}

static struct json_writer begin(struct buf *b, const char *type,
				const struct container_stats *stats)
{
	struct json_writer w = json_writer(b, NULL);

	json_write_object(&w, NULL);
	json_write_string(&w, "type", type);
	json_write_string(&w, "id", stats->id);
	json_write_object(&w, "data");
	return w;
}

static void end(struct json_writer *w)
{
	json_write_end(w);
	json_write_end(w);
	buf_char(w->out, '\n');
}

void stats_json(struct buf *b, const struct container_stats *stats)
{
	struct json_writer w = begin(b, "stats", stats);

	write_cpu(&w, &stats->cgroup);
	write_memory(&w, &stats->cgroup);
	write_pids(&w, &stats->cgroup);
	write_blkio(&w, &stats->cgroup);
	write_hugetlb(&w, &stats->cgroup);
	write_network(&w, stats);
	end(&w);
}

void oom_json(struct buf *b, const struct container_stats *stats)
{
	struct json_writer w = begin(b, "oom", stats);

	write_memory(&w, &stats->cgroup);
	end(&w);
}
