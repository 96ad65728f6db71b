/* The end of a cgroup; see cgroup.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/mem.h"
#include "cgroups/driver.h"
#include "cgroups/procs.h"

enum {
	DESTROY_TIMEOUT = 10 * 1000, /* milliseconds */
	PIDS_NAMED = 8,              /* in a message */
};

/*
 * Removes the parents that this cgroup's making made, and the one that all
 * containers share; whoever still uses them keeps them.
 */
static void remove_parents(const struct cgroup *cg)
{
	auto_free char *path = mem_strdup(cg->path);

	for (unsigned i = 1;; i++) {
		char *last = strrchr(path, '/');

		*last = '\0';
		last = strrchr(path, '/');
		if (!last || !(i < cg->made || (i == 1 && strcmp(last + 1, CGROUP_PARENT) == 0)))
			return;
		if (unlinkat(cg->mount, cgroup_below_mount(path), AT_REMOVEDIR) < 0 &&
		    errno != ENOENT)
			return;
	}
}

enum remains { FOUND_NONE, REMOVED_ALL, BLOCKED };

/* Removes the cgroups in this one; of those that have cgroups themselves one is named. */
static int remove_children(int fd, char blocked[NAME_MAX + 1])
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	int r = FOUND_NONE;

	if (!dir) {
		r = -errno;
		close_fd(&copy);
		return r == -ENOENT ? REMOVED_ALL : r;
	}
	while (r >= 0 && (entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): own stream */
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(copy, entry->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT) {
			r = r == FOUND_NONE ? REMOVED_ALL : r;
			continue;
		}
		r = errno == EBUSY ? BLOCKED : -errno;
		snprintf(blocked, NAME_MAX + 1, "%s", entry->d_name);
	}
	closedir(dir);
	return r;
}

/*
 * Removes all cgroups below this one. The container may have nested them
 * deeper than our stack, descriptors or path names would go, so this walks
 * with one descriptor: down to where it can remove, and up again by "..".
 */
static int remove_below(int top)
{
	auto_fd int at = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool arrived = false; /* just now, because it could not be removed from above */

	for (long depth = 0;;) {
		char name[NAME_MAX + 1] = "..";
		int r = at < 0 ? -errno : remove_children(at, name), next;

		if (r < 0)
			return r;
		if (r != BLOCKED && depth == 0)
			return 0;
		if (r == FOUND_NONE && arrived)
			return -EBUSY; /* so it has processes */
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0 && r == BLOCKED && errno == ENOENT) {
			arrived = false;
			continue;
		}
		close_fd(&at);
		at = next;
		depth += r == BLOCKED ? 1 : -1;
		arrived = r == BLOCKED;
	}
}

static int name_survivors(const struct cgroup *cg, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_buf struct buf names = { 0 };
	struct cgroup_pids pids = { 0 };

	TRY(cgroup_pids(cg, &a, &pids, e));
	for (size_t i = 0; i < pids.n && i < PIDS_NAMED; i++)
		buf_printf(&names, " %d", (int)pids.at[i]);
	if (pids.n > PIDS_NAMED)
		buf_printf(&names, " and %zu more", pids.n - PIDS_NAMED);
	return err_set(e, EBUSY, "remove cgroup %s: %d s after SIGKILL it still has process%s%s",
		       cg->path, DESTROY_TIMEOUT / 1000, pids.n == 1 ? "" : "es",
		       names.text ? names.text : " that are not to be seen");
}

/* 1 once there is nothing left to remove, 0 if it is worth trying again. */
static int empty_it(const struct cgroup *cg, int64_t end, struct err *e)
{
	int64_t left = (end - io_now_us()) / 1000;
	int r;

	TRY(cgroup_kill(cg, e));
	r = cgroup_wait_empty(cg, left > 0 ? (int)left : 0, e);
	if (r == -ENOENT)
		return 1;
	if (r == -ETIMEDOUT)
		return name_survivors(cg, e);
	if (r < 0)
		return r;
	r = remove_below(cg->fd);
	if (r < 0 && (r != -EBUSY || left <= 0))
		return err_neg(e, r, "remove what is below cgroup %s", cg->path);
	if (left <= 0)
		return err_set(e, EBUSY, "remove cgroup %s: it is in use", cg->path);
	return 0;
}

int cgroupfs_destroy(struct cgroup *cg, struct err *e)
{
	const int64_t end = io_now_us() + (int64_t)DESTROY_TIMEOUT * 1000;

	if (!cg->path)
		return 0;
	/* Mostly it has been empty for a while, and the first call does it. */
	for (int tries = 0; unlinkat(cg->mount, cgroup_below_mount(cg->path), AT_REMOVEDIR) < 0;
	     tries++) {
		int r;

		if (errno == ENOENT)
			break;
		if (errno != EBUSY)
			return err_sys(e, "remove cgroup %s", cg->path);
		if (tries > 1)
			poll(NULL, 0, 1); /* somebody is putting things in as fast as they go */
		r = empty_it(cg, end, e);
		if (r < 0)
			return r;
		if (r > 0)
			break;
	}
	remove_parents(cg);
	cgroup_close(cg);
	return 0;
}

int cgroupfs_destroy_unused(struct cgroup *cg, struct err *e)
{
	if (unlinkat(cg->mount, cgroup_below_mount(cg->path), AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "remove cgroup %s", cg->path);
	remove_parents(cg);
	cgroup_close(cg);
	return 0;
}
