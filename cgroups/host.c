#include "cgroups/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "cgroups/bus.h"

#define MOUNT "/sys/fs/cgroup"

enum { MEMBERSHIP_MAX = 65536 };

/* The inode number of the first user namespace, part of the kernel's ABI (PROC_USER_INIT_INO). */
static const ino_t first_user_namespace = 0xEFFFFFFD;

static bool is_rootless(void)
{
	struct stat st;

	if (geteuid() != 0)
		return true;
	return stat("/proc/self/ns/user", &st) == 0 && st.st_ino != first_user_namespace;
}

bool cgroup_has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; len && (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

const char *cgroup_below_mount(const char *path)
{
	return path[1] ? path + 1 : ".";
}

/* Opens `path` if it is the root of a cgroup v2 mount; -ENOENT if not. */
static int open_cgroup2(const char *path)
{
	auto_fd int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct statfs sf;

	if (fd < 0)
		return errno == ENOTDIR || errno == EACCES ? -ENOENT : -errno;
	if (fstatfs(fd, &sf) < 0)
		return -errno;
	return sf.f_type == CGROUP2_SUPER_MAGIC ? take_fd(&fd) : -ENOENT;
}

static int find(struct cgroup_host *host)
{
	static const struct {
		const char *path;
		enum cgroup_mode mode;
	} places[] = { { MOUNT, CGROUP_UNIFIED }, { MOUNT "/unified", CGROUP_HYBRID } };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		int r = open_cgroup2(places[i].path);

		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		host->fd = r;
		host->place = places[i].path;
		host->mode = places[i].mode;
		break;
	}
	return 0;
}

/* Adds "cpu,cpuacct" to a list of words; "name=..." holds no controller. */
static void add_v1(struct cgroup_host *host, const char *names, size_t len)
{
	size_t have = strlen(host->v1);

	if (len == 0 || strncmp(names, "name=", 5) == 0 || have + len + 2 > sizeof(host->v1))
		return;
	if (have)
		host->v1[have++] = ' ';
	for (size_t i = 0; i < len; i++)
		host->v1[have + i] = names[i];
	host->v1[have + len] = '\0';
	for (char *comma = host->v1; (comma = strchr(comma, ',')); comma++)
		*comma = ' ';
}

static void set_own(struct cgroup_host *host, const char *path, size_t len)
{
	bool outside = len >= 3 && strncmp(path, "/..", 3) == 0 && (len == 3 || path[3] == '/');

	if (len == 0 || path[0] != '/' || len >= sizeof(host->own) || outside)
		return;
	memcpy(host->own, path, len);
	host->own[len] = '\0';
}

void cgroup_host_parse(const char *text, struct cgroup_host *ret)
{
	/* Each line is "HIERARCHY:CONTROLLERS:PATH"; v2 is "0::PATH" (cgroups(7)). */
	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		const char *names, *path;

		end = strchrnul(line, '\n');
		names = memchr(line, ':', (size_t)(end - line));
		if (!names)
			continue;
		names++;
		path = memchr(names, ':', (size_t)(end - names));
		if (!path)
			continue;
		if (strncmp(line, "0::", 3) == 0)
			set_own(ret, path + 1, (size_t)(end - path - 1));
		else
			add_v1(ret, names, (size_t)(path - names));
	}
}

static int read_membership(pid_t pid, struct cgroup_host *ret)
{
	auto_buf struct buf text = { 0 };
	char path[64] = "/proc/self/cgroup";
	auto_fd int fd = -1;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	TRY(io_slurp(fd, MEMBERSHIP_MAX, &text));
	cgroup_host_parse(text.text, ret);
	return 0;
}

int cgroup_of_pid(pid_t pid, char *path, size_t size)
{
	struct cgroup_host at = CGROUP_HOST_NONE;
	size_t len;

	TRY(read_membership(pid, &at));
	len = strlen(at.own);
	if (len == 0)
		return -ENOENT;
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(path, at.own, len + 1);
	return 0;
}

/*
 * Process 1 tells without a call: as the system's manager it sits in init.scope, below which nobody else's unit
 * is (systemd.special(7)). If that were of no systemd, the place of the first unit would tell.
 */
static bool manager_is_first(struct cgroup_host *host)
{
	static const char scope[] = "/init.scope";
	char path[PATH_MAX];
	size_t len;

	if (host->user || cgroup_of_pid(1, path, sizeof(path)) < 0)
		return false;
	len = strlen(path);
	if (len < sizeof(scope) - 1 || strcmp(path + len - (sizeof(scope) - 1), scope) != 0)
		return false;
	len -= sizeof(scope) - 1;
	memcpy(host->manager, path, len);
	host->manager[len] = '\0';
	return true;
}

static int find_manager(struct cgroup_host *host, struct err *e)
{
	auto_bus struct bus bus = { 0 };

	host->systemd = true;
	if (manager_is_first(host))
		return 0;
	TRY(bus_open(host->user, &bus, e));
	return bus_manager_cgroup(&bus, host->manager, sizeof(host->manager), e);
}

int cgroup_host_open(unsigned want, struct cgroup_host *ret, struct err *e)
{
	auto_cgroup_host struct cgroup_host host = CGROUP_HOST_NONE;
	bool membership;
	int r;

	host.rootless = is_rootless();
	/* Root of a user namespace that has a systemd of its own, as a container may, is root to that. */
	host.user = host.rootless && !(geteuid() == 0 && bus_admits());
	r = find(&host);
	if (r < 0)
		return err_neg(e, r, "look for cgroup v2 at " MOUNT);
	if (host.mode != CGROUP_NONE && (want & CGROUP_WANT_CONTROLLERS)) {
		r = io_read_value(host.fd, "cgroup.controllers", host.controllers,
				  sizeof(host.controllers));
		if (r < 0)
			return err_neg(e, r, "read cgroup.controllers");
	}
	membership = ((want & CGROUP_WANT_CONTROLLERS) && host.mode == CGROUP_HYBRID) ||
		     ((want & CGROUP_WANT_OWN) && host.rootless && host.mode != CGROUP_NONE);
	r = membership ? read_membership(0, &host) : 0;
	if (r < 0)
		return err_neg(e, r, "read /proc/self/cgroup");
	if (want & CGROUP_WANT_SYSTEMD)
		TRY(find_manager(&host, e));
	*ret = host;
	ret->fd = take_fd(&host.fd);
	return 0;
}

void cgroup_host_close(struct cgroup_host *host)
{
	close_fd(&host->fd);
}
