#include "image/fetch/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json_write.h"
#include "security/attempt.h"

enum { DESCRIPTORS = 64, LAST_CAP = 63, NOBODY = 65534 };

/* Names are resolved and servers are verified with what lies here. */
static const char *const readable[] = { "/etc", "/usr", "/lib", "/lib64", "/run/systemd/resolve",
					"/var/lib/ca-certificates" };

/* What a program that downloads has no use for. A deny list: libc's resolver decides what it needs. */
static const int refused[] = {
	SCMP_SYS(execve),      SCMP_SYS(execveat),	  SCMP_SYS(fork),
	SCMP_SYS(vfork),       SCMP_SYS(ptrace),	  SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(mount),	  SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),  SCMP_SYS(chroot),	  SCMP_SYS(unshare),
	SCMP_SYS(setns),       SCMP_SYS(mknod),		  SCMP_SYS(mknodat),
	SCMP_SYS(unlink),      SCMP_SYS(unlinkat),	  SCMP_SYS(rename),
	SCMP_SYS(renameat),    SCMP_SYS(renameat2),	  SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),     SCMP_SYS(rmdir),		  SCMP_SYS(link),
	SCMP_SYS(linkat),      SCMP_SYS(symlink),	  SCMP_SYS(symlinkat),
	SCMP_SYS(chmod),       SCMP_SYS(fchmod),	  SCMP_SYS(fchmodat),
	SCMP_SYS(chown),       SCMP_SYS(fchown),	  SCMP_SYS(fchownat),
	SCMP_SYS(lchown),      SCMP_SYS(truncate),	  SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open), SCMP_SYS(keyctl),	  SCMP_SYS(add_key),
	SCMP_SYS(request_key), SCMP_SYS(userfaultfd),	  SCMP_SYS(io_uring_setup),
	SCMP_SYS(init_module), SCMP_SYS(finit_module),	  SCMP_SYS(kexec_load),
	SCMP_SYS(reboot),      SCMP_SYS(swapon),	  SCMP_SYS(swapoff),
	SCMP_SYS(pidfd_getfd), SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at),
	SCMP_SYS(accept),      SCMP_SYS(accept4),	  SCMP_SYS(listen),
	/* Other processes of the same user. */
	SCMP_SYS(kill),	       SCMP_SYS(tkill),		  SCMP_SYS(rt_sigqueueinfo),
	SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(setpriority), SCMP_SYS(ioprio_set),	  SCMP_SYS(kcmp),
	SCMP_SYS(shmget),      SCMP_SYS(msgget),	  SCMP_SYS(semget),
	SCMP_SYS(mq_open),
};

/* A socket of another family leads to a program of this machine, or to a part of the kernel that nobody needs. */
static const int families[] = { AF_INET, AF_INET6, AF_NETLINK };

/* While there is the capability that it takes. */
static int drop_bounding(struct err *e)
{
	for (int cap = 0; cap <= LAST_CAP; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) < 0 && errno != EINVAL && errno != EPERM)
			return err_sys(e, "drop capability %d", cap);
	return 0;
}

static int drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	if (syscall(SYS_capset, &head, none) < 0)
		return err_sys(e, "drop the capabilities");
	return 0;
}

/*
 * Root's own files and processes are root's without any capability. Where there is no other user
 * (EINVAL, EPERM: a user namespace that has but few), it stays who it is.
 */
static int become_nobody(struct err *e)
{
	pid_t parent = getppid();

	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0) {
		if (errno != EINVAL && errno != EPERM)
			return err_sys(e, "become another user");
		return 0;
	}
	/* With the user the kernel forgot that hull-fetch ends with hull. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "end with hull");
	return getppid() == parent ? 0 : err_set(e, ESRCH, "hull has ended");
}

static int allow(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
								     LANDLOCK_ACCESS_FS_READ_DIR };
	int fd = open(path, O_PATH | O_CLOEXEC), r;

	if (fd < 0)
		return 0; /* it is not there, so nobody reads it */
	rule.parent_fd = fd;
	r = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(fd);
	return r;
}

static int landlock(struct err *e)
{
	/* All rights of Landlock's first version: each is taken, and reading given back in places. */
	struct landlock_ruleset_attr attr = { .handled_access_fs = (1U << 13) - 1 };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int r = 0;

	if (ruleset < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	if (ruleset < 0)
		return err_sys(e, "make a Landlock ruleset");
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(readable); i++)
		r = allow(ruleset, readable[i]);
	if (r >= 0)
		r = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	if (r < 0)
		err_sys(e, "restrict the file system by Landlock");
	close(ruleset);
	return r < 0 ? -e->code : 0;
}

static bool is_allowed_family(int family)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (families[i] == family)
			return true;
	return false;
}

/* One argument at a time, as a whole: what the kernel cuts off counts, too. */
static int refuse_families(scmp_filter_ctx filter)
{
	const int last = AF_NETLINK;
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
				 SCMP_A0(SCMP_CMP_GT, (scmp_datum_t)last));

	for (int family = 0; r >= 0 && family < last; family++)
		if (!is_allowed_family(family))
			r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
					     SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)family));
	return r;
}

/* Threads are the resolver's; clone3(2), whose flags a filter can't see, is not there. */
static int refuse_processes(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	if (r >= 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	if (r >= 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1,
				     SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid()));
	if (r >= 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1,
				     SCMP_A0(SCMP_CMP_NE, 0));
	return r;
}

static int load_filter(struct err *e)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(refused); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
	if (r >= 0)
		r = refuse_families(filter);
	if (r >= 0)
		r = refuse_processes(filter);
	if (r >= 0)
		r = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return r < 0 ? err_neg(e, r, "load hull-fetch's seccomp filter") : 0;
}

int fetch_sandbox_enter(struct err *e)
{
	const struct rlimit core = { 0, 0 }, files = { DESCRIPTORS, DESCRIPTORS };

	if (setrlimit(RLIMIT_CORE, &core) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_sys(e, "set hull-fetch's limits");
	if (close_range(4, ~0U, 0) < 0)
		return err_sys(e, "close what was left open");
	TRY(drop_bounding(e));
	TRY(become_nobody(e));
	TRY(drop_capabilities(e));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "give up new privileges");
	TRY(landlock(e));
	return load_filter(e);
}

/*
 * The test
 */

static long try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

/* The same to the kernel, which takes 32 bits of it. */
static long try_unix_wide(void)
{
	return syscall(SYS_socket, AF_UNIX | (1UL << 32), SOCK_STREAM, 0);
}

static long try_packet(void)
{
	return socket(AF_PACKET, SOCK_DGRAM, 0);
}

static long try_shadow(void)
{
	return open("/etc/shadow", O_RDONLY | O_CLOEXEC);
}

static long try_proc(void)
{
	return open("/proc/1/cmdline", O_RDONLY | O_CLOEXEC);
}

static long try_write(void)
{
	return open("/tmp/hull-fetch-was-here", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long try_kill(void)
{
	return kill(getppid(), 0);
}

static long try_tgkill(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static long try_shm(void)
{
	return shmget(IPC_PRIVATE, 1, 0600);
}

static const struct attempt attempts[] = {
	{ "unix_socket", try_unix },  { "unix_socket_wide", try_unix_wide },
	{ "packet_socket", try_packet }, { "read_shadow", try_shadow },
	{ "read_proc", try_proc },    { "write_tmp", try_write },
	{ "execve", attempt_exec },	      { "fork", attempt_fork },
	{ "kill", try_kill },	      { "tgkill", try_tgkill },
	{ "ptrace", attempt_ptrace },     { "unshare", attempt_userns },
	{ "shared_memory", try_shm },
};

bool fetch_sandbox_test(struct buf *ret)
{
	struct json_writer w = json_writer(ret, NULL);
	bool held;

	json_write_object(&w, NULL);
	held = attempts_refused(attempts, ARRAY_LEN(attempts), &w);
	json_write_end(&w);
	return held;
}
