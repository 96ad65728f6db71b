/*
 * fuzz_stats.c - anything at all as the files that statistics are read from,
 * and as those of the doctor. Interface names are a container's own words.
 *
 * Beyond what sanitizers see: what is refused has a line that the text has, and
 * what is accepted can be written as JSON, a table and metrics.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cli/metrics.h"
#include "cli/stats_json.h"
#include "cli/stats_table.h"
#include "runtime/doctor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* Each line of metrics is one line, however a name looks. */
static void check_metrics(const struct stats_list *list)
{
	auto_buf struct buf text = { 0 };

	metrics_text(&text, list);
	require(text.len >= 6 && strcmp(text.text + text.len - 6, "# EOF\n") == 0);
	for (const char *line = text.text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		require(end != NULL);
		require(strncmp(line, "hull_container_", 15) == 0 || strncmp(line, "# ", 2) == 0);
	}
	for (size_t i = 0; i < text.len; i++)
		require(text.text[i] == '\n' || (text.text[i] >= ' ' && text.text[i] <= '~'));
}

static void check_json(const struct container_stats *stats)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };

	stats_json(&text, stats);
	{
		auto_json struct json_doc doc = { .name = "s",
						  .text = text.text,
						  .size = text.len };

		/* Too much for our own reader's limits is no mistake of the writer. */
		if (json_parse(&doc, &a, &e) < 0)
			require(strstr(e.msg, "more than") || strstr(e.msg, "duplicate") ||
				strstr(e.msg, "twice") || text.len > 100000);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf copy = { 0 };
	struct container_stats stats = { .id = "x", .status = STATE_RUNNING, .has_cgroup = true };
	struct cgroup_stats *s = &stats.cgroup;
	struct stats_list list = { &stats, 1 };
	struct err e;
	size_t line, lines;

	buf_add(&copy, data, size);
	buf_str(&copy, "");
	lines = count_lines(copy.text);
	if (stats_parse_flat(copy.text, &a, &s->memory_events, &line) < 0)
		require(line <= lines);
	s->cpu = s->memory_stat = s->pids_events = s->memory_events;
	if (stats_parse_nested(copy.text, &a, s, &line) < 0)
		require(line <= lines && !s->io_known);
	if (stats_parse_psi(copy.text, &s->memory_psi, &line) < 0)
		require(line <= lines && !s->memory_psi.some.known);
	if (stats_parse_value(copy.text, &s->memory) == 0)
		require(s->memory.set);
	if (net_counters_parse(copy.text, &a, &stats.interfaces, &line) < 0)
		require(line <= lines);
	else
		stats.has_network = true;
	check_metrics(&list);
	check_json(&stats);
	buf_clear(&copy);
	require(stats_table(&copy, &list, &list, 1, NULL, &e) == 0);
	buf_clear(&copy);
	buf_add(&copy, data, size);
	buf_str(&copy, "");
	require(doctor_count_ids(copy.text, "dev", 1000) <= UINT32_MAX * (uint64_t)lines);
	require(doctor_last_id(copy.text) <= 2 * (uint64_t)UINT32_MAX);
	return 0;
}
