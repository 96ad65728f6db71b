/*
 * probe - what tests/security/run puts into containers, and its racer on the host.
 * A static program; the only one in the containers' root file system.
 *
 * On the host:
 *	probe swap COUNTER A B [C D]... exchanges A with B, C with D, ... all the time, and counts
 *	                                the exchanges in the file COUNTER (a uint64_t), until a signal
 * In a container (each prints lines of words, and exits with 0 if it could look at all):
 *	probe true | wait | pause       wait reads standard input to its end, pause sleeps for a minute
 *	probe cat FILE... | put FILE TEXT
 *	probe env | args
 *	probe digest NAME               the length and FNV-1a sum of that variable of the environment
 *	probe look PATH...              what each path is, following links
 *	probe open FILE...              which files can be opened for writing; nothing is written
 *	probe cwd NAME                  the working directory by getcwd(2), and whether the host's file NAME
 *	                                can be reached from it by ".."
 *	probe descriptors               those above 2, and what they are
 *	probe namespaces                the numbers of its namespaces
 *	probe intruder SECONDS          opens the descriptors and executables of all who come
 *	probe sockets                   which address families it gets, by each way to ask
 *	probe kernel                    which doors into the kernel are open (namespaces, mounts)
 *	probe tiocsti                   puts characters into the terminals that it has
 *	probe mkdir DIR... | connect PATH
 * Its exit status is 126 if it was called wrongly.
 */
#ifndef _GNU_SOURCE
	#define _GNU_SOURCE
#endif
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static const char *word(int error)
{
	return error ? strerrorname_np(error) : "open";
}

/* ---- on the host */

static int swap(int argc, char **argv)
{
	int fd = open(argv[0], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	volatile uint64_t *counter;

	if (fd < 0 || ftruncate(fd, sizeof(*counter)) < 0)
		return 126;
	counter = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counter == MAP_FAILED)
		return 126;
	for (;;) {
		for (int i = 1; i + 1 < argc; i += 2) {
			if (renameat2(AT_FDCWD, argv[i], AT_FDCWD, argv[i + 1], RENAME_EXCHANGE) ==
			    0)
				++*counter;
			else if (errno != EBUSY && errno != ENOENT)
				return 126;
		}
	}
}

/* ---- in containers: small things */

static int show_file(const char *path)
{
	char buf[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		printf("%s %s\n", path, word(errno));
		return 0;
	}
	fflush(stdout);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write(STDOUT_FILENO, buf, (size_t)n) != n)
			return 1;
	close(fd);
	return 0;
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int failed = fd < 0 || write(fd, text, strlen(text)) < 0;

	printf("put %s %s\n", path, word(failed ? errno : 0));
	return 0;
}

static int digest(const char *name)
{
	const char *value = getenv(name);
	uint64_t sum = 0xcbf29ce484222325ULL;

	if (!value) {
		puts("none");
		return 0;
	}
	for (const char *p = value; *p; p++)
		sum = (sum ^ (unsigned char)*p) * 0x100000001b3ULL;
	printf("%zu %016llx\n", strlen(value), (unsigned long long)sum);
	return 0;
}

static const char *kind(mode_t mode)
{
	return S_ISREG(mode)   ? "file"
	       : S_ISDIR(mode) ? "directory"
	       : S_ISCHR(mode) ? "char"
	       : S_ISBLK(mode) ? "block"
	       : S_ISLNK(mode) ? "link"
			       : "other";
}

/* look PATH KIND MAJOR:MINOR FILESYSTEM-MAGIC MOUNT-FLAGS */
static int look(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;
	struct statfs fs;

	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		printf("look %s %s\n", path, word(errno));
	else
		printf("look %s %s %u:%u %lx %lx\n", path, kind(st.st_mode), major(st.st_rdev),
		       minor(st.st_rdev), (unsigned long)fs.f_type, (unsigned long)fs.f_flags);
	if (fd >= 0)
		close(fd);
	return 0;
}

static int openable(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	printf("open %s %s\n", path, word(fd < 0 ? errno : 0));
	if (fd >= 0)
		close(fd);
	return 0;
}

static int make_directory(const char *path)
{
	printf("mkdir %s %s\n", path, word(mkdir(path, 0755) < 0 ? errno : 0));
	return 0;
}

static int show_cwd(const char *canary)
{
	char path[8192], up[8192] = "";
	struct stat here, root;

	if (syscall(SYS_getcwd, path, sizeof(path)) < 0)
		snprintf(path, sizeof(path), "%s", word(errno));
	printf("cwd %s\n", path);
	for (int i = 0; i < 16; i++) {
		char name[sizeof(up) + 4096];

		snprintf(name, sizeof(name), "%s./%s", up, canary);
		if (access(name, F_OK) == 0) {
			printf("reached %s\n", name);
			break;
		}
		strcat(up, "../");
	}
	if (stat(up, &here) == 0 && stat("/", &root) == 0)
		printf("top %s\n",
		       here.st_dev == root.st_dev && here.st_ino == root.st_ino ? "root" : "other");
	return 0;
}

static int show_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char target[4096];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n < 0 || atoi(entry->d_name) <= 2 || atoi(entry->d_name) == dirfd(dir))
			continue;
		target[n] = '\0';
		printf("descriptor %s %s\n", entry->d_name, target);
	}
	return dir ? 0 : 1;
}

static int show_namespaces(void)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "user", "uts" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char path[64], target[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			return 1;
		target[n] = '\0';
		printf("namespace %s\n", target);
	}
	return 0;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	r = connect(fd, (struct sockaddr *)&address, sizeof(address));
	printf("connect %s %s\n", path, word(r < 0 ? errno : 0));
	return 0;
}

/* ---- an intruder: whoever comes has nothing of the host's */

static long looked_at, descriptors_seen, executables_seen;

/*
 * A sealed memfd can be opened for writing, and not written; so a byte is written, the one that is
 * there. (The suite gives the runtime as a copy.)
 */
static void try_to_write(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	char byte;

	if (fd < 0)
		return;
	if ((pread(fd, &byte, 1, 0) == 1 && pwrite(fd, &byte, 1, 0) == 1) || ftruncate(fd, 0) == 0)
		printf("writable %s\n", path);
	close(fd);
}

/* Opened for reading while it ran, it may be written when nobody runs it any more. */
static void go_for_executable(const char *pid, const char *what)
{
	static int kept[32];
	static unsigned at;
	static struct stat own;
	char path[320];
	struct stat st;
	int fd;

	/* A process that runs the probe is one of ours, and so is its executable. */
	if (!own.st_ino && stat("/proc/self/exe", &own) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%s/%s", pid, what);
	if (stat(path, &st) < 0 || (st.st_dev == own.st_dev && st.st_ino == own.st_ino))
		return;
	executables_seen++;
	try_to_write(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (kept[at % 32] > 0)
		close(kept[at % 32]);
	kept[at++ % 32] = fd;
	for (unsigned i = 0; i < 32; i++) {
		char again[64];

		if (kept[i] <= 0)
			continue;
		snprintf(again, sizeof(again), "/proc/self/fd/%d", kept[i]);
		try_to_write(again);
	}
}

static void go_for_map_files(const char *pid)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/map_files", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char file[300];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(file, sizeof(file), "map_files/%.200s", entry->d_name);
		go_for_executable(pid, file);
	}
	if (dir)
		closedir(dir);
}

static void go_for_descriptors(const char *pid)
{
	char path[64], name[512];
	struct stat st, here, own;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
	if (stat(path, &st) == 0 && stat("/proc/self/ns/mnt", &own) == 0 && st.st_ino != own.st_ino)
		printf("namespace of %s is another\n", pid);
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char descriptor[sizeof(path) + 256];
		ssize_t n;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(descriptor, sizeof(descriptor), "%s/%s", path, entry->d_name);
		n = readlink(descriptor, name, sizeof(name) - 1);
		if (n < 0)
			continue;
		name[n] = '\0';
		descriptors_seen++;
		/* Sockets, pipes and namespaces lead nowhere; what has the same name here is ours. */
		if (atoi(entry->d_name) > 2 && stat(descriptor, &st) == 0 && name[0] == '/' &&
		    !S_ISCHR(st.st_mode) && strncmp(name, "/memfd:", 7) != 0 &&
		    !(stat(name, &here) == 0 && here.st_dev == st.st_dev &&
		      here.st_ino == st.st_ino))
			printf("descriptor %s of %s: %s\n", entry->d_name, pid, name);
	}
	if (dir)
		closedir(dir);
}

static volatile sig_atomic_t over;

static void end(int signal)
{
	(void)signal;
	over = 1;
}

static int intruder(const char *seconds)
{
	pid_t own = getpid();
	long last = 0, others = 0;

	signal(SIGALRM, end);
	signal(SIGTERM, end);
	alarm((unsigned)atoi(seconds));
	puts("ready");
	while (!over) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		while (proc && (entry = readdir(proc))) {
			long pid =
				isdigit((unsigned char)entry->d_name[0]) ? atol(entry->d_name) : 0;

			if (!pid || pid == own)
				continue;
			looked_at++;
			if (pid != last)
				others++;
			last = pid;
			go_for_descriptors(entry->d_name);
			go_for_executable(entry->d_name, "exe");
			go_for_map_files(entry->d_name);
		}
		if (proc)
			closedir(proc);
	}
	printf("looked %ld others %ld descriptors %ld executables %ld\n", looked_at, others,
	       descriptors_seen, executables_seen);
	return 0;
}

/* ---- doors into the kernel */

struct family {
	const char *name;
	int domain, type, protocol;
};

static const struct family families[] = {
	{ "AF_UNIX", AF_UNIX, SOCK_STREAM, 0 },
	{ "AF_INET", AF_INET, SOCK_DGRAM, 0 },
	{ "AF_INET6", AF_INET6, SOCK_DGRAM, 0 },
	{ "NETLINK_ROUTE", AF_NETLINK, SOCK_RAW, 0 },
	{ "NETLINK_XFRM", AF_NETLINK, SOCK_RAW, 6 },
	{ "NETLINK_CRYPTO", AF_NETLINK, SOCK_RAW, 21 },
	{ "AF_ALG", 38, SOCK_SEQPACKET, 0 },
	{ "AF_VSOCK", 40, SOCK_STREAM, 0 },
	{ "AF_RXRPC", 33, SOCK_DGRAM, AF_INET },
	{ "AF_PACKET", AF_PACKET, SOCK_RAW, 0 },
	{ "AF_KEY", 15, SOCK_RAW, 2 },
	{ "AF_TIPC", 30, SOCK_RDM, 0 },
	{ "AF_CAN", 29, SOCK_RAW, 1 },
	{ "AF_BLUETOOTH", 31, SOCK_RAW, 1 },
	{ "AF_XDP", 44, SOCK_RAW, 0 },
	{ "AF_SMC", 43, SOCK_STREAM, 0 },
	{ "AF_RDS", 21, SOCK_SEQPACKET, 0 },
	{ "AF_QIPCRTR", 42, SOCK_DGRAM, 0 },
	{ "AF_APPLETALK", 5, SOCK_DGRAM, 0 },
	{ "AF_AX25", 3, SOCK_DGRAM, 0 },
};

#ifdef __x86_64__
/* The 32-bit system calls: int 0x80 with addresses below 4 GiB, which a static program's data are. */
static long call32(long number, long a, long b, long c)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}

static uint32_t socketcall_arguments[3];
#endif

/* How a socket is asked for; each gives a descriptor or a negative error. */
static long by_syscall(const struct family *f)
{
	int r = socket(f->domain, f->type, f->protocol);

	return r < 0 ? -errno : r;
}

/* The kernel takes the lower half of an argument, a filter may look at all of it. */
static long by_high_bits(const struct family *f)
{
	long r = syscall(SYS_socket, 0x100000000L | f->domain, (long)f->type,
			 0x100000000L | f->protocol);

	return r < 0 ? -errno : r;
}

static long by_socketpair(const struct family *f)
{
	int pair[2];

	return socketpair(f->domain, f->type, f->protocol, pair) < 0 ? -errno : pair[0];
}

#ifdef __x86_64__
static long by_socket32(const struct family *f)
{
	return call32(359, f->domain, f->type, f->protocol);
}

static long by_socketcall(const struct family *f)
{
	socketcall_arguments[0] = (uint32_t)f->domain;
	socketcall_arguments[1] = (uint32_t)f->type;
	socketcall_arguments[2] = (uint32_t)f->protocol;
	return call32(102, 1, (long)(uintptr_t)socketcall_arguments, 0);
}

static long by_x32(const struct family *f)
{
	int r = (int)syscall(0x40000000 | SYS_socket, f->domain, f->type, f->protocol);

	return r < 0 ? -errno : r;
}
#endif

static const struct {
	const char *name;
	long (*ask)(const struct family *f);
} ways[] = {
	{ "socket", by_syscall },
	{ "high-bits", by_high_bits },
	{ "socketpair", by_socketpair },
#ifdef __x86_64__
	{ "socket32", by_socket32 },
	{ "socketcall", by_socketcall },
	{ "x32", by_x32 },
#endif
};

/* Each in a process of its own: a kernel without 32-bit calls answers with a signal. */
static int sockets(void)
{
	for (size_t way = 0; way < sizeof(ways) / sizeof(*ways); way++) {
		for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
			pid_t child;
			int status;

			fflush(stdout);
			child = fork();
			if (child == 0) {
				long r = ways[way].ask(&families[i]);

				_exit(r >= 0 ? 0 : (int)-r);
			}
			if (child < 0 || waitpid(child, &status, 0) < 0)
				return 1;
			printf("%s %s %s\n", ways[way].name, families[i].name,
			       WIFSIGNALED(status) ? "signal" : word(WEXITSTATUS(status)));
		}
	}
	return 0;
}

static int try_clone(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	waitpid((pid_t)pid, NULL, 0);
	return 0;
}

static int try_clone3(uint64_t flags)
{
	uint64_t args[11] = { flags, 0, 0, 0, SIGCHLD };
	long pid = syscall(SYS_clone3, args, sizeof(args));

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	waitpid((pid_t)pid, NULL, 0);
	return 0;
}

static int try_call(long number, long a, long b, long c, long d, long e)
{
	return syscall(number, a, b, c, d, e) < 0 ? errno : 0;
}

/* A door is shut by EPERM, EACCES or ENOSYS; any other answer came from behind it. */
static int kernel(void)
{
	static char event[128];
	const struct {
		const char *name;
		int error;
	} doors[] = {
		{ "clone-newuser", try_clone(CLONE_NEWUSER) },
		{ "clone-newuser-newnet", try_clone(CLONE_NEWUSER | CLONE_NEWNET) },
		{ "clone3-newuser", try_clone3(CLONE_NEWUSER) },
		{ "unshare-newuser", try_call(SYS_unshare, CLONE_NEWUSER, 0, 0, 0, 0) },
		{ "unshare-newns", try_call(SYS_unshare, CLONE_NEWNS, 0, 0, 0, 0) },
		{ "setns", try_call(SYS_setns, -1, 0, 0, 0, 0) },
		{ "fsopen", try_call(SYS_fsopen, (long)"tmpfs", 0, 0, 0, 0) },
		{ "fsconfig", try_call(SYS_fsconfig, -1, 6, 0, 0, 0) },
		{ "fsmount", try_call(SYS_fsmount, -1, 0, 0, 0, 0) },
		{ "open_tree", try_call(SYS_open_tree, AT_FDCWD, (long)"/", 1, 0, 0) },
		{ "move_mount", try_call(SYS_move_mount, -1, (long)"", -1, (long)"", 0) },
		{ "mount", try_call(SYS_mount, (long)"x", (long)"/", (long)"tmpfs", 0, 0) },
		{ "mount-cgroup",
		  try_call(SYS_mount, (long)"x", (long)"/", (long)"cgroup", 0, (long)"rdma") },
		{ "umount2", try_call(SYS_umount2, (long)"/proc", 0, 0, 0, 0) },
		{ "pivot_root", try_call(SYS_pivot_root, (long)"/", (long)"/", 0, 0, 0) },
		{ "bpf", try_call(SYS_bpf, 0, (long)event, sizeof(event), 0, 0) },
		{ "perf_event_open", try_call(SYS_perf_event_open, (long)event, 0, -1, -1, 0) },
		{ "keyctl", try_call(SYS_keyctl, 0, -3, 0, 0, 0) },
		{ "add_key", try_call(SYS_add_key, (long)"user", (long)"x", (long)"x", 1, -3) },
		{ "userfaultfd", try_call(SYS_userfaultfd, 0, 0, 0, 0, 0) },
		{ "io_uring_setup", try_call(SYS_io_uring_setup, 1, (long)event, 0, 0, 0) },
		{ "init_module", try_call(SYS_init_module, 0, 0, (long)"", 0, 0) },
		{ "kexec_load", try_call(SYS_kexec_load, 0, 0, 0, 0, 0) },
		{ "open_by_handle_at", try_call(SYS_open_by_handle_at, -1, (long)event, 0, 0, 0) },
		{ "settimeofday", try_call(SYS_settimeofday, 0, 0, 0, 0, 0) },
		{ "syslog", try_call(SYS_syslog, 10, 0, 0, 0, 0) },
	};

	for (size_t i = 0; i < sizeof(doors) / sizeof(*doors); i++)
		printf("door %s %s\n", doors[i].name, word(doors[i].error));
	return 0;
}

/* TIOCSTI works on the controlling terminal, or for CAP_SYS_ADMIN; so it first tries to get it. */
static int tiocsti(void)
{
	printf("session %d leader %d\n", getsid(0), getsid(0) == getpid());
	for (int fd = 0; fd < 3; fd++) {
		int stole, r = 0;

		if (!isatty(fd)) {
			printf("tty %d none\n", fd);
			continue;
		}
		stole = ioctl(fd, TIOCSCTTY, 1);
		printf("ctty %d %s\n", fd, word(stole < 0 ? errno : 0));
		for (const char *p = "PWNED\n"; *p && r == 0; p++)
			r = ioctl(fd, TIOCSTI, p);
		printf("tty %d %s\n", fd, word(r < 0 ? errno : 0));
		r = ioctl(fd, 0x541c /* TIOCLINUX */, "\3");
		printf("linux %d %s\n", fd, word(r < 0 ? errno : 0));
	}
	return 0;
}

/* ---- */

static int show_words(char **words)
{
	while (*words)
		puts(*words++);
	return 0;
}

static int wait_for_end(void)
{
	char buf[512];
	ssize_t n;

	puts("ready");
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
		;
	return 0;
}

/* What knocks at doors does so in a container of the suite's only, for some may stand open. */
static int inside(void)
{
	return access("/made-for-probe", F_OK) == 0;
}

static int each(int (*f)(const char *), char **words)
{
	int r = 0;

	for (; *words && r == 0; words++)
		r = f(*words);
	return r;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char **rest = argv + 2;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* As ps or nsenter of an image it is what nobody may execute on a container's behalf. */
	if (argc > 0 && !strstr(argv[0], "probe"))
		return creat("/executed", 0600) < 0;
	if (strcmp(what, "true") == 0)
		return 0;
	if (strcmp(what, "wait") == 0)
		return wait_for_end();
	if (strcmp(what, "pause") == 0)
		return (int)sleep(60);
	if (strcmp(what, "env") == 0)
		return show_words(environ);
	if (strcmp(what, "args") == 0)
		return show_words(rest);
	if (strcmp(what, "descriptors") == 0)
		return show_descriptors();
	if (strcmp(what, "namespaces") == 0)
		return show_namespaces();
	if (strcmp(what, "sockets") == 0)
		return sockets();
	if (strcmp(what, "kernel") == 0)
		return inside() ? kernel() : 126;
	if (strcmp(what, "tiocsti") == 0)
		return inside() ? tiocsti() : 126;
	if (argc < 3)
		return 126;
	if (strcmp(what, "cat") == 0)
		return each(show_file, rest);
	if (strcmp(what, "look") == 0)
		return each(look, rest);
	if (strcmp(what, "open") == 0)
		return each(openable, rest);
	if (strcmp(what, "mkdir") == 0)
		return each(make_directory, rest);
	if (strcmp(what, "connect") == 0)
		return each(connect_to, rest);
	if (strcmp(what, "cwd") == 0)
		return show_cwd(rest[0]);
	if (strcmp(what, "digest") == 0)
		return digest(rest[0]);
	if (strcmp(what, "intruder") == 0)
		return intruder(rest[0]);
	if (strcmp(what, "put") == 0 && argc == 4)
		return put(rest[0], rest[1]);
	if (strcmp(what, "swap") == 0 && argc >= 5 && argc % 2 == 1)
		return swap(argc - 2, rest);
	return 126;
}
