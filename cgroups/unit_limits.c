/* Limits as properties of a unit; see unit.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "cgroups/grow.h"
#include "cgroups/unit.h"

enum {
	CPUS_MAX = 8192,
	PERIOD = 100000,      /* of cpu.max, microseconds, where none is given */
	PER_SECOND = 1000000, /* microseconds */
	QUOTA_STEP = 10000,   /* systemd counts in percent of a second */
	TASKS_LEAST = 3,      /* see put_tasks() */
};
#define UNLIMITED UINT64_MAX /* and "not set", for weights */

struct putter {
	struct arena *arena;
	struct unit_properties *list;
	unsigned flags;
};

struct row {
	const char *file, *property;
	void (*put)(struct putter *p, const struct row *row, const char *value);
};

/* "max", or a number that may end with a unit as memparse() of the kernel has it. */
static bool parse_number(const char *text, uint64_t *ret)
{
	static const char units[] = "KMGTPE";
	const char *unit;
	char *end;

	if (strcmp(text, "max") == 0) {
		*ret = UNLIMITED;
		return true;
	}
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (errno)
		return false;
	for (unit = units; *end && *unit; unit++) {
		if (*ret > UINT64_MAX / 1024)
			return false;
		*ret *= 1024;
		if ((*end & ~0x20) == *unit)
			return !end[1];
	}
	return !*end;
}

static void put_number(struct putter *p, const struct row *row, const char *value)
{
	uint64_t n;

	if (parse_number(value, &n))
		unit_set(p->arena, p->list, row->property, "t")->number = n;
}

/*
 * While the container's process is made there may be three in the scope, with
 * the one that holds it; the exact number is in the container's own cgroup.
 */
static void put_tasks(struct putter *p, const struct row *row, const char *value)
{
	uint64_t n;

	if (parse_number(value, &n))
		unit_set(p->arena, p->list, row->property, "t")->number =
			n < TASKS_LEAST ? TASKS_LEAST : n;
}

static void put_weight(struct putter *p, const struct row *row, const char *value)
{
	uint64_t n;

	if (parse_number(value, &n) && n >= 1 && n <= 10000)
		unit_set(p->arena, p->list, row->property, "t")->number = n;
}

static bool has(const struct putter *p, const char *name)
{
	for (size_t i = 0; i < p->list->n; i++)
		if (strcmp(p->list->at[i].name, name) == 0)
			return true;
	return false;
}

/* Idle is the weight 0 of systemd (252); what is not idle has its weight, or the usual one. */
static void put_idle(struct putter *p, const struct row *row, const char *value)
{
	const bool idle = strcmp(value, "1") == 0;

	if (idle || !has(p, row->property))
		unit_set(p->arena, p->list, row->property, "t")->number = idle ? 0 : UNLIMITED;
}

/* "max", "50000", "50000 100000". systemd rounds to whole percents, so this rounds up before. */
static void put_quota(struct putter *p, const struct row *row, const char *value)
{
	uint64_t period = PERIOD, quota;
	const char *space = strchr(value, ' ');
	const char *first = space ? arena_strndup(p->arena, value, (size_t)(space - value)) : value;

	if (!parse_number(first, &quota) || (space && !parse_number(space + 1, &period)) ||
	    period == 0 || period == UNLIMITED)
		return;
	if (quota != UNLIMITED) {
		if (quota > UINT64_MAX / PER_SECOND - QUOTA_STEP)
			return;
		quota = (quota * PER_SECOND + period - 1) / period;
		quota = (quota + QUOTA_STEP - 1) / QUOTA_STEP * QUOTA_STEP;
	}
	unit_set(p->arena, p->list, row->property, "t")->number = p->flags & UNIT_BURSTS ? UNLIMITED : quota;
	if (space)
		unit_set(p->arena, p->list, "CPUQuotaPeriodUSec", "t")->number = period;
}

/* "0-3,7" as a mask, the lowest bit of the first byte for 0; nothing ("\n") resets. */
static void put_set(struct putter *p, const struct row *row, const char *value)
{
	uint64_t *mask = arena_array(p->arena, CPUS_MAX / 8, sizeof(*mask));
	struct unit_property *property;
	size_t bytes = 0;

	for (const char *at = value; *at && *at != '\n';) {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;

		if (*at < '0' || *at > '9')
			return;
		if (*end == '-') {
			at = end + 1;
			last = strtoul(at, &end, 10);
			if (*at < '0' || *at > '9')
				return;
		}
		if (last < first || last >= CPUS_MAX || (*end && *end != ',' && *end != '\n'))
			return;
		for (unsigned long bit = first; bit <= last; bit++)
			mask[bit / 8] |= 1U << (bit % 8);
		bytes = last / 8 + 1 > bytes ? last / 8 + 1 : bytes;
		at = end + (*end == ',');
	}
	property = unit_set(p->arena, p->list, row->property, "ay");
	property->numbers.at = mask;
	property->numbers.n = bytes;
}

/* Adds a device to what the property has already. */
static void put_device(struct putter *p, const char *name, const char *number, size_t len,
		       uint64_t value)
{
	struct unit_property *property = NULL;

	for (size_t i = 0; i < p->list->n; i++)
		if (strcmp(p->list->at[i].name, name) == 0)
			property = &p->list->at[i];
	if (!property)
		property = unit_set(p->arena, p->list, name, "a(st)");
	*grow_list(p->arena, &property->pairs) =
		(struct unit_device){ arena_printf(p->arena, "/dev/block/%.*s", (int)len, number),
				      value };
}

/* "8:0" at the start, and a space after it; 0: there is no such thing. */
static size_t device_number(const char *value)
{
	size_t major = strspn(value, "0123456789"), minor;

	if (!major || value[major] != ':')
		return 0;
	minor = strspn(value + major + 1, "0123456789");
	return minor && value[major + 1 + minor] == ' ' ? major + 1 + minor : 0;
}

/* "100", "default 100", "8:0 100" */
static void put_io_weight(struct putter *p, const struct row *row, const char *value)
{
	size_t device = device_number(value);
	uint64_t n;

	if (!device) {
		put_weight(p, row, strncmp(value, "default ", 8) == 0 ? value + 8 : value);
		return;
	}
	if (parse_number(value + device + 1, &n) && n >= 1 && n <= 10000)
		put_device(p, "IODeviceWeight", value, device, n);
}

/*
 * systemd has one property for both files. For BFQ it makes 1 to 1000 of its 1 to 10000, with 100 for 100
 * (BFQ_WEIGHT() of its cgroup-util.h): this is the value of which it makes the one wanted.
 */
static void put_bfq_weight(struct putter *p, const struct row *row, const char *value)
{
	size_t device = device_number(value), skip = device ? device + 1 : 0;
	uint64_t n;

	if (!(p->flags & UNIT_BFQ))
		return;
	if (strncmp(value, "default ", 8) == 0)
		skip = 8;
	if (!parse_number(value + skip, &n) || n < 1 || n > 1000)
		return;
	if (n > 100)
		n = 100 + (n - 100) * 11;
	if (device)
		put_device(p, "IODeviceWeight", value, device, n);
	else
		unit_set(p->arena, p->list, row->property, "t")->number = n;
}

/* "8:0 rbps=1048576 wiops=max" */
static void put_io_max(struct putter *p, const struct row *row, const char *value)
{
	static const struct {
		const char *key, *property;
	} keys[] = { { "rbps=", "IOReadBandwidthMax" },
		     { "wbps=", "IOWriteBandwidthMax" },
		     { "riops=", "IOReadIOPSMax" },
		     { "wiops=", "IOWriteIOPSMax" } };
	size_t device = device_number(value);
	uint64_t n;

	(void)row;
	for (const char *word = value + device; device && *word;) {
		size_t len;

		word += strspn(word, " ");
		len = strcspn(word, " ");
		for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
			size_t key = strlen(keys[i].key);

			if (strncmp(word, keys[i].key, key) == 0 &&
			    parse_number(arena_strndup(p->arena, word + key, len - key), &n))
				put_device(p, keys[i].property, value, device, n);
		}
		word += len;
	}
}

static const struct row rows[] = {
	{ "memory.max", "MemoryMax", put_number },
	{ "memory.high", "MemoryHigh", put_number },
	{ "memory.low", "MemoryLow", put_number },
	{ "memory.min", "MemoryMin", put_number },
	{ "memory.swap.max", "MemorySwapMax", put_number },
	{ "cpu.weight", "CPUWeight", put_weight },
	{ "cpu.idle", "CPUWeight", put_idle },
	{ "cpu.max", "CPUQuotaPerSecUSec", put_quota },
	{ "cpuset.cpus", "AllowedCPUs", put_set },
	{ "cpuset.mems", "AllowedMemoryNodes", put_set },
	{ "pids.max", "TasksMax", put_tasks },
	{ "io.weight", "IOWeight", put_io_weight },
	{ "io.bfq.weight", "IOWeight", put_bfq_weight },
	{ "io.max", NULL, put_io_max },
};

static void put(struct putter *p, const char *file, const char *value)
{
	for (size_t i = 0; file && i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].file, file) == 0)
			rows[i].put(p, &rows[i], value);
}

void unit_limits(struct arena *a, const struct knob_values *values, unsigned flags,
		 struct unit_properties *ret)
{
	struct putter p = { a, ret, flags };

	for (size_t i = 0; i < values->n; i++) {
		const struct knob_value *v = &values->at[i];

		put(&p, v->file, v->value);
		/* io.weight, where there is no io.bfq.weight */
		if (!(flags & UNIT_BFQ))
			put(&p, v->other_file, v->other_value);
	}
}

/* "[none] mq-deadline kyber bfq": what a disk may have. */
static bool disk_knows_bfq(int disks, const char *disk)
{
	char path[300], text[256];

	snprintf(path, sizeof(path), "%s/queue/scheduler", disk);
	return io_read_value(disks, path, text, sizeof(text)) >= 0 && strstr(text, "bfq");
}

static bool kernel_has_bfq(void)
{
	DIR *disks = opendir("/sys/block");
	bool found = false;

	if (!disks)
		return false;
	for (const struct dirent *d; !found && (d = readdir(disks));)
		found = d->d_name[0] != '.' && disk_knows_bfq(dirfd(disks), d->d_name);
	closedir(disks);
	return found;
}

unsigned unit_bfq(const struct knob_values *values)
{
	for (size_t i = 0; i < values->n; i++)
		if (strcmp(values->at[i].file, "io.bfq.weight") == 0)
			return kernel_has_bfq() ? UNIT_BFQ : 0;
	return 0;
}
