#include "cgroups/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"
#include "cgroups/grow.h"

enum {
	FILE_MAX = 1024 * 1024, /* io.stat has a line for each device */
	SIZES_MAX = 64,         /* of huge pages */
	NAME_ROOM = 64,
};

/* Parsers */

static int parse_u64(const char *text, size_t len, uint64_t *ret)
{
	uint64_t value = 0;

	if (len == 3 && memcmp(text, "max", 3) == 0) {
		*ret = CGROUP_NO_LIMIT;
		return 0;
	}
	if (len == 0)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++)
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(text[i] - '0'), &value))
			return -EBADMSG;
	*ret = value;
	return 0;
}

int stats_parse_value(const char *text, struct opt_u64 *ret)
{
	uint64_t value;

	TRY(parse_u64(text, strcspn(text, "\n"), &value));
	*ret = (struct opt_u64){ true, value };
	return 0;
}

static void add_pair(struct arena *a, struct stat_pairs *pairs, const char *key, size_t len,
		     uint64_t value)
{
	*grow_list(a, pairs) = (struct stat_pair){ arena_strndup(a, key, len), value };
}

int stats_parse_flat(const char *text, struct arena *a, struct stat_pairs *ret, size_t *ret_line)
{
	struct stat_pairs pairs = { .known = true };

	*ret_line = 1;
	for (const char *end; *text; text = *end ? end + 1 : end, ++*ret_line) {
		size_t key = strcspn(text, " \n");
		uint64_t value;

		end = strchrnul(text, '\n');
		if (key == 0 || text[key] != ' ')
			return -EBADMSG;
		TRY(parse_u64(text + key + 1, (size_t)(end - text) - key - 1, &value));
		add_pair(a, &pairs, text, key, value);
	}
	*ret = pairs;
	return 0;
}

static int parse_device(const char *word, size_t len, struct io_device *ret)
{
	const char *colon = memchr(word, ':', len);
	uint64_t major, minor;

	if (!colon || parse_u64(word, (size_t)(colon - word), &major) < 0 ||
	    parse_u64(colon + 1, len - (size_t)(colon - word) - 1, &minor) < 0 ||
	    major > UINT32_MAX || minor > UINT32_MAX)
		return -EBADMSG;
	*ret = (struct io_device){ .major = (uint32_t)major,
				   .minor = (uint32_t)minor,
				   .values = { .known = true } };
	return 0;
}

/*
 * "8:0 rbytes=1 wbytes=2", by words: a device without values leaves its line
 * unfinished, so that the next one stands on it (Linux before 6.6). What has no whole
 * number, as cost.vrate, is passed over.
 */
int stats_parse_nested(const char *text, struct arena *a, struct cgroup_stats *ret,
		       size_t *ret_line)
{
	struct cgroup_stats stats = { .io_known = true };

	*ret_line = 1;
	for (size_t len; *text; text += len) {
		const char *equals;
		uint64_t value;

		len = strcspn(text, " \n");
		equals = memchr(text, '=', len);
		if (len == 0) {
			*ret_line += *text == '\n';
			len = 1;
		} else if (!equals) {
			struct io_device device;

			TRY(parse_device(text, len, &device));
			*grow_list(a, &stats.io) = device;
		} else if (stats.io.n == 0 || equals == text) {
			return -EBADMSG;
		} else if (parse_u64(equals + 1, len - (size_t)(equals + 1 - text), &value) == 0) {
			add_pair(a, &stats.io.at[stats.io.n - 1].values, text,
				 (size_t)(equals - text), value);
		}
	}
	ret->io_known = true;
	ret->io.at = stats.io.at;
	ret->io.n = stats.io.n;
	return 0;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and perhaps the same for "full". */
int stats_parse_psi(const char *text, struct psi *ret, size_t *ret_line)
{
	struct psi psi = { 0 };

	*ret_line = 1;
	for (const char *end; *text; text = *end ? end + 1 : end, ++*ret_line) {
		struct psi_line line = { .known = true };
		char name[8], total[24];

		end = strchrnul(text, '\n');
		if (sscanf(text, "%7s avg10=%lf avg60=%lf avg300=%lf total=%23[0-9]", name,
			   &line.avg10, &line.avg60, &line.avg300, total) != 5 ||
		    parse_u64(total, strlen(total), &line.total) < 0)
			return -EBADMSG;
		if (strcmp(name, "some") == 0)
			psi.some = line;
		else if (strcmp(name, "full") == 0)
			psi.full = line;
	}
	*ret = psi;
	return 0;
}

/* The files */

enum kind { FLAT, NESTED, PSI, VALUE };

static const struct file_row {
	const char *name;
	enum kind kind;
	size_t member; /* its offset; NESTED: none */
} files[] = {
	{ "cpu.stat", FLAT, offsetof(struct cgroup_stats, cpu) },
	{ "cpu.pressure", PSI, offsetof(struct cgroup_stats, cpu_psi) },
	{ "memory.current", VALUE, offsetof(struct cgroup_stats, memory) },
	{ "memory.peak", VALUE, offsetof(struct cgroup_stats, memory_peak) },
	{ "memory.max", VALUE, offsetof(struct cgroup_stats, memory_max) },
	{ "memory.high", VALUE, offsetof(struct cgroup_stats, memory_high) },
	{ "memory.swap.current", VALUE, offsetof(struct cgroup_stats, swap) },
	{ "memory.swap.peak", VALUE, offsetof(struct cgroup_stats, swap_peak) },
	{ "memory.swap.max", VALUE, offsetof(struct cgroup_stats, swap_max) },
	{ "memory.stat", FLAT, offsetof(struct cgroup_stats, memory_stat) },
	{ "memory.events", FLAT, offsetof(struct cgroup_stats, memory_events) },
	{ "memory.pressure", PSI, offsetof(struct cgroup_stats, memory_psi) },
	{ "pids.current", VALUE, offsetof(struct cgroup_stats, pids) },
	{ "pids.peak", VALUE, offsetof(struct cgroup_stats, pids_peak) },
	{ "pids.max", VALUE, offsetof(struct cgroup_stats, pids_max) },
	{ "pids.events", FLAT, offsetof(struct cgroup_stats, pids_events) },
	{ "io.stat", NESTED, 0 },
	{ "io.pressure", PSI, offsetof(struct cgroup_stats, io_psi) },
};

/* EOPNOTSUPP: pressure is not accounted here, or not at all. ENODEV: removed since it was opened. */
static bool is_missing(int r)
{
	return r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP;
}

/* 1 if it is there. */
static int read_file(int dirfd, const char *name, struct buf *ret)
{
	auto_fd int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	buf_clear(ret);
	buf_str(ret, "");
	if (fd < 0)
		return is_missing(-errno) ? 0 : -errno;
	r = io_slurp(fd, FILE_MAX, ret);
	return is_missing(r) ? 0 : r < 0 ? r : 1;
}

static int parse(enum kind kind, const char *text, struct arena *a, void *member,
		 struct cgroup_stats *stats, size_t *ret_line)
{
	*ret_line = 1;
	switch (kind) {
	case FLAT:
		return stats_parse_flat(text, a, member, ret_line);
	case NESTED:
		return stats_parse_nested(text, a, stats, ret_line);
	case PSI:
		return stats_parse_psi(text, member, ret_line);
	default:
		return stats_parse_value(text, member);
	}
}

/* What one command reads with. */
struct reader {
	int dirfd;
	const char *path;
	struct arena *arena;
	struct buf text;
};

static int read_one(struct reader *in, const char *name, enum kind kind, void *member,
		    struct cgroup_stats *stats, struct err *e)
{
	size_t line;
	int r = read_file(in->dirfd, name, &in->text);

	if (r < 0)
		return err_neg(e, r, "read %s/%s", in->path, name);
	if (r == 0)
		return 0;
	if (parse(kind, in->text.text, in->arena, member, stats, &line) < 0)
		return err_set(e, EBADMSG, "%s/%s: line %zu is not as the kernel writes it",
			       in->path, name, line);
	return 0;
}

static int compare_sizes(const void *a, const void *b)
{
	return strcmp(((const struct hugetlb_stats *)a)->size,
		      ((const struct hugetlb_stats *)b)->size);
}

static int read_size(struct reader *in, struct hugetlb_stats *page, struct err *e)
{
	char name[NAME_ROOM + 32];

	snprintf(name, sizeof(name), "hugetlb.%s.current", page->size);
	TRY(read_one(in, name, VALUE, &page->current, NULL, e));
	snprintf(name, sizeof(name), "hugetlb.%s.max", page->size);
	TRY(read_one(in, name, VALUE, &page->max, NULL, e));
	snprintf(name, sizeof(name), "hugetlb.%s.events", page->size);
	return read_one(in, name, FLAT, &page->events, NULL, e);
}

/* The sizes of huge pages are in the names of files. */
static int list_sizes(struct reader *in, struct cgroup_stats *stats)
{
	int copy = openat(in->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!dir) {
		int r = -errno;

		close_fd(&copy);
		return r;
	}
	while ((entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): own stream */
		const char *size = entry->d_name + strlen("hugetlb.");
		size_t len;

		if (strncmp(entry->d_name, "hugetlb.", strlen("hugetlb.")) != 0)
			continue;
		len = strcspn(size, ".");
		if (len < NAME_ROOM && strcmp(size + len, ".current") == 0 &&
		    stats->hugetlb.n < SIZES_MAX)
			grow_list(in->arena, &stats->hugetlb)->size =
				arena_strndup(in->arena, size, len);
	}
	closedir(dir);
	if (stats->hugetlb.n)
		qsort(stats->hugetlb.at, stats->hugetlb.n, sizeof(*stats->hugetlb.at),
		      compare_sizes);
	return 0;
}

static void reader_done(struct reader *in)
{
	buf_done(&in->text);
}

int cgroup_stats_read(int dirfd, const char *path, struct arena *a, struct cgroup_stats *ret,
		      struct err *e)
{
	__attribute__((cleanup(reader_done))) struct reader in = { dirfd, path, a, { 0 } };
	struct cgroup_stats stats = { 0 };
	int r;

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		TRY(read_one(&in, files[i].name, files[i].kind, (char *)&stats + files[i].member,
			     &stats, e));
	r = list_sizes(&in, &stats);
	if (r < 0 && !is_missing(r))
		return err_neg(e, r, "list %s", path);
	for (size_t i = 0; i < stats.hugetlb.n; i++)
		TRY(read_size(&in, &stats.hugetlb.at[i], e));
	*ret = stats;
	return 0;
}

struct opt_u64 cgroup_stat(const struct stat_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->at[i].key, key) == 0)
			return (struct opt_u64){ true, pairs->at[i].value };
	return (struct opt_u64){ 0 };
}

enum cgroup_where cgroup_oom_where(const struct cgroup_oom *oom)
{
	if (!oom->own.set || !oom->within.set)
		return WHERE_UNKNOWN;
	return oom->own.value ? WHERE_OWN : oom->within.value ? WHERE_BELOW : WHERE_ABOVE;
}

/* memory.events counts what happened below, too; memory.events.local whose limit it was. */
static int read_where(struct reader *in, bool in_unit, struct cgroup_oom *oom, struct err *e)
{
	struct stat_pairs local = { 0 }, unit = { 0 };

	TRY(read_one(in, "memory.events.local", FLAT, &local, NULL, e));
	oom->own = cgroup_stat(&local, "oom");
	if (in_unit)
		TRY(read_one(in, "../memory.events.local", FLAT, &unit, NULL, e));
	oom->own.value += cgroup_stat(&unit, "oom").value;
	return 0;
}

int cgroup_oom_read(int dirfd, const char *path, bool in_unit, struct cgroup_oom *ret,
		    struct err *e)
{
	auto_arena struct arena a = { 0 };
	__attribute__((cleanup(reader_done))) struct reader in = { dirfd, path, &a, { 0 } };
	struct stat_pairs events = { 0 };
	struct cgroup_oom oom = { 0 };

	TRY(read_one(&in, "memory.events", FLAT, &events, NULL, e));
	if (events.known) {
		oom.kills = cgroup_stat(&events, "oom_kill");
		oom.within = cgroup_stat(&events, "oom");
		TRY(read_where(&in, in_unit, &oom, e));
		TRY(read_one(&in, "memory.max", VALUE, &oom.limit, NULL, e));
		TRY(read_one(&in, "memory.peak", VALUE, &oom.peak, NULL, e));
	}
	*ret = oom;
	return 0;
}

/* "50000 100000", which is as a line of a flat file: the quota is its key. */
static int read_cpu_held(struct reader *in, struct cgroup_held *ret, struct err *e)
{
	struct stat_pairs max = { 0 }, stat = { 0 };
	uint64_t quota;

	TRY(read_one(in, "cpu.max", FLAT, &max, NULL, e));
	if (max.n == 0)
		return 0;
	if (parse_u64(max.at[0].key, strlen(max.at[0].key), &quota) < 0)
		return err_set(e, EBADMSG, "%s/cpu.max: line 1 is not as the kernel writes it",
			       in->path);
	TRY(read_one(in, "cpu.stat", FLAT, &stat, NULL, e));
	ret->throttled = cgroup_stat(&stat, "nr_throttled");
	ret->periods = cgroup_stat(&stat, "nr_periods");
	ret->quota = quota;
	ret->period = max.at[0].value;
	return 0;
}

/* A device's limits as io.max takes them, without what is not limited; NULL: nothing is. */
static const char *io_limits(struct arena *a, const struct io_device *device)
{
	const char *text = NULL;

	for (size_t i = 0; i < device->values.n; i++) {
		const struct stat_pair *pair = &device->values.at[i];

		if (pair->value == CGROUP_NO_LIMIT)
			continue;
		if (!text)
			text = arena_printf(a, "%u:%u", device->major, device->minor);
		text = arena_printf(a, "%s %s=%llu", text, pair->key,
				    (unsigned long long)pair->value);
	}
	return text;
}

static int read_io_held(struct reader *in, struct cgroup_held *ret, struct err *e)
{
	struct cgroup_stats max = { 0 };
	struct psi psi = { 0 };

	TRY(read_one(in, "io.max", NESTED, NULL, &max, e));
	for (size_t i = 0; i < max.io.n; i++) {
		const char *text = io_limits(in->arena, &max.io.at[i]);

		if (text)
			*grow_list(in->arena, &ret->io_limits) = text;
	}
	if (ret->io_limits.n == 0)
		return 0;
	TRY(read_one(in, "io.pressure", PSI, &psi, NULL, e));
	if (psi.some.known)
		ret->waited = (struct opt_u64){ true, psi.some.total };
	return 0;
}

int cgroup_held_read(int dirfd, const char *path, struct arena *a, struct cgroup_held *ret,
		     struct err *e)
{
	__attribute__((cleanup(reader_done))) struct reader in = { dirfd, path, a, { 0 } };
	struct stat_pairs events = { 0 }, local = { 0 };
	struct cgroup_held held = { 0 };

	TRY(read_one(&in, "pids.events", FLAT, &events, NULL, e));
	held.refused = cgroup_stat(&events, "max");
	if (held.refused.set) {
		TRY(read_one(&in, "pids.max", VALUE, &held.pids_limit, NULL, e));
		TRY(read_one(&in, "pids.events.local", FLAT, &local, NULL, e));
		held.refused_here = cgroup_stat(&local, "max");
	}
	TRY(read_cpu_held(&in, &held, e));
	TRY(read_io_held(&in, &held, e));
	*ret = held;
	return 0;
}
