/*
 * floor.c - the fewest system calls that make the container of `runc spec`.
 *
 *	floor run ROOTFS CGROUP_PARENT CMD [ARG...]
 *	floor exec PID CMD [ARG...]
 *
 * No configuration is read, nothing is checked, no state is kept, no signal is
 * forwarded: what stays is what the kernel takes for six namespaces, seven
 * mounts, six devices, the masked and read-only paths, loopback, a limit, the
 * capabilities and no_new_privs. That bounds from below what any runtime can
 * reach on a machine. Left out of runc's default container: the BPF program of
 * the (all-allowing, as runc adds its standard rules) device list.
 *
 * The old mount(2) is used on purpose: it makes a mount in one call, where the
 * calls by descriptor that a safe runtime needs are three or more.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES \
	(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP)
#define LAST_CAP 40 /* CAP_CHECKPOINT_RESTORE */

#define MUST(call)                                                                  \
	do {                                                                        \
		if ((call) < 0) {                                                   \
			fprintf(stderr, "floor: %s: %s\n", #call, strerror(errno)); \
			_exit(99);                                                  \
		}                                                                   \
	} while (0)

static const struct mount_row {
	const char *type, *where;
	unsigned long flags;
	const char *data;
} mounts[] = {
	{ "proc", "proc", 0, NULL },
	{ "tmpfs", "dev", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k" },
	{ "devpts", "dev/pts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "tmpfs", "dev/shm", MS_NOSUID | MS_NOEXEC | MS_NODEV, "mode=1777,size=65536k" },
	{ "mqueue", "dev/mqueue", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL },
	{ "sysfs", "sys", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY, NULL },
	{ "cgroup2", "sys/fs/cgroup", MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RELATIME | MS_RDONLY,
	  NULL },
};

static const struct device_row {
	const char *path;
	unsigned major, minor;
} devices[] = {
	{ "dev/null", 1, 3 }, { "dev/zero", 1, 5 },   { "dev/full", 1, 7 },
	{ "dev/tty", 5, 0 },  { "dev/random", 1, 8 }, { "dev/urandom", 1, 9 },
};

static const struct link_row {
	const char *target, *path;
} links[] = {
	{ "/proc/self/fd", "dev/fd" },       { "/proc/self/fd/0", "dev/stdin" },
	{ "/proc/self/fd/1", "dev/stdout" }, { "/proc/self/fd/2", "dev/stderr" },
	{ "/proc/kcore", "dev/core" },       { "pts/ptmx", "dev/ptmx" },
};

static const char *const masked_files[] = { "/proc/kcore",         "/proc/keys",
					    "/proc/latency_stats", "/proc/timer_list",
					    "/proc/timer_stats",   "/proc/sched_debug" };
static const char *const masked_directories[] = { "/sys/firmware", "/proc/acpi", "/proc/asound",
						  "/proc/scsi" };
static const char *const readonly_paths[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
					      "/proc/sysrq-trigger" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void make_root(const char *rootfs)
{
	MUST(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL));
	MUST(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL));
	MUST(chdir(rootfs));
	for (size_t i = 0; i < COUNT(mounts); i++) {
		const struct mount_row *m = &mounts[i];

		if (strncmp(m->where, "dev/", 4) == 0)
			MUST(mkdir(m->where, 0755));
		MUST(mount(m->type, m->where, m->type, m->flags, m->data));
	}
	for (size_t i = 0; i < COUNT(devices); i++)
		MUST(mknod(devices[i].path, S_IFCHR | 0666,
			   makedev(devices[i].major, devices[i].minor)));
	for (size_t i = 0; i < COUNT(links); i++)
		MUST(symlink(links[i].target, links[i].path));
	MUST(syscall(SYS_pivot_root, ".", "."));
	MUST(umount2(".", MNT_DETACH));
	MUST(chdir("/"));
}

/* A path that this kernel does not have needs no mask. */
static void mount_if_there(const char *source, const char *target, const char *type,
			   unsigned long flags)
{
	if (mount(source, target, type, flags, NULL) < 0 && errno != ENOENT)
		MUST(-1);
}

static void protect_paths(void)
{
	const unsigned long inherited = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	for (size_t i = 0; i < COUNT(masked_files); i++)
		mount_if_there("/dev/null", masked_files[i], NULL, MS_BIND);
	/* One empty read-only tree serves all directories. */
	mount_if_there("tmpfs", masked_directories[0], "tmpfs", MS_RDONLY);
	for (size_t i = 1; i < COUNT(masked_directories); i++)
		mount_if_there(masked_directories[0], masked_directories[i], NULL, MS_BIND);
	for (size_t i = 0; i < COUNT(readonly_paths); i++) {
		const char *path = readonly_paths[i];

		if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
			continue;
		MUST(mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | inherited, NULL));
	}
	MUST(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
}

static void bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	MUST(fd);
	MUST(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

/* runc's three capabilities and nothing else, for root and for whatever it executes. */
static void drop_privileges(void)
{
	const uint32_t kept = 1U << CAP_AUDIT_WRITE | 1U << CAP_KILL | 1U << CAP_NET_BIND_SERVICE;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { { .effective = kept, .permitted = kept } };

	for (unsigned cap = 0; cap <= LAST_CAP; cap++)
		if (cap > 31 || !(kept & 1U << cap))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	MUST(syscall(SYS_capset, &header, sets));
	MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static _Noreturn void become(char *const argv[])
{
	char *environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
				"TERM=xterm", NULL };

	execve(argv[0], argv, environment);
	MUST(-1);
	_exit(99);
}

static pid_t clone_into(int cgroup, uint64_t flags)
{
	struct clone_args args = { .flags = flags | CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD,
				   .cgroup = (uint64_t)cgroup };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	MUST(pid);
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	MUST(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run(const char *rootfs, const char *cgroup_parent, char *const argv[])
{
	const struct rlimit files = { 1024, 1024 };
	char path[4096];
	int cgroup, status;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/floor-%d", cgroup_parent, getpid());
	MUST(mkdir(path, 0755));
	cgroup = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	MUST(cgroup);
	pid = clone_into(cgroup, NAMESPACES);
	if (pid == 0) {
		make_root(rootfs);
		bring_loopback_up();
		protect_paths();
		MUST(sethostname("floor", 5));
		MUST(setrlimit(RLIMIT_NOFILE, &files));
		setsid();
		drop_privileges();
		become(argv);
	}
	status = status_of(pid);
	MUST(rmdir(path));
	return status;
}

/* The directory of a process's cgroup v2. */
static int open_cgroup(const char *pid)
{
	char path[4096 + 32], line[4096];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/cgroup", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "0::", 3) != 0)
			continue;
		fclose(file);
		line[strcspn(line, "\n")] = '\0';
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s", line + 3);
		return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	return -1;
}

static int execute(const char *pid_text, char *const argv[])
{
	int cgroup = open_cgroup(pid_text);
	int pidfd = (int)syscall(SYS_pidfd_open, atoi(pid_text), 0);
	pid_t pid;

	MUST(cgroup);
	MUST(pidfd);
	MUST(setns(pidfd, NAMESPACES));
	pid = clone_into(cgroup, 0);
	if (pid == 0) {
		setsid();
		drop_privileges();
		become(argv);
	}
	return status_of(pid);
}

int main(int argc, char *argv[])
{
	if (argc >= 5 && strcmp(argv[1], "run") == 0)
		return run(argv[2], argv[3], argv + 4);
	if (argc >= 4 && strcmp(argv[1], "exec") == 0)
		return execute(argv[2], argv + 3);
	fprintf(stderr, "usage: floor run ROOTFS CGROUP_PARENT CMD... | floor exec PID CMD...\n");
	return 2;
}
