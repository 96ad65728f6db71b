#include "image/unpack/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/io.h"
#include "base/json_write.h"
#include "security/attempt.h"
#include "security/caps.h"
#include "security/privileges.h"

#if defined(__SANITIZE_ADDRESS__)
	#define SANITIZED 1
#elif defined(__has_feature)
	#if __has_feature(address_sanitizer)
		#define SANITIZED 1
	#endif
#endif
#ifndef SANITIZED
	#define SANITIZED 0
#endif

enum { DIR_FD = 3 };

/*
 * Resource limits
 */

enum { MIB = 1024 * 1024, FILES_MAX = 1024 };
/* A zstd window of 2^27 bytes (stream.h), a sparse file's map, and the program. */
#define MEMORY_MAX ((rlim_t)256 * MIB)

static const struct {
	int resource;
	const char *name;
	rlim_t limit;
} limits[] = {
	{ RLIMIT_NOFILE, "RLIMIT_NOFILE", FILES_MAX },
	{ RLIMIT_CORE, "RLIMIT_CORE", 0 },
#if !SANITIZED /* whose shadow takes terabytes of addresses */
	{ RLIMIT_AS, "RLIMIT_AS", MEMORY_MAX },
#endif
};

static int set_limits(struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit now, wanted = { limits[i].limit, limits[i].limit };

		if (getrlimit(limits[i].resource, &now) < 0)
			return err_sys(e, "read %s", limits[i].name);
		if (now.rlim_max != RLIM_INFINITY && now.rlim_max < wanted.rlim_max)
			wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
		if (setrlimit(limits[i].resource, &wanted) < 0)
			return err_sys(e, "set %s", limits[i].name);
	}
	return 0;
}

/*
 * Descriptors
 */

static int keep_descriptors(int *dir_fd, struct err *e)
{
	struct stat st;

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return err_sys(e, "descriptor %d", fd);
	if (fstat(*dir_fd, &st) < 0)
		return err_sys(e, "--dir-fd %d", *dir_fd);
	if (!S_ISDIR(st.st_mode) || (fcntl(*dir_fd, F_GETFL) & O_PATH))
		return err_set(e, ENOTDIR, "--dir-fd %d is no directory that is open for reading",
			       *dir_fd);
	if (*dir_fd != DIR_FD && dup2(*dir_fd, DIR_FD) < 0)
		return err_sys(e, "move descriptor %d", *dir_fd);
	*dir_fd = DIR_FD;
	if (close_range(DIR_FD + 1, ~0U, 0) < 0)
		return err_sys(e, "close descriptors");
	return 0;
}

/*
 * Capabilities
 */

/* Those that stay if they are there. */
static const struct {
	unsigned cap;
	bool trusted_only;
} kept_caps[] = {
	{ CAP_CHOWN, false },    { CAP_DAC_OVERRIDE, false }, { CAP_FOWNER, false },
	{ CAP_FSETID, false },   { CAP_MKNOD, false },        { CAP_SETFCAP, false },
	{ CAP_SYS_ADMIN, true }, /* to set trusted.overlay.opaque */
};

/* The one user namespace in which devices can be made. */
static bool in_first_userns(void)
{
	char map[128];
	unsigned inside, outside, count;

	return io_read_value(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map)) == 0 &&
	       sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == 0 && count == UINT32_MAX;
}

/* What still takes privilege: to leave the host's tree behind. */
static int leave_tree(const struct caps_facts *caps, int dir_fd, struct err *e)
{
	if (!(caps->permitted & CAPS_BIT(CAP_SYS_CHROOT)))
		return 0;
	if (fchdir(dir_fd) < 0 || chroot(".") < 0)
		return err_sys(e, "make the directory this program's root");
	return 0;
}

/* All that the plan does not have. */
static int drop_others(const struct caps_facts *caps, const struct caps_plan *plan, struct err *e)
{
	if (caps->permitted & CAPS_BIT(CAP_SETPCAP))
		TRY(caps_bounding_apply(plan, e));
	return caps_apply(plan, 0, e);
}

static int drop_caps(const struct caps_facts *caps, bool trusted, struct sandbox_facts *facts,
		     struct err *e)
{
	struct caps_plan plan = { .bounding = 0 };

	for (size_t i = 0; i < ARRAY_LEN(kept_caps); i++)
		if (trusted || !kept_caps[i].trusted_only)
			plan.permitted |= CAPS_BIT(kept_caps[i].cap) & caps->permitted;
	plan.effective = plan.permitted;
	facts->devices = facts->devices && (plan.effective & CAPS_BIT(CAP_MKNOD));
	facts->capabilities = plan.effective & CAPS_BIT(CAP_SETFCAP);
	facts->any_mode = plan.effective & CAPS_BIT(CAP_DAC_OVERRIDE);
	return drop_others(caps, &plan, e);
}

/*
 * Landlock
 */

/* What the headers of Debian 12 do not have yet. */
#define ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)
#define ACCESS_FS_IOCTL_DEV (UINT64_C(1) << 15)
#define ACCESS_NET_TCP UINT64_C(3)
#define SCOPE_ALL UINT64_C(3)

struct ruleset {
	uint64_t fs, net, scoped;
};

enum { LANDLOCK_WITH_LINKS = 2 };

/* Which version of it knows how to refuse what, and what stays allowed beneath the directory. */
static const struct {
	int version;
	struct ruleset handled;
	uint64_t allowed;
} landlock_rows[] = {
	{ 1,
	  { .fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_SOCK |
		  LANDLOCK_ACCESS_FS_MAKE_FIFO },
	  0 },
	{ 1,
	  { .fs = 0 },
	  LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
		  LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |
		  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
		  LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_DIR |
		  LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM },
	{ 2, { .fs = 0 }, LANDLOCK_ACCESS_FS_REFER },
	{ 3, { .fs = 0 }, ACCESS_FS_TRUNCATE },
	{ 4, { .net = ACCESS_NET_TCP }, 0 },
	{ 5, { .fs = ACCESS_FS_IOCTL_DEV }, 0 },
	{ 6, { .scoped = SCOPE_ALL }, 0 },
};

/* dir_fd -1: nothing is allowed anywhere. */
static int landlock(int dir_fd, int *ret_version, struct err *e)
{
	struct ruleset set = { 0 };
	struct landlock_path_beneath_attr beneath = { .parent_fd = dir_fd };
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	auto_fd int fd = -1;

	*ret_version = 0;
	if (version < LANDLOCK_WITH_LINKS)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(landlock_rows); i++) {
		if (version < landlock_rows[i].version)
			continue;
		set.fs |= landlock_rows[i].handled.fs | landlock_rows[i].allowed;
		set.net |= landlock_rows[i].handled.net;
		set.scoped |= landlock_rows[i].handled.scoped;
		beneath.allowed_access |= landlock_rows[i].allowed;
	}
	/* Older kernels take a longer structure as long as the rest of it is 0. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof(set), 0);
	if (fd < 0)
		return err_sys(e, "make a Landlock ruleset");
	if (dir_fd >= 0 && syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
		return err_sys(e, "add a rule to Landlock");
	if (syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_sys(e, "enter Landlock");
	*ret_version = (int)version;
	return 0;
}

/*
 * System calls
 */

enum { ANY, NO_EXEC };

struct kept_call {
	int nr;
	int rule; /* NO_EXEC: its third argument may not make memory executable */
};

/* Those that stay, and why. Everything else fails with EPERM. */
static const struct kept_call stream_calls[] = {
	/* The layer as it came and as it goes on. */
	{ SCMP_SYS(read), ANY }, { SCMP_SYS(write), ANY }, { SCMP_SYS(close), ANY },
	/* Memory. */
	{ SCMP_SYS(brk), ANY }, { SCMP_SYS(munmap), ANY }, { SCMP_SYS(mremap), ANY },
	{ SCMP_SYS(madvise), ANY }, { SCMP_SYS(mmap), NO_EXEC }, { SCMP_SYS(mprotect), NO_EXEC },
	/* The C library and the end. */
	{ SCMP_SYS(futex), ANY }, { SCMP_SYS(getrandom), ANY },
	{ SCMP_SYS(restart_syscall), ANY }, { SCMP_SYS(rt_sigreturn), ANY },
	{ SCMP_SYS(rt_sigprocmask), ANY }, { SCMP_SYS(rt_sigaction), ANY }, { SCMP_SYS(getpid), ANY },
	{ SCMP_SYS(gettid), ANY }, { SCMP_SYS(tgkill), ANY }, { SCMP_SYS(exit), ANY },
	{ SCMP_SYS(exit_group), ANY },
#if SANITIZED
	{ SCMP_SYS(sigaltstack), ANY }, { SCMP_SYS(sched_yield), ANY },
#endif
}, layer_calls[] = {
	/* The layer, the answer, files' contents. */
	{ SCMP_SYS(read), ANY },
	{ SCMP_SYS(write), ANY },
	{ SCMP_SYS(writev), ANY },
	{ SCMP_SYS(pread64), ANY },
	{ SCMP_SYS(pwrite64), ANY },
	{ SCMP_SYS(lseek), ANY },
	{ SCMP_SYS(ftruncate), ANY },
	{ SCMP_SYS(close), ANY },
	{ SCMP_SYS(fcntl), ANY },
	/* Names beneath the directory. readdir(3) wants openat's descriptor looked at. */
	{ SCMP_SYS(openat2), ANY },
	{ SCMP_SYS(openat), ANY },
	{ SCMP_SYS(fstat), ANY },
	{ SCMP_SYS(newfstatat), ANY },
	{ SCMP_SYS(statx), ANY },
	{ SCMP_SYS(getdents64), ANY },
	{ SCMP_SYS(mkdirat), ANY },
	{ SCMP_SYS(mknodat), ANY },
	{ SCMP_SYS(symlinkat), ANY },
	{ SCMP_SYS(linkat), ANY },
	{ SCMP_SYS(unlinkat), ANY },
	{ SCMP_SYS(renameat2), ANY },
	/* What they are. */
	{ SCMP_SYS(fchown), ANY },
	{ SCMP_SYS(fchownat), ANY },
	{ SCMP_SYS(fchmod), ANY },
	{ SCMP_SYS(utimensat), ANY },
	{ SCMP_SYS(fsetxattr), ANY },
	{ SCMP_SYS(flistxattr), ANY },
	{ SCMP_SYS(fremovexattr), ANY },
	/* Memory. */
	{ SCMP_SYS(brk), ANY },
	{ SCMP_SYS(munmap), ANY },
	{ SCMP_SYS(mremap), ANY },
	{ SCMP_SYS(madvise), ANY },
	{ SCMP_SYS(mmap), NO_EXEC },
	{ SCMP_SYS(mprotect), NO_EXEC },
	/* The C library and the end. */
	{ SCMP_SYS(futex), ANY },
	{ SCMP_SYS(getrandom), ANY },
	{ SCMP_SYS(clock_gettime), ANY },
	{ SCMP_SYS(restart_syscall), ANY },
	{ SCMP_SYS(rt_sigreturn), ANY },
	{ SCMP_SYS(rt_sigprocmask), ANY },
	{ SCMP_SYS(rt_sigaction), ANY },
	{ SCMP_SYS(getpid), ANY },
	{ SCMP_SYS(gettid), ANY },
	{ SCMP_SYS(tgkill), ANY },
	{ SCMP_SYS(exit), ANY },
	{ SCMP_SYS(exit_group), ANY },
	/* For the decompressor. */
	{ SCMP_SYS(wait4), ANY },
#if SANITIZED
	{ SCMP_SYS(sigaltstack), ANY },
	{ SCMP_SYS(sched_yield), ANY },
#endif
};

static void release_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

static int load_filter(const struct kept_call *calls, size_t n, struct err *e)
{
	__attribute__((cleanup(release_filter))) scmp_filter_ctx filter =
		seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (calls[i].rule == NO_EXEC)
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].nr, 1,
					     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		else
			r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i].nr, 0);
	}
	/* SCMP_FLTATR_ACT_BADARCH is to kill: other architectures' calls do not exist here. */
	if (r == 0)
		r = seccomp_load(filter);
	return r < 0 ? err_neg(e, r, "load the seccomp filter") : 0;
}

/* What libraries load when they first need it, they are to have now. */
static void warm_up(void)
{
	iconv_close(iconv_open("ANSI_X3.4-1968", "UTF-8")); /* -1, if there is none, is no error */
}

int sandbox_enter(int *dir_fd, bool trusted, struct sandbox_facts *ret, struct err *e)
{
	struct sandbox_facts facts = { .devices = in_first_userns() };
	struct caps_facts caps;

	warm_up();
	TRY(keep_descriptors(dir_fd, e));
	TRY(set_limits(e));
	clearenv();
	umask(0);
	TRY(caps_facts_read(&caps, e));
	TRY(leave_tree(&caps, *dir_fd, e));
	TRY(drop_caps(&caps, trusted, &facts, e));
	TRY(privileges_no_new(e));
	TRY(landlock(*dir_fd, &facts.landlock, e));
	TRY(load_filter(layer_calls, ARRAY_LEN(layer_calls), e));
	*ret = facts;
	return 0;
}

int sandbox_enter_stream(int dir_fd, pid_t parent, struct sandbox_facts *ret, struct err *e)
{
	struct sandbox_facts facts = { 0 };
	struct caps_facts caps;

	TRY(keep_descriptors(&dir_fd, e));
	TRY(set_limits(e));
	clearenv();
	TRY(caps_facts_read(&caps, e));
	TRY(leave_tree(&caps, dir_fd, e));
	close(dir_fd);
	TRY(drop_others(&caps, &(struct caps_plan){ .bounding = 0 }, e));
	TRY(privileges_no_new(e));
	TRY(landlock(-1, &facts.landlock, e));
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "die with the process that unpacks");
	if (getppid() != parent)
		return err_set(e, ESRCH, "the process that unpacks is gone");
	TRY(load_filter(stream_calls, ARRAY_LEN(stream_calls), e));
	*ret = facts;
	return 0;
}

/*
 * The test
 */

static long try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_unix(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0);
}

static long try_read(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

static long try_write(void)
{
	return open("/tmp/hull-unpack-was-here", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long try_proc(void)
{
	return open("/proc/self/status", O_RDONLY | O_CLOEXEC);
}

static long try_up(void)
{
	auto_fd int fd = openat(DIR_FD, "../..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat here, there;

	if (fd < 0 || fstat(DIR_FD, &here) < 0 || fstat(fd, &there) < 0)
		return -1;
	errno = ELOOP; /* the directory is the root, from which ".." leads nowhere else */
	return here.st_dev == there.st_dev && here.st_ino == there.st_ino ? -1 : 0;
}

static long try_mount(void)
{
	return syscall(SYS_mount, "none", ".", "tmpfs", 0, NULL);
}

static long try_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static const struct attempt attempts[] = {
	{ "socket", try_socket },   { "unix_socket", try_unix }, { "read_passwd", try_read },
	{ "write_tmp", try_write }, { "read_proc", try_proc },   { "leave_directory", try_up },
	{ "execve", attempt_exec },     { "fork", attempt_fork },        { "ptrace", attempt_ptrace },
	{ "mount", try_mount },     { "unshare", attempt_userns },   { "executable_memory", try_code },
};

bool sandbox_test(const struct sandbox_facts *facts, struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);
	bool held;

	json_write_object(&w, NULL);
	json_write_int(&w, "landlock", facts->landlock);
	json_write_bool(&w, "environment", environ && environ[0]);
	held = attempts_refused(attempts, ARRAY_LEN(attempts), &w);
	json_write_end(&w);
	return held;
}
