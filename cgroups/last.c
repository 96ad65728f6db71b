#include "cgroups/last.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/util.h"

#define SAVED "cgroup"
#define SAVING "cgroup.new"

enum { FILE_MAX = 1024 * 1024 }; /* of io.max there is a line for each disk */

/* All that cgroup_oom_read() and cgroup_held_read() look at; tests/unit/test_cgroup_stats.c. */
static const char *const files[] = {
	"memory.events", "memory.max", "memory.peak", "pids.events", "pids.max",
	"cpu.max",       "cpu.stat",   "io.max",      "io.pressure",
};

static int copy(int from, int to, const char *name)
{
	auto_fd int in = openat(from, name, O_RDONLY | O_CLOEXEC), out = -1;
	auto_buf struct buf text = { 0 };
	int r = in < 0 ? -errno : io_slurp(in, FILE_MAX, &text);

	if (r == -ENOENT || r == -EOPNOTSUPP) /* no such controller, no accounting of pressure */
		return 0;
	TRY(r);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0)
		return -errno;
	return io_write_all(out, text.text ? text.text : "", text.len);
}

int cgroup_last_save(int cgroup, int dir)
{
	auto_fd int to = -1;

	if (mkdirat(dir, SAVING, 0700) < 0)
		return -errno;
	to = openat(dir, SAVING, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		TRY(copy(cgroup, to, files[i]));
	return renameat(dir, SAVING, dir, SAVED) < 0 ? -errno : 0;
}

int cgroup_last_open(int dir)
{
	int fd = openat(dir, SAVED, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
