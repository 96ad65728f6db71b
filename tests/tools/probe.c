/*
 * probe - a program in a container that says all it sees of it, for tests/differential.
 *
 *	probe [-x STATUS] [-k SIGNAL] [-s PATH]... [WORD]...
 *
 * It writes lines "KEY<tab>VALUE", each key once, and then exits with STATUS (0), or kills
 * itself with SIGNAL. -s looks at one more path. The words are only there to be seen.
 * Each value stands for itself: numbers that differ from run to run (inodes of
 * namespaces apart, which the caller compares with its own) are left out.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

extern char **environ;

static void put_escaped(const char *s)
{
	for (; *s != '\0'; s++) {
		if (iscntrl((unsigned char)*s) || *s == '\\')
			printf("\\x%02x", (unsigned char)*s);
		else
			putchar(*s);
	}
}

__attribute__((format(printf, 2, 3))) static void say(const char *key, const char *format, ...)
{
	char value[8192];
	va_list ap;

	va_start(ap, format);
	vsnprintf(value, sizeof(value), format, ap);
	va_end(ap);
	put_escaped(key);
	putchar('\t');
	put_escaped(value);
	putchar('\n');
}

/* "name" for errno ENAME, "ok" for 0. */
static const char *reason(int error)
{
	const char *name = error == 0 ? "ok" : strerrorname_np(error);

	return name != NULL ? name : "unknown";
}

/* The file's beginning in `text`, without its last line feed; or the reason why not, in brackets. */
static const char *content(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (n < 0)
		snprintf(text, size, "(%s)", reason(errno));
	else
		text[n > 0 && text[n - 1] == '\n' ? n - 1 : n] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

static void say_content(const char *key, const char *path)
{
	char text[4096];

	say(key, "%s", content(path, text, sizeof(text)));
}

/* ---- mounts */

/* "shared:12 master:3" without the numbers of the groups. */
static const char *propagation(char *fields)
{
	static char text[64];

	text[0] = '\0';
	for (char *word = strtok(fields, " "); word != NULL; word = strtok(NULL, " ")) {
		if (strncmp(word, "propagate_from", 14) == 0)
			continue;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.*s",
			 text[0] ? "," : "", (int)strcspn(word, ":"), word);
	}
	return text[0] != '\0' ? text : "private";
}

/* What is mounted at one path more than once gets a number, from the bottom up. */
static int times_seen(const char *path)
{
	static char seen[512][512];
	static int count;
	int times = 1;

	for (int i = 0; i < count; i++)
		times += strcmp(seen[i], path) == 0;
	if (count < 512)
		snprintf(seen[count++], sizeof(seen[0]), "%.500s", path);
	return times;
}

static void say_mount_field(const char *path, int times, const char *field, const char *value)
{
	char key[600], number[16] = "";

	if (times > 1)
		snprintf(number, sizeof(number), "#%d", times);
	snprintf(key, sizeof(key), "mount %s%s %s", path, number, field);
	say(key, "%s", value);
}

/* proc_pid_mountinfo(5): id parent major:minor root path options fields... - type source super */
static void say_mount(char *line)
{
	char *fields = strstr(line, " - "), *word[7], *rest = line;
	int times;

	if (fields == NULL)
		return;
	*fields = '\0';
	fields += 3;
	for (int i = 0; i < 6; i++)
		word[i] = strsep(&rest, " ");
	if (word[5] == NULL)
		return;
	times = times_seen(word[4]);
	say_mount_field(word[4], times, "there", "yes");
	say_mount_field(word[4], times, "root", word[3]);
	say_mount_field(word[4], times, "options", word[5]);
	say_mount_field(word[4], times, "propagation",
			rest != NULL ? propagation(rest) : "private");
	say_mount_field(word[4], times, "type", strsep(&fields, " "));
	say_mount_field(word[4], times, "source", strsep(&fields, " "));
	say_mount_field(word[4], times, "super", fields != NULL ? fields : "");
}

static void say_mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;

	if (f == NULL) {
		say("mounts", "(%s)", reason(errno));
		return;
	}
	while (getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		say_mount(line);
	}
	free(line);
	fclose(f);
}

/* ---- the process */

static void say_status(void)
{
	static const char *const wanted[] = {
		"Umask",
		"Uid",
		"Gid",
		"Groups",
		"NSpid",
		"NStgid",
		"SigBlk",
		"SigIgn",
		"CapInh",
		"CapPrm",
		"CapEff",
		"CapBnd",
		"CapAmb",
		"NoNewPrivs",
		"Seccomp",
		"Seccomp_filters",
		"Threads",
		"THP_enabled",
		"Cpus_allowed_list",
		"Mems_allowed_list",
		"Speculation_Store_Bypass",
	};
	FILE *f = fopen("/proc/self/status", "re");
	char line[4096], key[64];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		char *value = strchr(line, ':');

		if (value == NULL)
			continue;
		*value++ = '\0';
		value += strspn(value, " \t");
		value[strcspn(value, "\n")] = '\0';
		for (char *tab = strchr(value, '\t'); tab != NULL; tab = strchr(tab, '\t'))
			*tab = ' ';
		for (size_t n = strlen(value); n > 0 && isspace((unsigned char)value[n - 1]);)
			value[--n] = '\0';
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			if (strcmp(line, wanted[i]) != 0)
				continue;
			snprintf(key, sizeof(key), "status %s", wanted[i]);
			say(key, "%s", value);
		}
	}
	if (f != NULL)
		fclose(f);
}

static void say_limits(void)
{
	static const char *const names[] = {
		"CPU",     "FSIZE", "DATA",  "STACK",      "CORE",     "RSS",  "NPROC",  "NOFILE",
		"MEMLOCK", "AS",    "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME",
	};
	struct rlimit limit;
	char key[64];

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(key, sizeof(key), "limit %s", names[i]);
		if (getrlimit(i, &limit) == 0)
			say(key, "%llu %llu", (unsigned long long)limit.rlim_cur,
			    (unsigned long long)limit.rlim_max);
	}
}

static void say_namespaces(void)
{
	static const char *const names[] = { "cgroup", "ipc",  "mnt",  "net",
					     "pid",    "time", "user", "uts" };
	char key[64], path[64];
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(key, sizeof(key), "namespace %s", names[i]);
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		if (stat(path, &st) == 0)
			say(key, "%llu", (unsigned long long)st.st_ino);
		else
			say(key, "(%s)", reason(errno));
	}
	say_content("user map uid", "/proc/self/uid_map");
	say_content("user map gid", "/proc/self/gid_map");
	say_content("user map setgroups", "/proc/self/setgroups");
	say_content("time offsets", "/proc/self/timens_offsets");
}

/* linux/sched/types.h, which libc's headers of Debian 12 cannot be mixed with */
struct scheduling {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static void say_scheduling(void)
{
	struct scheduling s = { 0 };
	unsigned long nodes[16] = { 0 };
	int mode = 0;
	long io = syscall(SYS_ioprio_get, 1, 0);

	if (syscall(SYS_sched_getattr, 0, &s, sizeof(s), 0) == 0)
		say("scheduler",
		    "policy %u flags %llx nice %d priority %u runtime %llu deadline %llu period "
		    "%llu",
		    s.policy, (unsigned long long)s.flags, s.nice, s.priority,
		    (unsigned long long)(s.policy == 6 ? s.runtime : 0),
		    (unsigned long long)s.deadline, (unsigned long long)s.period);
	else
		say("scheduler", "(%s)", reason(errno));
	say("ioprio", "class %ld level %ld", io >> 13, io & 0x1fff);
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, NULL, 0) == 0)
		say("memory policy", "mode %d nodes %lx", mode, nodes[0]);
	else
		say("memory policy", "(%s)", reason(errno));
}

static void say_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *entry;
	char key[64], path[64], target[512];

	while (d != NULL && (entry = readdir(d)) != NULL) {
		ssize_t n;
		int fd = atoi(entry->d_name);

		if (entry->d_name[0] == '.' || fd == dirfd(d))
			continue;
		snprintf(key, sizeof(key), "descriptor %d", fd);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		/* "pipe:[123]" */
		if (strchr(target, ':') != NULL && target[0] != '/')
			*strchr(target, ':') = '\0';
		say(key, "%s flags %x%s", target, fcntl(fd, F_GETFL) & ~(O_CLOEXEC | 0100000),
		    isatty(fd) ? " terminal" : "");
	}
	if (d != NULL)
		closedir(d);
}

static void say_terminal(void)
{
	struct winsize size = { 0 };
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	say("terminal controlling", "%s", fd >= 0 ? "yes" : reason(errno));
	if (fd >= 0)
		close(fd);
	if (ioctl(1, TIOCGWINSZ, &size) == 0)
		say("terminal size", "%u %u", size.ws_row, size.ws_col);
}

static void say_process(int argc, char **argv)
{
	char cwd[PATH_MAX], key[256], text[256] = "";
	int signal = 0;

	for (int i = 0; i < argc; i++) {
		snprintf(key, sizeof(key), "argument %d", i);
		say(key, "%s", argv[i]);
	}
	for (char **e = environ; *e != NULL; e++) {
		snprintf(key, sizeof(key), "environment %.*s", (int)strcspn(*e, "="), *e);
		say(key, "%s", strchr(*e, '=') != NULL ? strchr(*e, '=') + 1 : "(no value)");
	}
	say("cwd", "%s", getcwd(cwd, sizeof(cwd)) != NULL ? cwd : reason(errno));
	say("pid", "%d", getpid());
	say("parent", "%d", getppid());
	say("session leader", "%s", getsid(0) == getpid() ? "yes" : "no");
	say("group leader", "%s", getpgrp() == getpid() ? "yes" : "no");
	say("personality", "%x", personality(0xffffffff));
	say("dumpable", "%d", prctl(PR_GET_DUMPABLE));
	say("keep capabilities", "%d", prctl(PR_GET_KEEPCAPS));
	say("secure bits", "%x", prctl(PR_GET_SECUREBITS));
	prctl(PR_GET_PDEATHSIG, &signal);
	say("parent's death signal", "%d", signal);
	prctl(PR_GET_CHILD_SUBREAPER, &signal);
	say("subreaper", "%d", signal);
	say_content("oom score", "/proc/self/oom_score_adj");
	say_content("apparmor", "/proc/self/attr/current");
	if (syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text)) < 0)
		snprintf(text, sizeof(text), "(%s)", reason(errno));
	say("session keyring", "%s", text);
}

/* ---- what is around it */

static void say_names(void)
{
	char host[128] = "", domain[128] = "";

	if (gethostname(host, sizeof(host)) == 0)
		say("hostname", "%s", host);
	if (getdomainname(domain, sizeof(domain)) == 0)
		say("domainname", "%s", domain);
}

static void say_links(void)
{
	struct if_nameindex *all = if_nameindex();
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char key[64];

	for (struct if_nameindex *one = all; one != NULL && one->if_index != 0; one++) {
		struct ifreq request = { 0 };

		snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", one->if_name);
		snprintf(key, sizeof(key), "link %s", one->if_name);
		if (ioctl(fd, SIOCGIFFLAGS, &request) == 0)
			say(key, "%s", request.ifr_flags & IFF_UP ? "up" : "down");
	}
	if (all != NULL)
		if_freenameindex(all);
	close(fd);
}

static void say_sysctls(void)
{
	static const char *const names[] = {
		"kernel/shmmax",
		"kernel/shmmni",
		"kernel/msgmax",
		"kernel/msgmnb",
		"kernel/sem",
		"kernel/shm_rmid_forced",
		"fs/mqueue/msg_max",
		"fs/mqueue/queues_max",
		"net/ipv4/ip_forward",
		"net/ipv4/ping_group_range",
		"net/ipv4/ip_unprivileged_port_start",
		"net/ipv4/ip_local_port_range",
		"net/core/somaxconn",
		"net/ipv4/ip_default_ttl",
		"user/max_uts_namespaces",
	};
	char key[128], path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(key, sizeof(key), "sysctl %s", names[i]);
		snprintf(path, sizeof(path), "/proc/sys/%s", names[i]);
		say_content(key, path);
	}
}

static void say_cgroup(void)
{
	static const char *const names[] = {
		"cgroup.type",

		"cgroup.subtree_control",
		"cgroup.freeze",
		"cgroup.max.depth",
		"cgroup.max.descendants",
		"cgroup.events",
		"cgroup.procs",
		"memory.max",
		"memory.high",
		"memory.low",
		"memory.swap.max",
		"pids.max",
		"cpu.max",
		"cpu.weight",
		"cpuset.cpus",
		"cpuset.mems",
		"io.weight",
		"hugetlb.2MB.max",
		"hugetlb.2MB.rsvd.max",
	};
	char key[128], path[128], text[4096];
	struct stat st;

	say_content("cgroup", "/proc/self/cgroup");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(key, sizeof(key), "cgroup file %s", names[i]);
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", names[i]);
		if (access(path, F_OK) < 0)
			continue;
		say(key, "%s", content(path, text, sizeof(text)));
	}
	if (stat("/sys/fs/cgroup", &st) == 0)
		say("cgroup owner", "%d %d", (int)st.st_uid, (int)st.st_gid);
}

static char kind(mode_t mode)
{
	return S_ISREG(mode)    ? 'f'
	       : S_ISDIR(mode)  ? 'd'
	       : S_ISLNK(mode)  ? 'l'
	       : S_ISCHR(mode)  ? 'c'
	       : S_ISBLK(mode)  ? 'b'
	       : S_ISFIFO(mode) ? 'p'
	       : S_ISSOCK(mode) ? 's'
				: '?';
}

static int count_entries(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	int count = 0;

	if (d == NULL)
		return -errno;
	while ((entry = readdir(d)) != NULL)
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(d);
	return count;
}

/* Whether it can be opened so. Nothing is created, cut or waited for. */
static const char *can_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return reason(errno);
	close(fd);
	return "ok";
}

static void look_in(const char *path, const struct stat *st)
{
	char key[PATH_MAX + 64], text[256];

	snprintf(key, sizeof(key), "path %s writing", path);
	if (S_ISDIR(st->st_mode))
		say(key, "%s", access(path, W_OK) == 0 ? "ok" : reason(errno));
	else
		say(key, "%s", can_open(path, O_WRONLY));
	snprintf(key, sizeof(key), "path %s content", path);
	if (S_ISDIR(st->st_mode)) {
		int count = count_entries(path);

		/* How many a kernel shows there is its own business. */
		say(key, "%s", count < 0 ? reason(-count) : count == 0 ? "empty" : "entries");
	} else if (S_ISREG(st->st_mode) && strncmp(path, "/proc/", 6) != 0) {
		say(key, "%s", content(path, text, sizeof(text)));
	} else if (S_ISREG(st->st_mode)) {
		content(path, text, sizeof(text));
		say(key, "%s", text[0] == '\0' ? "empty" : text[0] == '(' ? text : "text");
	} else {
		say(key, "%s", can_open(path, O_RDONLY));
	}
}

static void look(const char *path)
{
	char key[PATH_MAX + 64], target[512];
	struct stat st;
	struct statfs fs;

	snprintf(key, sizeof(key), "path %s", path);
	if (lstat(path, &st) < 0) {
		say(key, "(%s)", reason(errno));
		return;
	}
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(path, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		say(key, "l %s", target);
		return;
	}
	if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		say(key, "%c %04o %d %d device %u:%u", kind(st.st_mode), st.st_mode & 07777,
		    (int)st.st_uid, (int)st.st_gid, major(st.st_rdev), minor(st.st_rdev));
	else
		say(key, "%c %04o %d %d", kind(st.st_mode), st.st_mode & 07777, (int)st.st_uid,
		    (int)st.st_gid);
	if (!S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode) && statfs(path, &fs) == 0)
		look_in(path, &st);
}

static void look_beneath(const char *directory, int depth)
{
	DIR *d = opendir(directory);
	struct dirent *entry;
	char path[PATH_MAX];

	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		/* Terminals have numbers of their own, and the caller may have more of them. */
		if (strncmp(path, "/dev/pts/", 9) == 0 && isdigit((unsigned char)path[9]))
			continue;
		look(path);
		if (entry->d_type == DT_DIR && depth > 0)
			look_beneath(path, depth - 1);
	}
	if (d != NULL)
		closedir(d);
}

static void say_paths(void)
{
	static const char *const paths[] = {
		"/",
		"/dev",
		"/proc",
		"/sys",
		"/tmp",
		"/proc/acpi",
		"/proc/asound",
		"/proc/kcore",
		"/proc/keys",
		"/proc/latency_stats",
		"/proc/timer_list",
		"/proc/timer_stats",
		"/proc/sched_debug",
		"/proc/scsi",
		"/sys/firmware",
		"/proc/bus",
		"/proc/fs",
		"/proc/irq",
		"/proc/sys/kernel/core_pattern",
		"/proc/sysrq-trigger",
		"/sys/fs/cgroup",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		look(paths[i]);
	look_beneath("/dev", 2);
}

/* ---- what it may do: calls whose arguments are wrong, so that nothing ever happens */

static void say_call(const char *name, long result)
{
	char key[64];

	snprintf(key, sizeof(key), "call %s", name);
	say(key, "%s", result >= 0 ? "ok" : reason(errno));
	fflush(stdout);
}

static void say_calls(void)
{
	say_call("getppid", syscall(SYS_getppid));
	say_call("uname", syscall(SYS_uname, NULL));
	say_call("chmod", syscall(SYS_chmod, NULL, 0));
	say_call("mkdir", syscall(SYS_mkdir, NULL, 0));
	say_call("mount", syscall(SYS_mount, NULL, NULL, NULL, 0, NULL));
	say_call("sethostname", syscall(SYS_sethostname, NULL, -1));
	say_call("setns", syscall(SYS_setns, -1, 0));
	say_call("unshare", syscall(SYS_unshare, 1));
	say_call("clone3", syscall(SYS_clone3, NULL, 0));
	say_call("ptrace", syscall(SYS_ptrace, 9999, 0, 0, 0));
	say_call("bpf", syscall(SYS_bpf, 9999, NULL, 0));
	say_call("keyctl", syscall(SYS_keyctl, 9999, 0, 0, 0, 0));
	say_call("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
	say_call("swapon", syscall(SYS_swapon, NULL, 0));
	say_call("settimeofday", syscall(SYS_settimeofday, (void *)1, NULL));
	say_call("acct", syscall(SYS_acct, (void *)1));
	say_call("io_uring_setup", syscall(SYS_io_uring_setup, 0, NULL));
	say_call("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, NULL, 0));
	say_call("socket inet", socket(AF_INET, SOCK_DGRAM, 0));
	say_call("socket packet", socket(AF_PACKET, SOCK_RAW, 0));
	say_call("personality", personality(0xffffffff));
	say_call("number 9999", syscall(9999));
}

static int number(const char *word)
{
	char *end;
	long value = strtol(word, &end, 10);

	if (*word == '\0' || *end != '\0' || value < 0 || value > 255) {
		fprintf(stderr, "probe: %s is no number up to 255\n", word);
		exit(125);
	}
	return (int)value;
}

int main(int argc, char **argv)
{
	int status = 0, killer = 0, option;

	while ((option = getopt(argc, argv, "+x:k:s:")) != -1) {
		if (option == 'x')
			status = number(optarg);
		else if (option == 'k')
			killer = number(optarg);
		else if (option == 's')
			look(optarg);
		else
			return 125;
	}
	say_process(argc, argv);
	say_descriptors();
	say_terminal();
	say_status();
	say_limits();
	say_namespaces();
	say_scheduling();
	say_names();
	say_links();
	say_sysctls();
	say_cgroup();
	say_mounts();
	say_paths();
	say_calls();
	fflush(stdout);
	/* Process 1 of a PID namespace gets no signal from itself but SIGKILL and SIGSTOP, and
	 * not those from within: a child of the host's namespace has to be it, or a fault. */
	if (killer != 0) {
		signal(killer, SIG_DFL);
		raise(killer);
	}
	return status;
}
