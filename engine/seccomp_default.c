/*
 * seccomp_default.c - the system calls that a container of the engine may make.
 *
 * An allow list: what is not in it fails with EPERM, and what the kernel has
 * learned since with ENOSYS (runtime's own rule). Left out is what reaches
 * the machine rather than the container (modules, clocks, reboot, keyrings,
 * userfaultfd, io_uring, new namespaces), unless a capability that was granted
 * is for just that.
 */
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json_write.h"
#include "engine/config.h"

static const char *const always[] = { "_llseek",
				      "_newselect",
				      "accept",
				      "accept4",
				      "access",
				      "alarm",
				      "arch_prctl",
				      "bind",
				      "brk",
				      "cachestat",
				      "capget",
				      "capset",
				      "chdir",
				      "chmod",
				      "chown",
				      "chown32",
				      "clock_getres",
				      "clock_getres_time64",
				      "clock_gettime",
				      "clock_gettime64",
				      "clock_nanosleep",
				      "clock_nanosleep_time64",
				      "close",
				      "close_range",
				      "connect",
				      "copy_file_range",
				      "creat",
				      "dup",
				      "dup2",
				      "dup3",
				      "epoll_create",
				      "epoll_create1",
				      "epoll_ctl",
				      "epoll_pwait",
				      "epoll_pwait2",
				      "epoll_wait",
				      "eventfd",
				      "eventfd2",
				      "execve",
				      "execveat",
				      "exit",
				      "exit_group",
				      "faccessat",
				      "faccessat2",
				      "fadvise64",
				      "fadvise64_64",
				      "fallocate",
				      "fanotify_mark",
				      "fchdir",
				      "fchmod",
				      "fchmodat",
				      "fchmodat2",
				      "fchown",
				      "fchown32",
				      "fchownat",
				      "fcntl",
				      "fcntl64",
				      "fdatasync",
				      "fgetxattr",
				      "flistxattr",
				      "flock",
				      "fork",
				      "fremovexattr",
				      "fsetxattr",
				      "fstat",
				      "fstat64",
				      "fstatat64",
				      "fstatfs",
				      "fstatfs64",
				      "fsync",
				      "ftruncate",
				      "ftruncate64",
				      "futex",
				      "futex_requeue",
				      "futex_time64",
				      "futex_wait",
				      "futex_waitv",
				      "futex_wake",
				      "futimesat",
				      "get_robust_list",
				      "get_thread_area",
				      "getcpu",
				      "getcwd",
				      "getdents",
				      "getdents64",
				      "getegid",
				      "getegid32",
				      "geteuid",
				      "geteuid32",
				      "getgid",
				      "getgid32",
				      "getgroups",
				      "getgroups32",
				      "getitimer",
				      "getpeername",
				      "getpgid",
				      "getpgrp",
				      "getpid",
				      "getppid",
				      "getpriority",
				      "getrandom",
				      "getresgid",
				      "getresgid32",
				      "getresuid",
				      "getresuid32",
				      "getrlimit",
				      "getrusage",
				      "getsid",
				      "getsockname",
				      "getsockopt",
				      "gettid",
				      "gettimeofday",
				      "getuid",
				      "getuid32",
				      "getxattr",
				      "getxattrat",
				      "inotify_add_watch",
				      "inotify_init",
				      "inotify_init1",
				      "inotify_rm_watch",
				      "io_cancel",
				      "io_destroy",
				      "io_getevents",
				      "io_pgetevents",
				      "io_pgetevents_time64",
				      "io_setup",
				      "io_submit",
				      "ioctl",
				      "ioprio_get",
				      "ioprio_set",
				      "ipc",
				      "kill",
				      "landlock_add_rule",
				      "landlock_create_ruleset",
				      "landlock_restrict_self",
				      "lchown",
				      "lchown32",
				      "lgetxattr",
				      "link",
				      "linkat",
				      "listen",
				      "listmount",
				      "listxattr",
				      "listxattrat",
				      "llistxattr",
				      "lremovexattr",
				      "lseek",
				      "lsetxattr",
				      "lstat",
				      "lstat64",
				      "madvise",
				      "map_shadow_stack",
				      "membarrier",
				      "memfd_create",
				      "memfd_secret",
				      "mincore",
				      "mkdir",
				      "mkdirat",
				      "mknod",
				      "mknodat",
				      "mlock",
				      "mlock2",
				      "mlockall",
				      "mmap",
				      "mmap2",
				      "modify_ldt",
				      "mprotect",
				      "mq_getsetattr",
				      "mq_notify",
				      "mq_open",
				      "mq_timedreceive",
				      "mq_timedreceive_time64",
				      "mq_timedsend",
				      "mq_timedsend_time64",
				      "mq_unlink",
				      "mremap",
				      "mseal",
				      "msgctl",
				      "msgget",
				      "msgrcv",
				      "msgsnd",
				      "msync",
				      "munlock",
				      "munlockall",
				      "munmap",
				      "name_to_handle_at",
				      "nanosleep",
				      "newfstatat",
				      "open",
				      "openat",
				      "openat2",
				      "pause",
				      "pidfd_getfd",
				      "pidfd_open",
				      "pidfd_send_signal",
				      "pipe",
				      "pipe2",
				      "pkey_alloc",
				      "pkey_free",
				      "pkey_mprotect",
				      "poll",
				      "ppoll",
				      "ppoll_time64",
				      "prctl",
				      "pread64",
				      "preadv",
				      "preadv2",
				      "prlimit64",
				      "process_madvise",
				      "process_mrelease",
				      "process_vm_readv",
				      "process_vm_writev",
				      "pselect6",
				      "pselect6_time64",
				      "ptrace",
				      "pwrite64",
				      "pwritev",
				      "pwritev2",
				      "read",
				      "readahead",
				      "readdir",
				      "readlink",
				      "readlinkat",
				      "readv",
				      "recv",
				      "recvfrom",
				      "recvmmsg",
				      "recvmmsg_time64",
				      "recvmsg",
				      "remap_file_pages",
				      "removexattr",
				      "removexattrat",
				      "rename",
				      "renameat",
				      "renameat2",
				      "restart_syscall",
				      "riscv_flush_icache",
				      "rmdir",
				      "rseq",
				      "rt_sigaction",
				      "rt_sigpending",
				      "rt_sigprocmask",
				      "rt_sigqueueinfo",
				      "rt_sigreturn",
				      "rt_sigsuspend",
				      "rt_sigtimedwait",
				      "rt_sigtimedwait_time64",
				      "rt_tgsigqueueinfo",
				      "sched_get_priority_max",
				      "sched_get_priority_min",
				      "sched_getaffinity",
				      "sched_getattr",
				      "sched_getparam",
				      "sched_getscheduler",
				      "sched_rr_get_interval",
				      "sched_rr_get_interval_time64",
				      "sched_setaffinity",
				      "sched_setattr",
				      "sched_setparam",
				      "sched_setscheduler",
				      "sched_yield",
				      "seccomp",
				      "select",
				      "semctl",
				      "semget",
				      "semop",
				      "semtimedop",
				      "semtimedop_time64",
				      "send",
				      "sendfile",
				      "sendfile64",
				      "sendmmsg",
				      "sendmsg",
				      "sendto",
				      "set_robust_list",
				      "set_thread_area",
				      "set_tid_address",
				      "setfsgid",
				      "setfsgid32",
				      "setfsuid",
				      "setfsuid32",
				      "setgid",
				      "setgid32",
				      "setgroups",
				      "setgroups32",
				      "setitimer",
				      "setpgid",
				      "setpriority",
				      "setregid",
				      "setregid32",
				      "setresgid",
				      "setresgid32",
				      "setresuid",
				      "setresuid32",
				      "setreuid",
				      "setreuid32",
				      "setrlimit",
				      "setsid",
				      "setsockopt",
				      "setuid",
				      "setuid32",
				      "setxattr",
				      "setxattrat",
				      "shmat",
				      "shmctl",
				      "shmdt",
				      "shmget",
				      "shutdown",
				      "sigaltstack",
				      "signal",
				      "signalfd",
				      "signalfd4",
				      "sigpending",
				      "sigprocmask",
				      "sigreturn",
				      "sigsuspend",
				      "splice",
				      "stat",
				      "stat64",
				      "statfs",
				      "statfs64",
				      "statmount",
				      "statx",
				      "symlink",
				      "symlinkat",
				      "sync",
				      "sync_file_range",
				      "sync_file_range2",
				      "syncfs",
				      "sysinfo",
				      "tee",
				      "tgkill",
				      "time",
				      "timer_create",
				      "timer_delete",
				      "timer_getoverrun",
				      "timer_gettime",
				      "timer_gettime64",
				      "timer_settime",
				      "timer_settime64",
				      "timerfd_create",
				      "timerfd_gettime",
				      "timerfd_gettime64",
				      "timerfd_settime",
				      "timerfd_settime64",
				      "times",
				      "tkill",
				      "truncate",
				      "truncate64",
				      "ugetrlimit",
				      "umask",
				      "uname",
				      "unlink",
				      "unlinkat",
				      "uretprobe",
				      "utime",
				      "utimensat",
				      "utimensat_time64",
				      "utimes",
				      "vfork",
				      "wait4",
				      "waitid",
				      "waitpid",
				      "write",
				      "writev",
				      NULL };

/* Those that a capability opens. */
static const struct {
	const char *capability;
	const char *const names[32];
} granted[] = {
	{ "CAP_SYS_ADMIN",
	  {
		  "bpf",           "clone",         "clone3",      "fanotify_init",   "fsconfig",
		  "fsmount",       "fsopen",        "fspick",      "lookup_dcookie",  "mount",
		  "mount_setattr", "move_mount",    "open_tree",   "perf_event_open", "quotactl",
		  "quotactl_fd",   "setdomainname", "sethostname", "setns",           "syslog",
		  "umount",        "umount2",       "unshare",
	  } },
	{ "CAP_DAC_READ_SEARCH",
	  {
		  "open_by_handle_at",
	  } },
	{ "CAP_SYS_BOOT",
	  {
		  "reboot",
		  "kexec_load",
		  "kexec_file_load",
	  } },
	{ "CAP_SYS_CHROOT",
	  {
		  "chroot",
	  } },
	{ "CAP_SYS_MODULE",
	  {
		  "delete_module",
		  "init_module",
		  "finit_module",
	  } },
	{ "CAP_SYS_PACCT",
	  {
		  "acct",
	  } },
	{ "CAP_SYS_PTRACE",
	  {
		  "kcmp",
	  } },
	{ "CAP_SYS_RAWIO",
	  {
		  "iopl",
		  "ioperm",
	  } },
	{ "CAP_SYS_TIME",
	  {
		  "settimeofday",
		  "stime",
		  "clock_settime",
		  "clock_settime64",
		  "adjtimex",
		  "clock_adjtime",
		  "clock_adjtime64",
	  } },
	{ "CAP_SYS_TTY_CONFIG",
	  {
		  "vhangup",
	  } },
	{ "CAP_SYS_NICE",
	  {
		  "get_mempolicy",
		  "mbind",
		  "set_mempolicy",
		  "set_mempolicy_home_node",
		  "move_pages",
		  "migrate_pages",
	  } },
	{ "CAP_SYSLOG",
	  {
		  "syslog",
	  } },
	{ "CAP_BPF",
	  {
		  "bpf",
	  } },
	{ "CAP_PERFMON",
	  {
		  "perf_event_open",
	  } },
};

static bool has(const struct strings *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i], name) == 0)
			return true;
	return false;
}

/* A profile that is being written. */
struct profile {
	struct json_writer w;
	const struct strings *capabilities;
	const struct seccomp_choice *choice;
};

/* Needed by hull's own init, by the end of a process, or by the kernel in its name. */
static const char *const needed[] = { "execve",       "exit",  "exit_group", "restart_syscall",
				      "rt_sigreturn", "write", NULL };

static bool is_needed(const char *name)
{
	for (const char *const *at = needed; *at; at++)
		if (strcmp(*at, name) == 0)
			return true;
	return false;
}

/* write(2) may not be asked about (runtime/listener.h). */
static bool is_chosen(const struct profile *p, const char *name)
{
	if (p->choice->listener)
		return strcmp(name, "write") != 0;
	return !p->choice->only || is_needed(name) || has(p->choice->only, name);
}

static void begin_rule(struct profile *p)
{
	json_write_object(&p->w, NULL);
	json_write_array(&p->w, "names");
}

static void end_rule(struct profile *p, const char *action)
{
	json_write_end(&p->w);
	json_write_string(&p->w, "action", action);
}

static const char *pass(const struct profile *p)
{
	return p->choice->listener ? "SCMP_ACT_NOTIFY" : "SCMP_ACT_ALLOW";
}

static void write_names(struct profile *p, const char *const *names)
{
	size_t n = 0;

	for (const char *const *at = names; *at; at++)
		n += is_chosen(p, *at);
	if (!n)
		return;
	begin_rule(p);
	for (; *names; names++)
		if (is_chosen(p, *names))
			json_write_string(&p->w, NULL, *names);
	end_rule(p, pass(p));
	json_write_end(&p->w);
}

struct argument {
	uint64_t index, value, two;
	const char *op;
};

/* A call that is allowed with such arguments only: all of them, where there are several. */
static void write_call(struct profile *p, const char *name, const struct argument *args, size_t n)
{
	struct json_writer *w = &p->w;

	if (!is_chosen(p, name))
		return;
	begin_rule(p);
	json_write_string(w, NULL, name);
	end_rule(p, pass(p));
	json_write_array(w, "args");
	for (size_t i = 0; i < n; i++) {
		json_write_object(w, NULL);
		json_write_uint(w, "index", args[i].index);
		json_write_uint(w, "value", args[i].value);
		json_write_uint(w, "valueTwo", args[i].two);
		json_write_string(w, "op", args[i].op);
		json_write_end(w);
	}
	json_write_end(w);
	json_write_end(w);
}

static void write_one(struct profile *p, const char *name, uint64_t index, uint64_t value,
		      uint64_t two, const char *op)
{
	write_call(p, name, &(struct argument){ index, value, two, op }, 1);
}

static void write_architectures(struct json_writer *w)
{
	json_write_array(w, "architectures");
#ifdef __x86_64__
	json_write_string(w, NULL, "SCMP_ARCH_X86_64");
	json_write_string(w, NULL, "SCMP_ARCH_X86");
#elif defined(__aarch64__)
	json_write_string(w, NULL, "SCMP_ARCH_AARCH64");
	json_write_string(w, NULL, "SCMP_ARCH_ARM");
#endif
	json_write_end(w);
}

/* As on a kernel that does not have it (ENOSYS), so that libc takes an older one. */
static void write_missing(struct profile *p, const char *name)
{
	begin_rule(p);
	json_write_string(&p->w, NULL, name);
	end_rule(p, "SCMP_ACT_ERRNO");
	json_write_uint(&p->w, "errnoRet", 38);
	json_write_end(&p->w);
}

/* Without CAP_SYS_ADMIN no new namespaces; clone3(2) hides its flags from filters. */
static void write_clone(struct profile *p)
{
	static const uint64_t new_namespaces = 0x7e020000;

	write_one(p, "clone", 0, new_namespaces, 0, "SCMP_CMP_MASKED_EQ");
	write_missing(p, "clone3");
}

/*
 * The families and netlink protocols that programs in containers need; each other one is a part of
 * the kernel that they would only attack (AF_ALG, AF_RXRPC, NETLINK_XFRM and more were). Only equal
 * is safe: the kernel takes the lower half of an argument, so "greater than AF_VSOCK" lets AF_ALG in
 * as 0x100000026.
 */
static const struct {
	uint64_t value;
	const char *capability; /* without which there is no use for it; NULL: anybody's */
} families[] = {
	{ AF_UNIX, NULL },
	{ AF_INET, NULL },
	{ AF_INET6, NULL },
	{ AF_PACKET, "CAP_NET_RAW" },
}, protocols[] = {
	{ NETLINK_ROUTE, NULL },
	{ NETLINK_SOCK_DIAG, NULL },
	{ NETLINK_AUDIT, NULL },
	{ NETLINK_KOBJECT_UEVENT, NULL },
	{ NETLINK_GENERIC, NULL },
	{ NETLINK_NETFILTER, "CAP_NET_ADMIN" },
	{ NETLINK_XFRM, "CAP_NET_ADMIN" },
};

static void write_socket(struct profile *p)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (!families[i].capability || has(p->capabilities, families[i].capability))
			write_one(p, "socket", 0, families[i].value, 0, "SCMP_CMP_EQ");
	if (p->choice->vsock)
		write_one(p, "socket", 0, AF_VSOCK, 0, "SCMP_CMP_EQ");
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		const struct argument args[] = {
			{ 0, AF_NETLINK, 0, "SCMP_CMP_EQ" },
			{ 2, protocols[i].value, 0, "SCMP_CMP_EQ" },
		};

		if (!protocols[i].capability || has(p->capabilities, protocols[i].capability))
			write_call(p, "socket", args, ARRAY_LEN(args));
	}
	write_one(p, "socketpair", 0, AF_UNIX, 0, "SCMP_CMP_EQ");
	/* socketcall(2) of 32-bit x86 has its arguments in memory, where no filter looks. */
	write_missing(p, "socketcall");
}

static void write_personality(struct profile *p)
{
	static const uint64_t allowed[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };

	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		write_one(p, "personality", 0, allowed[i], 0, "SCMP_CMP_EQ");
}

void seccomp_default_write(const struct strings *capabilities, const struct seccomp_choice *choice,
			   struct buf *ret)
{
	static const char *const never_asked[] = { "write", NULL };
	struct profile p = { json_writer(ret, NULL), capabilities, choice };
	struct json_writer *w = &p.w;

	json_write_object(w, NULL);
	json_write_string(w, "defaultAction", "SCMP_ACT_ERRNO");
	json_write_uint(w, "defaultErrnoRet", 1);
	if (choice->listener)
		json_write_string(w, "listenerPath", choice->listener);
	write_architectures(w);
	json_write_array(w, "syscalls");
	write_names(&p, always);
	for (size_t i = 0; i < ARRAY_LEN(granted); i++)
		if (has(capabilities, granted[i].capability))
			write_names(&p, granted[i].names);
	if (!has(capabilities, "CAP_SYS_ADMIN"))
		write_clone(&p);
	write_socket(&p);
	write_personality(&p);
	if (choice->listener) {
		p.choice = &(struct seccomp_choice){ .only = NULL };
		write_names(&p, never_asked);
	}
	json_write_end(w);
	json_write_end(w);
}
