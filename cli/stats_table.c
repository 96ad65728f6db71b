#include "cli/stats_table.h"

#include <string.h>

#include "base/json_write.h"
#include "cli/people.h"

/* What is shown of one container; unset: not known. */
struct usage {
	const struct container_stats *stats;
	bool has_cpu;
	double cpu; /* percent of one processor */
	struct opt_u64 memory, limit, pids;
	struct opt_u64 received, sent, read, written;
};

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static const struct container_stats *find(const struct stats_list *list, const char *id)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i].id, id) == 0)
			return &list->at[i];
	return NULL;
}

static void read_cpu(struct usage *u, const struct container_stats *before,
		     const struct container_stats *now)
{
	struct opt_u64 used = cgroup_stat(&now->cgroup.cpu, "usage_usec"), had;

	if (!before)
		return;
	had = cgroup_stat(&before->cgroup.cpu, "usage_usec");
	/* Less than before: another container of the same id. */
	if (!used.set || !had.set || used.value < had.value || now->taken <= before->taken)
		return;
	u->has_cpu = true;
	u->cpu = percent(used.value - had.value, (uint64_t)(now->taken - before->taken));
}

static void read_memory(struct usage *u, const struct cgroup_stats *s, uint64_t machine_memory)
{
	struct opt_u64 droppable = cgroup_stat(&s->memory_stat, "inactive_file");

	if (!s->memory.set)
		return;
	u->memory = s->memory;
	if (droppable.set && droppable.value <= u->memory.value)
		u->memory.value -= droppable.value;
	u->limit = s->memory_max;
	if (!u->limit.set || u->limit.value > machine_memory)
		u->limit = (struct opt_u64){ true, machine_memory };
}

static void add(struct opt_u64 *sum, struct opt_u64 v)
{
	if (v.set)
		sum->value += v.value;
}

static struct usage read_usage(const struct stats_list *before, const struct container_stats *now,
			       uint64_t machine_memory)
{
	const struct cgroup_stats *s = &now->cgroup;
	struct usage u = { .stats = now, .pids = s->pids };

	read_cpu(&u, find(before, now->id), now);
	read_memory(&u, s, machine_memory);
	u.received.set = u.sent.set = now->has_network;
	for (size_t i = 0; i < now->interfaces.n; i++) {
		u.received.value += now->interfaces.at[i].rx_bytes;
		u.sent.value += now->interfaces.at[i].tx_bytes;
	}
	u.read.set = u.written.set = s->io_known;
	for (size_t i = 0; i < s->io.n; i++) {
		add(&u.read, cgroup_stat(&s->io.at[i].values, "rbytes"));
		add(&u.written, cgroup_stat(&s->io.at[i].values, "wbytes"));
	}
	return u;
}

/* "1.5MiB", "20kB": four digits at most. */
static char *size_text(struct arena *a, uint64_t bytes, unsigned base)
{
	static const char *const binary[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	static const char *const decimal[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= base && unit < ARRAY_LEN(binary) - 1; unit++)
		value /= base;
	/* 999.96 is 1000 in four digits and 1e+03 in three. */
	return arena_printf(a, "%.*f%s",
			    unit == 0 || value >= 99.995 ? 0
			    : value >= 9.9995            ? 1
							 : 2,
			    value, base == 1000 ? decimal[unit] : binary[unit]);
}

static const char *pair_text(struct arena *a, struct opt_u64 one, struct opt_u64 two, unsigned base)
{
	if (!one.set || !two.set)
		return "-";
	return arena_printf(a, "%s / %s", size_text(a, one.value, base),
			    size_text(a, two.value, base));
}

/* Docker's names. */
static const struct people_field fields[] = {
	{ "ID", "CONTAINER ID", false },    { "Name", "NAME", false },
	{ "CPUPerc", "CPU %", false },      { "MemUsage", "MEM USAGE / LIMIT", false },
	{ "MemPerc", "MEM %", false },      { "NetIO", "NET I/O", false },
	{ "BlockIO", "BLOCK I/O", false },  { "PIDs", "PIDS", false },
	{ "Container", "CONTAINER", true }, { 0 },
};

enum { SHORT_ID = 12 };

static void add_row(struct people_table *t, const struct usage *u)
{
	auto_arena struct arena a = { 0 };
	const struct container_stats *s = u->stats;

	people_table_row(
		t,
		(const char *const[]){
			s->name ? arena_printf(&a, "%.*s", SHORT_ID, s->id) : s->id,
			s->name ? s->name : s->id,
			u->has_cpu ? arena_printf(&a, "%.2f%%", u->cpu) : "-",
			pair_text(&a, u->memory, u->limit, 1024),
			u->memory.set ? arena_printf(&a, "%.2f%%",
						     percent(u->memory.value, u->limit.value))
				      : "-",
			pair_text(&a, u->received, u->sent, 1000),
			pair_text(&a, u->read, u->written, 1000),
			u->pids.set ? arena_printf(&a, "%llu", (unsigned long long)u->pids.value)
				    : "-",
			s->id },
		NULL);
}

int stats_table(struct buf *b, const struct stats_list *before, const struct stats_list *now,
		uint64_t machine_memory, const char *format, struct err *e)
{
	auto_people_table struct people_table t = { 0 };

	people_table_begin(&t, fields, format);
	for (size_t i = 0; i < now->n; i++) {
		struct usage u = read_usage(before, &now->at[i], machine_memory);

		add_row(&t, &u);
	}
	TRY(people_table_print(&t, e));
	buf_str(b, t.out.text);
	return 0;
}

static void write_opt(struct json_writer *w, const char *key, struct opt_u64 v)
{
	if (v.set)
		json_write_uint(w, key, v.value);
}

static void write_percent(struct json_writer *w, const char *key, double value)
{
	auto_buf struct buf text = { 0 };

	buf_printf(&text, "%.2f", value);
	json_write_raw(w, key, text.text);
}

void stats_lines(struct buf *b, const struct stats_list *before, const struct stats_list *now,
		 uint64_t machine_memory)
{
	for (size_t i = 0; i < now->n; i++) {
		struct usage u = read_usage(before, &now->at[i], machine_memory);
		struct json_writer w = json_writer(b, NULL);

		json_write_object(&w, NULL);
		json_write_string(&w, "id", u.stats->id);
		if (u.stats->name)
			json_write_string(&w, "name", u.stats->name);
		json_write_string(&w, "status", state_status_name(u.stats->status));
		if (u.has_cpu)
			write_percent(&w, "cpuPercent", u.cpu);
		write_opt(&w, "memory", u.memory);
		write_opt(&w, "memoryLimit", u.limit);
		if (u.memory.set)
			write_percent(&w, "memoryPercent", percent(u.memory.value, u.limit.value));
		write_opt(&w, "networkReceived", u.received);
		write_opt(&w, "networkSent", u.sent);
		write_opt(&w, "blockRead", u.read);
		write_opt(&w, "blockWritten", u.written);
		write_opt(&w, "pids", u.pids);
		json_write_end(&w);
		buf_char(b, '\n');
	}
}
