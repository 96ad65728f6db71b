/*
 * fuzz_unpack.c - anything at all as a layer.
 *
 * The first byte chooses how whiteouts and owners are dealt with, the rest is the stream. It is
 * unpacked for real, beneath a directory in /dev/shm; beside that lie a canary and a link to it, and
 * nothing that the layer says may change them.
 *
 *	fuzz_unpack tests/fuzz/corpus-unpack
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/io.h"
#include "image/unpack/layer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char top[] = "/dev/shm/fuzz-unpack-XXXXXX";
static int top_fd = -1;

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void leave(void)
{
	if (top_fd >= 0 && (io_remove_tree(top_fd, "out") < 0 || unlinkat(top_fd, "canary", 0) < 0))
		perror(top);
	rmdir(top);
}

static struct stat canary(void)
{
	struct stat st;

	require(fstatat(top_fd, "canary", &st, AT_SYMLINK_NOFOLLOW) == 0);
	return st;
}

static void prepare(void)
{
	int fd;

	if (top_fd >= 0)
		return;
	umask(0);
	require(mkdtemp(top) != NULL);
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(top_fd >= 0);
	fd = openat(top_fd, "canary", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	require(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
	atexit(leave);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const modes[] = { "overlay", "userxattr", "apply" };
	struct extract_settings settings = { .max_entries = 1000, .max_bytes = 1 << 20 };
	struct layer_result result;
	struct err e = { 0 };
	struct stat before, after;
	auto_fd int layer = -1, out = -1;

	if (size < 1)
		return 0;
	prepare();
	settings.whiteouts = whiteout_mode(modes[data[0] % 3]);
	settings.ids.squash = data[0] & 4 || getuid() != 0;
	settings.any_mode = getuid() == 0;
	before = canary();
	require(mkdirat(top_fd, "out", 0700) == 0);
	out = openat(top_fd, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	layer = memfd_create("layer", MFD_CLOEXEC);
	require(out >= 0 && layer >= 0 &&
		pwrite(layer, data + 1, size - 1, 0) == (ssize_t)(size - 1));
	if (layer_unpack(layer, NULL, out, &settings, NULL, &result, &e) < 0)
		require(e.msg[0] && e.code > 0);
	else
		require(result.size <= settings.max_bytes &&
			result.entries <= settings.max_entries);
	after = canary();
	require(before.st_nlink == after.st_nlink && before.st_mode == after.st_mode &&
		before.st_size == after.st_size && before.st_uid == after.st_uid &&
		memcmp(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim)) == 0);
	require(fchmod(out, 0700) == 0 && io_remove_tree(top_fd, "out") == 0);
	return 0;
}
