#include "runtime/pid_namespace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

/* PID namespaces nest no deeper (MAX_PID_NS_LEVEL). */
enum { LEVELS_MAX = 32 };

static bool has_ended(int pidfd)
{
	struct pollfd fd = { .fd = pidfd, .events = POLLIN };

	return poll(&fd, 1, 0) != 0;
}

static int open_namespace(int proc, pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "%d/ns/pid", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool is_namespace(int fd, const struct stat *ns)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == ns->st_dev && st.st_ino == ns->st_ino;
}

/*
 * In `ns` or below it? The namespace of a process that we may not look into is
 * not one that a user namespace of ours owns.
 */
static bool is_inside(int proc, pid_t pid, const struct stat *ns)
{
	auto_fd int fd = open_namespace(proc, pid);

	for (int level = 0; fd >= 0 && level < LEVELS_MAX; level++) {
		int parent;

		if (is_namespace(fd, ns))
			return true;
		parent = ioctl(fd, NS_GET_PARENT); /* EPERM: above ours */
		close_fd(&fd);
		fd = parent;
	}
	return false;
}

static int signal_if_inside(int proc, pid_t pid, const struct stat *ns, int signal, struct err *e)
{
	auto_fd int pidfd = pidfd_open(pid, 0);

	/* If it lives now, its pid has meant it all the time. */
	if (pidfd < 0 || !is_inside(proc, pid, ns) || has_ended(pidfd))
		return 0;
	if (pidfd_send_signal(pidfd, signal, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(e, "signal process %d", (int)pid);
	return 0;
}

static int signal_each(DIR *dir, const struct stat *ns, int signal, struct err *e)
{
	const struct dirent *entry;

	for (;;) {
		char *end;
		long pid;

		errno = 0;
		entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): own stream */
		if (!entry)
			return errno ? err_sys(e, "list /proc") : 0;
		pid = strtol(entry->d_name, &end, 10);
		if (*end || pid <= 0 || pid > INT32_MAX)
			continue;
		TRY(signal_if_inside(dirfd(dir), (pid_t)pid, ns, signal, e));
	}
}

int pid_namespace_signal(pid_t init, int pidfd, int signal, struct err *e)
{
	DIR *dir = opendir("/proc");
	auto_fd int fd = -1;
	struct stat ns;
	int r;

	if (!dir)
		return err_sys(e, "open /proc");
	fd = open_namespace(dirfd(dir), init);
	if (has_ended(pidfd))
		r = 0;
	else if (fd < 0)
		r = err_neg(e, fd, "open the PID namespace of process %d", (int)init);
	else if (fstat(fd, &ns) < 0)
		r = err_sys(e, "look at the PID namespace of process %d", (int)init);
	else
		r = signal_each(dir, &ns, signal, e);
	closedir(dir);
	return r;
}
