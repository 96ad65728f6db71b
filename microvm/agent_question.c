/*
 * agent_question.c - what the host asks about the container as a whole: its processes, and how
 * many there may be.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/io.h"
#include "microvm/agent.h"
#include "microvm/process_list.h"

#define CGROUP "/sys/fs/cgroup/container"

enum { FILE_MAX = 64 * 1024 };

int agent_cgroup(const struct spec *s, struct err *e)
{
	const struct opt_i64 limit = s ? s->linux.resources.pids_limit : (struct opt_i64){ 0 };
	auto_fd int fd = -1;
	/* A kernel without the controller: that matters if there is a limit, below. */
	int r = io_write_value(AT_FDCWD, "/sys/fs/cgroup/cgroup.subtree_control", "+pids");

	if (mkdir(CGROUP, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make the container's cgroup in the guest");
	fd = open(CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the container's cgroup in the guest");
	if (limit.set && limit.value >= 0) {
		if (r < 0)
			return err_neg(e, r, "linux.resources.pids.limit: in the guest");
		TRY(agent_limit(limit.value ? limit.value : 1, e)); /* no forks, as in cgroups/knobs.c */
	}
	return take_fd(&fd);
}

int agent_limit(int64_t processes, struct err *e)
{
	char text[24] = "max";
	int r;

	if (processes > 0)
		snprintf(text, sizeof(text), "%lld", (long long)processes);
	r = io_write_value(AT_FDCWD, CGROUP "/pids.max", text);
	return r < 0 ? err_neg(e, r, "limit the processes in the guest to %s", text) : 0;
}

/* Reads /proc/PID/NAME; false: the process has ended meanwhile. */
static bool read_file(const char *pid, const char *name, struct buf *ret)
{
	auto_fd int fd = -1;
	char path[300];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	buf_clear(ret);
	buf_str(ret, "");
	return fd >= 0 && io_slurp(fd, FILE_MAX, ret) >= 0;
}

/* Calls `each` for every directory of a process. */
static int walk(void (*each)(const char *pid, void *ctx), void *ctx, struct err *e)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;

	if (!d)
		return err_sys(e, "read the guest's /proc");
	while ((entry = readdir(d)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			each(entry->d_name, ctx);
	closedir(d);
	return 0;
}

static void signal_one(const char *pid, void *ctx)
{
	auto_buf struct buf status = { 0 };

	if (read_file(pid, "status", &status) && process_inner_pid(status.text))
		kill((pid_t)strtol(pid, NULL, 10), *(const int *)ctx);
}

void agent_signal(const struct agent *g, const struct guest_process *p, int sig, bool all)
{
	struct err e;

	if (all && g->init)
		(void)!walk(signal_one, &sig, &e);
	else if (!all && p && !p->ended && p->pid > 0)
		kill(p->pid, sig);
}

struct listing {
	struct buf text;
	uint64_t now;
	unsigned ticks;
};

static void list_one(const char *pid, void *ctx)
{
	auto_buf struct buf stat = { 0 }, status = { 0 }, command = { 0 };
	struct listing *l = ctx;

	if (!read_file(pid, "stat", &stat) || !read_file(pid, "status", &status))
		return;
	/* A command line may be longer than what is kept of it. */
	read_file(pid, "cmdline", &command);
	process_line(&(struct process_files){ stat.text, status.text, command.text, command.len },
		     l->now, l->ticks, &l->text);
}

static int list_processes(struct buf *ret, struct err *e)
{
	struct listing l = { .ticks = (unsigned)sysconf(_SC_CLK_TCK) };
	struct timespec now;
	int r;

	clock_gettime(CLOCK_BOOTTIME, &now);
	l.now = (uint64_t)now.tv_sec;
	r = walk(list_one, &l, e);
	*ret = l.text;
	return r;
}

/* A file that there is not is an empty line. */
static void list_counts(struct buf *ret)
{
	static const char *const files[] = { CGROUP "/pids.current", CGROUP "/pids.peak",
					     CGROUP "/pids.max" };
	char value[32];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (io_read_value(AT_FDCWD, files[i], value, sizeof(value)) >= 0)
			buf_str(ret, value);
		buf_char(ret, '\n');
	}
}

int agent_list(enum frame_list what, struct err *e)
{
	auto_fd int fd = memfd_create("list", MFD_CLOEXEC);
	auto_buf struct buf text = { 0 };
	int r;

	if (fd < 0)
		return err_sys(e, "make a memory file in the guest");
	if (what == LIST_COUNTS)
		list_counts(&text);
	else
		TRY(list_processes(&text, e));
	r = io_write_all(fd, text.text, text.len);
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_neg(e, r < 0 ? r : -errno, "list the guest's processes");
	return take_fd(&fd);
}
