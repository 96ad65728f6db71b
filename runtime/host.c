#include "runtime/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/io.h"
#include "security/caps.h"

/* The initial user namespace maps everything to itself (user_namespaces(7)). */
static int probe_user_namespace(int proc, bool *ret, struct err *e)
{
	char map[128];
	unsigned long inside, outside, size;
	int r = io_read_value(proc, "self/uid_map", map, sizeof(map));

	if (r == -ENOENT) {
		*ret = false; /* a kernel without user namespaces */
		return 0;
	}
	if (r < 0 && r != -EOVERFLOW) /* the initial one has one line */
		return err_neg(e, r, "read /proc/self/uid_map");
	*ret = r < 0 || sscanf(map, "%lu %lu %lu", &inside, &outside, &size) != 3 || inside != 0 ||
	       outside != 0 || size != 4294967295UL;
	return 0;
}

static int open_proc(struct err *e)
{
	auto_fd int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(e, "open /proc");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return err_set(e, ENOENT, "/proc is not a proc file system");
	return take_fd(&fd);
}

int host_probe(unsigned cgroup_wants, struct host *ret, struct err *e)
{
	auto_host struct host h = HOST_NONE;
	uint64_t permitted = 0;

	h.proc = open_proc(e);
	TRY(h.proc);
	TRY(probe_user_namespace(h.proc, &h.in_user_namespace, e));
	TRY(caps_permitted_read(&permitted, e));
	h.privileged = permitted & CAPS_BIT(CAP_SYS_ADMIN);
	TRY(cgroup_host_open(cgroup_wants, &h.cgroups, e));
	*ret = h;
	h = (struct host)HOST_NONE;
	return 0;
}

void host_done(struct host *h)
{
	close_fd(&h->proc);
	cgroup_host_close(&h->cgroups);
}
