#include "cli/metrics.h"

#include <string.h>

enum { US_PER_S = 1000 * 1000 };

/* A family and how its samples come out of a container. */
struct family {
	const char *name, *type, *unit, *help;
	void (*write)(struct buf *b, const struct family *f, const struct container_stats *stats);
	size_t member; /* what write() looks at: an offset in what it reads from */
	const char *key;
};

/*
 * A label's value. Interface names may hold any byte, and two that differ must
 * stay different: what is not printable ASCII becomes \xNN.
 */
static void put_value(struct buf *b, const char *value)
{
	buf_char(b, '"');
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			buf_printf(b, "\\%c", *value);
		else if (*value < ' ' || *value > '~') /* char is signed or not */
			buf_printf(b, "\\\\x%02x", (unsigned char)*value);
		else
			buf_char(b, *value);
	}
	buf_char(b, '"');
}

/* Begins a sample: its name and labels. `label` may be NULL. */
static void put_name(struct buf *b, const struct family *f, const struct container_stats *stats,
		     const char *label, const char *value)
{
	bool counts = strcmp(f->type, "counter") == 0;

	buf_printf(b, "%s%s{id=", f->name, counts ? "_total" : "");
	put_value(b, stats->id);
	if (label) {
		buf_printf(b, ",%s=", label);
		put_value(b, value);
	}
	buf_str(b, "} ");
}

static void put(struct buf *b, const struct family *f, const struct container_stats *stats,
		const char *label, const char *value, struct opt_u64 v)
{
	if (!v.set || v.value == CGROUP_NO_LIMIT)
		return;
	put_name(b, f, stats, label, value);
	buf_printf(b, "%llu\n", (unsigned long long)v.value);
}

static void put_microseconds(struct buf *b, const struct family *f,
			     const struct container_stats *stats, const char *label,
			     const char *value, struct opt_u64 v)
{
	if (!v.set)
		return;
	put_name(b, f, stats, label, value);
	buf_printf(b, "%llu.%06llu\n", (unsigned long long)(v.value / US_PER_S),
		   (unsigned long long)(v.value % US_PER_S));
}

/* A stateset: one sample for each status that there is, one of them true. */
static void write_status(struct buf *b, const struct family *f, const struct container_stats *stats)
{
	for (int status = STATE_CREATING; status <= STATE_STOPPED; status++) {
		put_name(b, f, stats, f->name, state_status_name((enum state_status)status));
		buf_printf(b, "%d\n", stats->status == (enum state_status)status);
	}
}

static const void *in_cgroup(const struct container_stats *stats, size_t member)
{
	return (const char *)&stats->cgroup + member;
}

static void write_value(struct buf *b, const struct family *f, const struct container_stats *stats)
{
	put(b, f, stats, NULL, NULL, *(const struct opt_u64 *)in_cgroup(stats, f->member));
}

static void write_key(struct buf *b, const struct family *f, const struct container_stats *stats)
{
	put(b, f, stats, NULL, NULL, cgroup_stat(in_cgroup(stats, f->member), f->key));
}

static void write_time(struct buf *b, const struct family *f, const struct container_stats *stats)
{
	put_microseconds(b, f, stats, NULL, NULL, cgroup_stat(in_cgroup(stats, f->member), f->key));
}

static void write_events(struct buf *b, const struct family *f, const struct container_stats *stats)
{
	const struct stat_pairs *pairs = in_cgroup(stats, f->member);

	for (size_t i = 0; i < pairs->n; i++)
		put(b, f, stats, "event", pairs->at[i].key,
		    (struct opt_u64){ true, pairs->at[i].value });
}

static void write_io(struct buf *b, const struct family *f, const struct container_stats *stats)
{
	for (size_t i = 0; i < stats->cgroup.io.n; i++) {
		const struct io_device *device = &stats->cgroup.io.at[i];
		auto_buf struct buf name = { 0 };

		buf_printf(&name, "%u:%u", device->major, device->minor);
		put(b, f, stats, "device", name.text, cgroup_stat(&device->values, f->key));
	}
}

static void write_psi(struct buf *b, const struct family *f, const struct container_stats *stats)
{
	const struct cgroup_stats *s = &stats->cgroup;
	const struct {
		const char *name;
		const struct psi *psi;
	} resources[] = { { "cpu", &s->cpu_psi },
			  { "io", &s->io_psi },
			  { "memory", &s->memory_psi } };

	for (size_t i = 0; i < ARRAY_LEN(resources); i++) {
		const struct psi_line *line =
			(const void *)((const char *)resources[i].psi + f->member);

		put_microseconds(b, f, stats, "resource", resources[i].name,
				 (struct opt_u64){ line->known, line->total });
	}
}

static void write_network(struct buf *b, const struct family *f,
			  const struct container_stats *stats)
{
	for (size_t i = 0; i < stats->interfaces.n; i++) {
		const struct net_counters *c = &stats->interfaces.at[i];
		uint64_t value = *(const uint64_t *)(const void *)((const char *)c + f->member);

		put(b, f, stats, "interface", c->name, (struct opt_u64){ true, value });
	}
}

static void write_hugetlb(struct buf *b, const struct family *f,
			  const struct container_stats *stats)
{
	for (size_t i = 0; i < stats->cgroup.hugetlb.n; i++) {
		const struct hugetlb_stats *page = &stats->cgroup.hugetlb.at[i];

		put(b, f, stats, "size", page->size, page->current);
	}
}

#define IN(m) offsetof(struct cgroup_stats, m)
#define NET(m) offsetof(struct net_counters, m)
#define P "hull_container_"

/* clang-format off */
static const struct family families[] = {
	{ P "status", "stateset", NULL, "What state the container is in.", write_status, 0, NULL },
	{ P "cpu_usage_seconds", "counter", "seconds", "Time on a processor.", write_time, IN(cpu), "usage_usec" },
	{ P "cpu_user_seconds", "counter", "seconds", "Time in programs.", write_time, IN(cpu), "user_usec" },
	{ P "cpu_system_seconds", "counter", "seconds", "Time in the kernel.", write_time, IN(cpu), "system_usec" },
	{ P "cpu_periods", "counter", NULL, "Periods of the CPU quota.", write_key, IN(cpu), "nr_periods" },
	{ P "cpu_throttled_periods", "counter", NULL, "Periods in which the quota was used up.", write_key, IN(cpu), "nr_throttled" },
	{ P "cpu_throttled_seconds", "counter", "seconds", "Time held back by the quota.", write_time, IN(cpu), "throttled_usec" },
	{ P "memory_usage_bytes", "gauge", "bytes", "Memory, with what is cached of files.", write_value, IN(memory), NULL },
	{ P "memory_inactive_file_bytes", "gauge", "bytes", "What is cached of files and could be dropped.", write_key, IN(memory_stat), "inactive_file" },
	{ P "memory_peak_bytes", "gauge", "bytes", "The most memory so far.", write_value, IN(memory_peak), NULL },
	{ P "memory_limit_bytes", "gauge", "bytes", "The limit of memory, if there is one.", write_value, IN(memory_max), NULL },
	{ P "memory_swap_bytes", "gauge", "bytes", "Swap.", write_value, IN(swap), NULL },
	{ P "memory_swap_limit_bytes", "gauge", "bytes", "The limit of swap, if there is one.", write_value, IN(swap_max), NULL },
	{ P "memory_events", "counter", NULL, "What came of the limits of memory.", write_events, IN(memory_events), NULL },
	{ P "pids", "gauge", NULL, "Processes and threads.", write_value, IN(pids), NULL },
	{ P "pids_limit", "gauge", NULL, "The limit of processes and threads, if there is one.", write_value, IN(pids_max), NULL },
	{ P "io_read_bytes", "counter", "bytes", "Read from block devices.", write_io, 0, "rbytes" },
	{ P "io_written_bytes", "counter", "bytes", "Written to block devices.", write_io, 0, "wbytes" },
	{ P "io_reads", "counter", NULL, "Reads from block devices.", write_io, 0, "rios" },
	{ P "io_writes", "counter", NULL, "Writes to block devices.", write_io, 0, "wios" },
	{ P "hugetlb_usage_bytes", "gauge", "bytes", "Huge pages.", write_hugetlb, 0, NULL },
	{ P "pressure_some_seconds", "counter", "seconds", "Time in which some processes waited for the resource.", write_psi, offsetof(struct psi, some), NULL },
	{ P "pressure_full_seconds", "counter", "seconds", "Time in which all processes waited for the resource.", write_psi, offsetof(struct psi, full), NULL },
	{ P "network_received_bytes", "counter", "bytes", "Received.", write_network, NET(rx_bytes), NULL },
	{ P "network_received_packets", "counter", NULL, "Packets received.", write_network, NET(rx_packets), NULL },
	{ P "network_received_errors", "counter", NULL, "Errors in receiving.", write_network, NET(rx_errors), NULL },
	{ P "network_received_dropped", "counter", NULL, "Packets dropped in receiving.", write_network, NET(rx_dropped), NULL },
	{ P "network_sent_bytes", "counter", "bytes", "Sent.", write_network, NET(tx_bytes), NULL },
	{ P "network_sent_packets", "counter", NULL, "Packets sent.", write_network, NET(tx_packets), NULL },
	{ P "network_sent_errors", "counter", NULL, "Errors in sending.", write_network, NET(tx_errors), NULL },
	{ P "network_sent_dropped", "counter", NULL, "Packets dropped in sending.", write_network, NET(tx_dropped), NULL },
};
/* clang-format on */

static void put_family(struct buf *b, const struct family *f, const struct stats_list *list)
{
	auto_buf struct buf samples = { 0 };

	for (size_t i = 0; i < list->n; i++)
		f->write(&samples, f, &list->at[i]);
	if (samples.len == 0)
		return;
	buf_printf(b, "# TYPE %s %s\n", f->name, f->type);
	if (f->unit)
		buf_printf(b, "# UNIT %s %s\n", f->name, f->unit);
	buf_printf(b, "# HELP %s %s\n", f->name, f->help);
	buf_add(b, samples.text, samples.len);
}

void metrics_text(struct buf *b, const struct stats_list *list)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		put_family(b, &families[i], list);
	buf_str(b, "# EOF\n");
}
