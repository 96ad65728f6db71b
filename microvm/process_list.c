#include "microvm/process_list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/list.h"
#include "cgroups/stats.h"

enum { DAY = 24 * 60 * 60, C_MAX = 99, PTS_FIRST = 136, PTS_LAST = 143 };

/* A number up to `max` with what separates it from the next. */
static bool take_number(const char **at, uint64_t max, uint64_t *ret)
{
	const char *p = *at + strspn(*at, " \t");
	uint64_t value = 0;

	if (*p < '0' || *p > '9')
		return false;
	for (; *p >= '0' && *p <= '9'; p++) {
		uint64_t digit = (uint64_t)(*p - '0');

		if (digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (*p && *p != ' ' && *p != '\t' && *p != '\n')
		return false;
	*at = p;
	*ret = value;
	return true;
}

/* The n-th number of a line of /proc/PID/status, from 0. */
static bool status_number(const char *status, const char *key, int n, uint64_t *ret)
{
	const char *at = strstr(status, key);

	if (!at)
		return false;
	at += strlen(key);
	for (int i = 0; i <= n; i++)
		if (!take_number(&at, UINT32_MAX, ret))
			return false;
	return true;
}

uint64_t process_inner_pid(const char *status)
{
	uint64_t pid;

	return status_number(status, "\nNSpid:", 1, &pid) ? pid : 0;
}

/* The field of /proc/PID/stat, counted from 1 as proc(5) does; its name may have anything in it. */
static bool stat_number(const char *stat, int field, uint64_t *ret)
{
	const char *at = strrchr(stat, ')');

	if (!at)
		return false;
	at++;
	for (int i = 3; i < field; i++) {
		at += strspn(at, " ");
		at += strcspn(at, " ");
	}
	return take_number(&at, UINT64_MAX, ret);
}

/* Of a command line, in which a NUL ends each word, or of a name: one line. */
static void write_words(const char *text, size_t n, struct buf *ret)
{
	for (size_t i = 0; i < n && i < PROCESS_COMMAND_MAX; i++)
		buf_char(ret, text[i] == '\n' ? '?' : text[i] ? text[i] : ' ');
}

static void write_command(const struct process_files *f, struct buf *ret)
{
	const char *name = strchr(f->stat, '('), *end = strrchr(f->stat, ')');
	size_t n = f->command_size;

	while (n && f->command[n - 1] == '\0')
		n--;
	write_words(f->command, n, ret);
	if (n || !name || !end || end < name)
		return;
	buf_char(ret, '[');
	write_words(name + 1, (size_t)(end - name - 1), ret);
	buf_char(ret, ']');
}

int process_line(const struct process_files *f, uint64_t now, unsigned ticks, struct buf *ret)
{
	uint64_t outer, parent, pid = process_inner_pid(f->status), uid, tty, user, system, start;
	const char *at = f->stat;

	if (!pid || !take_number(&at, INT32_MAX, &outer) || !stat_number(f->stat, 4, &parent) ||
	    !status_number(f->status, "\nUid:", 1, &uid) || !stat_number(f->stat, 7, &tty) ||
	    !stat_number(f->stat, 14, &user) || !stat_number(f->stat, 15, &system) ||
	    !stat_number(f->stat, 22, &start))
		return -ESRCH;
	start /= ticks;
	buf_printf(ret,
		   "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64
		   " %" PRIu64 " ",
		   outer, parent, pid, uid, now > start ? now - start : 0, (user + system) / ticks,
		   tty);
	write_command(f, ret);
	buf_char(ret, '\n');
	return 0;
}

struct row {
	uint64_t outer, parent, pid, uid, age, cpu, tty;
	const char *command;
	size_t size;
};

static int read_row(const char *line, size_t size, struct row *ret)
{
	const char *at = line;

	if (!take_number(&at, INT32_MAX, &ret->outer) ||
	    !take_number(&at, INT32_MAX, &ret->parent) || !take_number(&at, INT32_MAX, &ret->pid) ||
	    !take_number(&at, UINT32_MAX, &ret->uid) || !take_number(&at, INT32_MAX, &ret->age) ||
	    !take_number(&at, INT32_MAX, &ret->cpu) || !take_number(&at, UINT32_MAX, &ret->tty) ||
	    *at++ != ' ')
		return -EPROTO;
	ret->command = at;
	ret->size = size - (size_t)(at - line);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return (x->outer > y->outer) - (x->outer < y->outer);
}

/* A terminal of the guest; other devices that a process can have are not worth a name. */
static void write_tty(uint64_t device, char *ret, size_t size)
{
	unsigned major = (unsigned)(device >> 8 & 0xfff);
	unsigned minor = (unsigned)((device & 0xff) | (device >> 12 & 0xfff00));

	if (major >= PTS_FIRST && major <= PTS_LAST)
		snprintf(ret, size, "pts/%u", (major - PTS_FIRST) * 256 + minor);
	else
		snprintf(ret, size, "?");
}

static void write_row(const struct row *r, uint64_t parent, time_t now, struct buf *ret)
{
	uint64_t percent = r->age ? r->cpu * 100 / r->age : 0;
	time_t start = now - (time_t)r->age;
	char started[16] = "?", tty[24];
	struct tm tm;

	if (localtime_r(&start, &tm))
		strftime(started, sizeof(started), r->age < DAY ? "%H:%M" : "%b%d", &tm);
	write_tty(r->tty, tty, sizeof(tty));
	buf_printf(ret,
		   "%-8" PRIu64 " %7" PRIu64 " %7" PRIu64 " %2" PRIu64 " %5s %-8s %02" PRIu64
		   ":%02" PRIu64 ":%02" PRIu64 " ",
		   r->uid, r->pid, parent, percent < C_MAX ? percent : C_MAX, started, tty,
		   r->cpu / 3600, r->cpu / 60 % 60, r->cpu % 60);
	for (size_t i = 0; i < r->size; i++) {
		uint8_t c = (uint8_t)r->command[i];

		buf_char(ret, c >= ' ' && c != 0x7f ? (char)c : '?');
	}
	buf_char(ret, '\n');
}

int process_table(const char *lines, time_t now, struct buf *ret, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct row *rows;
	size_t n = 0, i = 0;

	for (const char *p = lines; (p = strchr(p, '\n')); p++)
		n++;
	rows = arena_array(&a, n, sizeof(*rows));
	for (const char *p = lines; *p; i++) {
		size_t size = strcspn(p, "\n");

		if (!p[size] || read_row(p, size, &rows[i]) < 0)
			return err_set(e, EPROTO,
				       "what the guest says of its processes is no list");
		p += size + 1;
	}
	qsort(rows, n, sizeof(*rows), compare);
	buf_str(ret, "UID          PID    PPID  C STIME TTY          TIME CMD\n");
	for (i = 0; i < n; i++) {
		const struct row key = { .outer = rows[i].parent };
		const struct row *parent = bsearch(&key, rows, n, sizeof(*rows), compare);

		write_row(&rows[i], parent ? parent->pid : 0, now, ret);
	}
	return 0;
}

int process_counts(const char *lines, struct opt_u64 *const *ret, size_t n, struct err *e)
{
	static const char no_limit[] = "max\n";
	const char *at = lines;

	for (size_t i = 0; i < n; i++) {
		struct opt_u64 value = { .set = *at != '\n' };

		if (strncmp(at, no_limit, strlen(no_limit)) == 0) {
			value.value = CGROUP_NO_LIMIT;
			at += strlen("max");
		} else if (value.set && !take_number(&at, INT32_MAX, &value.value)) {
			break;
		}
		if (*at++ != '\n')
			break;
		*ret[i] = value;
		if (i + 1 == n && !*at)
			return 0;
	}
	return err_set(e, EPROTO, "what the guest says of its processes is no count");
}
