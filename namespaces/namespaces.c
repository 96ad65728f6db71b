#include "namespaces/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/sys.h"

/* In the order of enum spec_ns, which is the order in which they are joined. */
const struct ns_kind ns_kinds[SPEC_NS_KINDS] = {
	[SPEC_NS_USER] = { "user", "user", CLONE_NEWUSER },
	[SPEC_NS_PID] = { "pid", "pid", CLONE_NEWPID },
	[SPEC_NS_NETWORK] = { "network", "net", CLONE_NEWNET },
	[SPEC_NS_MOUNT] = { "mount", "mnt", CLONE_NEWNS },
	[SPEC_NS_IPC] = { "ipc", "ipc", CLONE_NEWIPC },
	[SPEC_NS_UTS] = { "uts", "uts", CLONE_NEWUTS },
	[SPEC_NS_CGROUP] = { "cgroup", "cgroup", CLONE_NEWCGROUP },
	[SPEC_NS_TIME] = { "time", "time", CLONE_NEWTIME },
};

static const uint64_t MADE_LATER = CLONE_NEWCGROUP | CLONE_NEWTIME;

/*
 * What goes with a user namespace has to be made by that one's root: the root
 * of an mqueue belongs to whoever makes the IPC namespace, and in clone3(2)
 * that is still the user of the host.
 */
static const uint64_t MADE_BY_ROOT = CLONE_NEWIPC;

void ns_plan(const struct spec *s, struct ns_plan *ret)
{
	const uint64_t later = MADE_LATER | (spec_namespace(s, SPEC_NS_USER) ? MADE_BY_ROOT : 0);

	*ret = (struct ns_plan){ 0 };
	for (size_t i = 0; i < s->linux.namespaces.n; i++) {
		const struct spec_namespace *ns = &s->linux.namespaces.at[i];
		uint64_t flag = ns_kinds[ns->type].flag;

		if (ns->path)
			ret->paths[ns->type] = ns->path;
		else if (flag & later)
			ret->later |= flag;
		else
			ret->clone |= flag;
	}
}

bool ns_is_own(const struct ns_plan *plan, enum spec_ns kind)
{
	return plan->paths[kind] || ((plan->clone | plan->later) & ns_kinds[kind].flag);
}

void ns_fds_close(struct ns_fds *fds)
{
	for (int i = 0; i < SPEC_NS_KINDS; i++)
		close_fd(&fds->at[i]);
}

static int open_path(enum spec_ns kind, const char *path, struct err *e)
{
	auto_fd int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* never waits for a FIFO */
	int type;

	if (fd < 0)
		return err_sys(e, "open the %s namespace %s", ns_kinds[kind].name, path);
	type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return err_set(e, EINVAL, "open the %s namespace %s: it is not a namespace",
			       ns_kinds[kind].name, path);
	if ((uint64_t)type != ns_kinds[kind].flag)
		return err_set(e, EINVAL, "open the %s namespace %s: it is one of another type",
			       ns_kinds[kind].name, path);
	return take_fd(&fd);
}

int ns_open_paths(const struct ns_plan *plan, struct ns_fds *ret, struct err *e)
{
	auto_ns_fds struct ns_fds fds = NS_FDS_NONE;

	for (int i = 0; i < SPEC_NS_KINDS; i++) {
		if (!plan->paths[i])
			continue;
		fds.at[i] = open_path((enum spec_ns)i, plan->paths[i], e);
		TRY(fds.at[i]);
	}
	*ret = fds;
	fds = (struct ns_fds)NS_FDS_NONE;
	return 0;
}

/* One that has ended, also before it is a zombie, has no namespaces any more. The mounts' are in every kernel. */
static bool has_ended(int procfd, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/ns/mnt", pid);
	return faccessat(procfd, path, F_OK, 0) < 0 && errno == ENOENT;
}

int ns_open_process(int procfd, pid_t pid, struct ns_fds *ret, struct err *e)
{
	auto_ns_fds struct ns_fds fds = NS_FDS_NONE;

	for (int i = 0; i < SPEC_NS_KINDS; i++) {
		struct stat ours, theirs;
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "%d/ns/%s", pid, ns_kinds[i].file);
		fd = fds.at[i] = openat(procfd, path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT && i == SPEC_NS_TIME)
			continue; /* a kernel without time namespaces */
		if (fd < 0 && errno == ENOENT && has_ended(procfd, pid))
			return err_set(e, ESRCH, "process %d has ended", pid);
		if (fd < 0 || fstat(fd, &theirs) < 0)
			return err_sys(e, "open the %s namespace of process %d", ns_kinds[i].name,
				       pid);
		snprintf(path, sizeof(path), "self/ns/%s", ns_kinds[i].file);
		if (fstatat(procfd, path, &ours, 0) < 0)
			return err_sys(e, "stat our %s namespace", ns_kinds[i].name);
		if (ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev)
			close_fd(&fds.at[i]);
	}
	*ret = fds;
	fds = (struct ns_fds)NS_FDS_NONE;
	return 0;
}

/*
 * The cgroup namespace of a restored container belongs to the host's user namespace, and not to its own:
 * so it is joined before that, by who may; for anybody else it has to be one that comes after.
 */
static unsigned join_before_user(const struct ns_fds *fds, unsigned skip)
{
	const unsigned cgroup = 1U << SPEC_NS_CGROUP;

	if (fds->at[SPEC_NS_USER] < 0 || fds->at[SPEC_NS_CGROUP] < 0 || (skip & cgroup))
		return 0;
	return setns(fds->at[SPEC_NS_CGROUP], CLONE_NEWCGROUP) == 0 ? cgroup : 0;
}

int ns_join(const struct ns_fds *fds, unsigned skip, struct err *e)
{
	skip |= join_before_user(fds, skip);
	for (int i = 0; i < SPEC_NS_KINDS; i++) {
		if (fds->at[i] < 0 || (skip & 1U << i))
			continue;
		if (setns(fds->at[i], (int)ns_kinds[i].flag) < 0)
			return err_sys(e, "join the %s namespace", ns_kinds[i].name);
	}
	return 0;
}

int ns_children_pid(int fd, struct err *e)
{
	auto_fd int own = -1;

	if (fd < 0) {
		fd = own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "open /proc/self/ns/pid");
	}
	if (setns(fd, CLONE_NEWPID) < 0)
		return err_sys(e, "join the pid namespace");
	return 0;
}

static int write_time_offsets(const struct spec *s, struct err *e)
{
	for (size_t i = 0; i < s->linux.time_offsets.n; i++) {
		const struct spec_time_offset *o = &s->linux.time_offsets.at[i];
		char line[96];
		int r;

		snprintf(line, sizeof(line), "%s %lld %u", o->clock, (long long)o->secs,
			 o->nanosecs);
		r = io_write_value(AT_FDCWD, "/proc/self/timens_offsets", line);
		if (r < 0)
			return err_neg(e, r, "linux.timeOffsets.%s: set \"%s\"", o->clock, line);
	}
	return 0;
}

static int make_time_namespace(const struct spec *s, struct err *e)
{
	auto_fd int fd = -1;

	if (unshare(CLONE_NEWTIME) < 0)
		return err_sys(e, "make the time namespace");
	TRY(write_time_offsets(s, e));
	fd = open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open /proc/self/ns/time_for_children");
	if (setns(fd, CLONE_NEWTIME) < 0)
		return err_sys(e, "join the time namespace");
	return 0;
}

int ns_make_later(const struct ns_plan *plan, const struct spec *s, struct err *e)
{
	if ((plan->later & CLONE_NEWIPC) && unshare(CLONE_NEWIPC) < 0)
		return err_sys(e, "make the ipc namespace");
	if ((plan->later & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, "make the cgroup namespace");
	if (plan->later & CLONE_NEWTIME)
		return make_time_namespace(s, e);
	return 0;
}
