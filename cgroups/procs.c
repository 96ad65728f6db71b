#include "cgroups/procs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "cgroups/grow.h"

enum {
	DEPTH_MAX = 64,              /* of cgroups that the container made in its own */
	LIST_MAX = 64 * 1024 * 1024, /* bytes of cgroup.procs: more than pid_max allows */
	KILL_ROUNDS = 1000,          /* a fork bomb may outrun a few */
	FREEZE_TIMEOUT = 10 * 1000,  /* milliseconds */
};

/* The file or directory was removed while we looked. */
static bool is_gone(int r)
{
	return r == -ENOENT || r == -ENODEV;
}

/* cgroup.events */

struct events {
	bool populated, frozen;
};

static int read_events(int fd, struct events *ret)
{
	char text[256];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	ret->populated = strstr(text, "populated 1") != NULL;
	ret->frozen = strstr(text, "frozen 1") != NULL;
	return 0;
}

static int open_events(const struct cgroup *cg)
{
	int fd = openat(cg->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int events_now(const struct cgroup *cg, struct events *ret, struct err *e)
{
	auto_fd int fd = open_events(cg);
	int r = fd < 0 ? fd : read_events(fd, ret);

	return r < 0 ? err_neg(e, r, "read %s/cgroup.events", cg->path) : 0;
}

int cgroup_populated(const struct cgroup *cg, struct err *e)
{
	struct events now = { 0 };
	int r = events_now(cg, &now, e);

	return is_gone(r) ? 0 : r < 0 ? r : now.populated;
}

int cgroup_is_frozen(const struct cgroup *cg, struct err *e)
{
	struct events now = { 0 };
	int r = events_now(cg, &now, e);

	return is_gone(r) ? 0 : r < 0 ? r : now.frozen;
}

/* The words of runc, which its users and test suite look for. */
int cgroup_check_fit(const struct cgroup *cg, struct err *e)
{
	struct events now = { 0 };

	TRY(events_now(cg, &now, e));
	if (now.populated) {
		auto_arena struct arena a = { 0 };
		struct cgroup_pids pids = { 0 };

		TRY(cgroup_pids(cg, &a, &pids, e));
		return err_set(e, EBUSY,
			       "container's cgroup is not empty: %zu process(es) found in %s",
			       pids.n, cg->path);
	}
	if (now.frozen)
		return err_set(e, EBUSY, "container's cgroup unexpectedly frozen: %s", cg->path);
	return 0;
}

/*
 * Waits until the events are as wanted. The kernel notifies at most every ten
 * milliseconds and otherwise late, so the first waits are short; a change that
 * comes at once is seen at once.
 */
static int wait_events(const struct cgroup *cg, bool (*wanted)(const struct events *now),
		       int timeout)
{
	const int64_t end = io_now_us() + (int64_t)timeout * 1000;
	auto_fd int fd = open_events(cg);
	struct events now = { 0 };

	if (fd < 0)
		return fd;
	for (int slice = 1;; slice *= 2) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		int64_t left = (end - io_now_us() + 999) / 1000;

		TRY(read_events(fd, &now));
		if (wanted(&now))
			return 0;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)(left < slice ? left : slice)) < 0 && errno != EINTR)
			return -errno;
		if (slice > 1000)
			slice = 500;
	}
}

static bool is_empty(const struct events *now)
{
	return !now->populated;
}

static bool is_frozen(const struct events *now)
{
	return now->frozen;
}

static bool is_thawed(const struct events *now)
{
	return !now->frozen;
}

int cgroup_wait_empty(const struct cgroup *cg, int timeout, struct err *e)
{
	int r = wait_events(cg, is_empty, timeout);

	if (is_gone(r))
		r = -ENOENT;
	return r < 0 ? err_neg(e, r, "wait for the processes in %s to end", cg->path) : 0;
}

int cgroup_freeze(const struct cgroup *cg, bool frozen, struct err *e)
{
	const char *what = frozen ? "freeze" : "thaw";
	int r = io_write_value(cg->fd, "cgroup.freeze", frozen ? "1" : "0");

	if (r < 0)
		return err_neg(e, r, "%s %s", what, cg->path);
	r = wait_events(cg, frozen ? is_frozen : is_thawed, FREEZE_TIMEOUT);
	if (r == 0)
		return 0;
	if (frozen && io_write_value(cg->fd, "cgroup.freeze", "0") < 0)
		return err_neg(e, r, "freeze %s, and it can't be thawed either", cg->path);
	if (!frozen && r == -ETIMEDOUT)
		return err_set(e, EBUSY, "thaw %s: a cgroup above it is frozen", cg->path);
	return err_neg(e, r, "%s %s", what, cg->path);
}

/* Pids */

struct pids {
	struct arena *arena;
	struct cgroup_pids list;
};

static void add_pids(struct pids *pids, const char *text)
{
	while (*text) {
		char *end;
		long pid = strtol(text, &end, 10);

		if (end == text)
			break;
		/* 0 is a process of another pid namespace, which can't be named here. */
		if (pid > 0 && pid <= INT32_MAX)
			*grow_list(pids->arena, &pids->list) = (pid_t)pid;
		text = end;
	}
}

static int read_list(int dirfd, const char *file, struct pids *pids)
{
	auto_fd int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC);
	auto_buf struct buf text = { 0 };

	if (fd < 0)
		return -errno;
	TRY(io_slurp(fd, LIST_MAX, &text));
	add_pids(pids, text.text);
	return 0;
}

static int add_below(int dirfd, int depth, struct pids *pids);

/*
 * A threaded cgroup doesn't list processes; the domain above it lists them
 * with its own. If the whole cgroup is threaded, that domain is not ours, and
 * its threads stand for their processes.
 */
static int add_from(int dirfd, int depth, struct pids *pids)
{
	struct stat st;
	int r = read_list(dirfd, "cgroup.procs", pids);

	if (r == -EOPNOTSUPP)
		r = depth == 0 ? read_list(dirfd, "cgroup.threads", pids) : 0;
	if (r < 0)
		return is_gone(r) ? 0 : r;
	if (fstat(dirfd, &st) < 0)
		return -errno;
	if (st.st_nlink <= 2) /* no cgroups in it */
		return 0;
	return depth < DEPTH_MAX ? add_below(dirfd, depth + 1, pids) : -ELOOP;
}

static int add_below(int dirfd, int depth, struct pids *pids)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		close_fd(&fd);
		return is_gone(r) ? 0 : r;
	}
	while (r == 0 && (entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): own stream */
		auto_fd int child = -1;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		child = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (child >= 0)
			r = add_from(child, depth, pids);
		else if (errno != ENOENT)
			r = -errno;
	}
	closedir(dir);
	return r;
}

static int compare(const void *x, const void *y)
{
	pid_t a = *(const pid_t *)x, b = *(const pid_t *)y;

	return (a > b) - (a < b);
}

int cgroup_pids(const struct cgroup *cg, struct arena *a, struct cgroup_pids *ret, struct err *e)
{
	struct pids pids = { .arena = a };
	size_t n = 0;
	int r = add_from(cg->fd, 0, &pids);

	if (r < 0)
		return err_neg(e, r, "list the processes in %s", cg->path);
	if (pids.list.n)
		qsort(pids.list.at, pids.list.n, sizeof(pids.list.at[0]), compare);
	for (size_t i = 0; i < pids.list.n; i++)
		if (n == 0 || pids.list.at[n - 1] != pids.list.at[i])
			pids.list.at[n++] = pids.list.at[i];
	pids.list.n = n;
	*ret = pids.list;
	return 0;
}

/* Signals */

/* Returns how many processes there were. */
static int signal_all(const struct cgroup *cg, int number, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct cgroup_pids pids = { 0 };

	TRY(cgroup_pids(cg, &a, &pids, e));
	for (size_t i = 0; i < pids.n; i++)
		if (kill(pids.at[i], number) < 0 && errno != ESRCH)
			return err_sys(e, "send signal %d to process %d", number, (int)pids.at[i]);
	return pids.n > INT32_MAX ? INT32_MAX : (int)pids.n;
}

/* Before Linux 5.14, and for threaded cgroups: until a round finds nobody new to kill. */
static int kill_one_by_one(const struct cgroup *cg, struct err *e)
{
	for (int i = 0; i < KILL_ROUNDS; i++) {
		int r = cgroup_populated(cg, e);

		if (r > 0)
			r = signal_all(cg, SIGKILL, e);
		if (r <= 0)
			return r;
		r = wait_events(cg, is_empty, 1);
		if (r != -ETIMEDOUT)
			return 0;
	}
	return 0;
}

int cgroup_kill(const struct cgroup *cg, struct err *e)
{
	int r = io_write_value(cg->fd, "cgroup.kill", "1");

	if (r == -ENODEV)
		return 0;
	if (r == -ENOENT || r == -EOPNOTSUPP)
		return kill_one_by_one(cg, e);
	return r < 0 ? err_neg(e, r, "kill the processes in %s", cg->path) : 0;
}

int cgroup_signal(const struct cgroup *cg, int signal, struct err *e)
{
	int r;

	if (signal == SIGKILL)
		return cgroup_kill(cg, e);
	r = signal_all(cg, signal, e);
	return r < 0 ? r : 0;
}

/* Moving */

int cgroup_add_pid(const struct cgroup *cg, pid_t pid, struct err *e)
{
	char text[32];
	int r;

	snprintf(text, sizeof(text), "%d", (int)pid);
	r = io_write_value(cg->fd, "cgroup.procs", text);
	return r < 0 ? err_neg(e, r, "move process %d into %s", (int)pid, cg->path) : 0;
}

int cgroup_move_self(const struct cgroup *cg, struct err *e)
{
	int r = io_write_value(cg->fd, "cgroup.procs", "0");

	return r < 0 ? err_neg(e, r, "enter %s", cg->path) : 0;
}
