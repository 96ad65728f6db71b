/*
 * fuzz_network_records.c - anything at all in the files that the networks keep: a network, and what
 * a container has of them.
 *
 *	fuzz_network_records tests/fuzz/corpus-network_records
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "network/config.h"
#include "network/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char top[] = "/dev/shm/fuzz-network-XXXXXX";
static int top_fd = -1;

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void leave(void)
{
	if (io_remove_tree(top_fd, "containers") < 0 || io_remove_tree(top_fd, "networks") < 0 ||
	    rmdir(top) < 0)
		perror(top);
}

static void prepare(void)
{
	if (top_fd >= 0)
		return;
	require(mkdtemp(top) != NULL);
	atexit(leave);
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(top_fd >= 0 && mkdirat(top_fd, "containers", 0700) == 0 &&
		mkdirat(top_fd, "networks", 0700) == 0);
}

static void put(const char *file, const uint8_t *data, size_t size)
{
	int fd = openat(top_fd, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_arena struct arena a = { 0 };
	struct network_list networks = { 0 };
	struct record r = { 0 }, again = { 0 };
	struct err e = { 0 };

	prepare();
	put("containers/id.json", data, size);
	put("networks/n.json", data, size);
	if (network_list_read(top_fd, &a, &networks, &e) < 0)
		require(e.code > 0 && strncmp(e.msg, "network n: ", 11) == 0);
	e = (struct err){ 0 };
	if (record_read(top_fd, "id", &a, &r, &e) < 0) {
		require(e.code > 0 && strncmp(e.msg, "network record of container id: ", 32) == 0);
		return 0;
	}
	/* What was read can be written, and is the same. */
	if (r.id && strcmp(r.id, "id") == 0) {
		require(record_write(top_fd, &r, &e) == 0);
		require(record_read(top_fd, "id", &a, &again, &e) == 0);
		require(again.interfaces.n == r.interfaces.n && again.ports.n == r.ports.n);
	}
	return 0;
}
