/*
 * fuzz_records.c - anything at all in the files that the engine keeps about a container, and in its log.
 *
 *	fuzz_records tests/fuzz/corpus-records
 *
 * The first byte says which file. What a container wrote is in its log, its check's record, and
 * what became of its program.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/util.h"
#include "engine/health.h"
#include "engine/joins.h"
#include "engine/logs.h"
#include "engine/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char top[] = "/dev/shm/fuzz-records-XXXXXX";
static int top_fd = -1, dir_fd = -1;

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void leave(void)
{
	if (io_remove_tree(top_fd, "id") < 0 || rmdir(top) < 0)
		perror(top);
}

static void prepare(void)
{
	if (top_fd >= 0)
		return;
	require(mkdtemp(top) != NULL);
	atexit(leave);
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(top_fd >= 0 && mkdirat(top_fd, "id", 0700) == 0);
	dir_fd = openat(top_fd, "id", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(dir_fd >= 0);
}

static int read_record(struct err *e)
{
	auto_record struct record r = { 0 };
	auto_fd int dir = record_open_in(top_fd, "id", &r, e);

	require(dir < 0 || r.image);
	return dir < 0 ? dir : 0;
}

static int read_status(struct err *e)
{
	auto_status struct status s = { 0 };
	auto_arena struct arena a = { 0 };

	return status_read(dir_fd, &s, e);
}

static int read_health(struct err *e)
{
	auto_health struct health h = { 0 };
	int r = health_read(dir_fd, &h, e);

	require(r < 0 || health_status_name(h.status));
	return r;
}

static int read_joins(struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct record r = { 0 };
	struct joins joins;
	struct err ignored;

	TRY(joins_read(dir_fd, &r, "hull", &a, &joins, e));
	for (size_t i = 0; i < joins.list.n; i++) {
		struct net_join made;

		if (join_parse(&joins.list.at[i], "name", &a, &made, &ignored) < 0)
			require(ignored.msg[0]);
	}
	return 0;
}

static int look_at_line(const struct log_line *l, void *ctx)
{
	(void)ctx;
	require(l->text && l->time && strlen(l->text) == l->len);
	return 0;
}

static int read_log(struct err *e)
{
	const struct log_query last = { .tail = 3, .since = "2026" };

	return log_read(dir_fd, &last, look_at_line, NULL, e);
}

static const struct {
	const char *file;
	int (*read)(struct err *e);
} rows[] = {
	{ "container.json", read_record },
	{ "status.json", read_status },
	{ "health.json", read_health },
	{ "networks.json", read_joins },
	{ LOG_FILE, read_log },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	size_t i;
	int fd;

	if (size < 1)
		return 0;
	prepare();
	i = data[0] % ARRAY_LEN(rows);
	fd = openat(dir_fd, rows[i].file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(fd >= 0 && write(fd, data + 1, size - 1) == (ssize_t)(size - 1));
	close(fd);
	if (rows[i].read(&e) < 0)
		require(e.code > 0 && e.msg[0]);
	return 0;
}
