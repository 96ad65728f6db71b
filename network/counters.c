#include "network/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/io.h"

enum {
	FILE_MAX = 4 * 1024 * 1024, /* some 30000 interfaces */
	HEADING = 2,                /* lines */
	COLUMNS = 16,
};

/* The columns that are kept (net/core/net-procfs.c); the others are details of these. */
enum {
	RX_BYTES,
	RX_PACKETS,
	RX_ERRORS,
	RX_DROPPED,
	TX_BYTES = 8,
	TX_PACKETS,
	TX_ERRORS,
	TX_DROPPED
};

static bool read_number(const char **text, uint64_t *ret)
{
	const char *at = *text + strspn(*text, " ");
	uint64_t value = 0;

	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
			return false;
	*ret = value;
	*text = at;
	return true;
}

static bool read_line(const char *line, const char *end, struct arena *a, struct net_counters *ret)
{
	const char *name = line + strspn(line, " "),
		   *colon = memchr(line, ':', (size_t)(end - line));
	uint64_t v[COLUMNS];

	if (!colon || name >= colon)
		return false;
	line = colon + 1;
	for (int i = 0; i < COLUMNS; i++)
		if (!read_number(&line, &v[i]) || line > end)
			return false;
	*ret = (struct net_counters){
		.name = arena_strndup(a, name, (size_t)(colon - name)),
		.rx_bytes = v[RX_BYTES],
		.rx_packets = v[RX_PACKETS],
		.rx_errors = v[RX_ERRORS],
		.rx_dropped = v[RX_DROPPED],
		.tx_bytes = v[TX_BYTES],
		.tx_packets = v[TX_PACKETS],
		.tx_errors = v[TX_ERRORS],
		.tx_dropped = v[TX_DROPPED],
	};
	return true;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n + 1;
}

int net_counters_parse(const char *text, struct arena *a, struct net_counters_list *ret,
		       size_t *ret_line)
{
	struct net_counters_list list = { arena_array(a, count_lines(text), sizeof(*list.at)), 0 };

	*ret_line = 1;
	for (const char *end; *text; text = *end ? end + 1 : end, ++*ret_line) {
		struct net_counters *next = &list.at[list.n];

		end = strchrnul(text, '\n');
		if (*ret_line <= HEADING)
			continue;
		if (!read_line(text, end, a, next))
			return -EBADMSG;
		list.n += strcmp(next->name, "lo") != 0;
	}
	*ret = list;
	return 0;
}

int net_counters_read(int proc, pid_t pid, struct arena *a, struct net_counters_list *ret,
		      struct err *e)
{
	auto_buf struct buf text = { 0 };
	char path[48];
	auto_fd int fd = -1;
	size_t line;
	int r;

	snprintf(path, sizeof(path), "%d/net/dev", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : io_slurp(fd, FILE_MAX, &text);
	/* EINVAL: it has exited and has no namespaces any more. */
	if (r == -ENOENT || r == -ESRCH || r == -EINVAL)
		return -ENOENT;
	if (r < 0)
		return err_neg(e, r, "read /proc/%s", path);
	if (net_counters_parse(text.text, a, ret, &line) < 0)
		return err_set(e, EBADMSG, "/proc/%s: line %zu is not as the kernel writes it",
			       path, line);
	return 0;
}
