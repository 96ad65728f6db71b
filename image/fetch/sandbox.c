#include "image/fetch/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DESCRIPTORS = 64, LAST_CAP = 63 };

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
};

static int drop_capabilities(struct err *e)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { 0 };

	for (int cap = 0; cap <= LAST_CAP; cap++)
		if (prctl(PR_CAPBSET_DROP, cap) < 0 && errno != EINVAL && errno != EPERM)
			return err_sys(e, "drop capability %d", cap);
	if (syscall(SYS_capset, &head, none) < 0)
		return err_sys(e, "drop the capabilities");
	return 0;
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
	if (r < 0 && errno == EINVAL) { /* a file has no READ_DIR */
		rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
		r = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
				 0);
	}
	close(fd);
	return r;
}

static int landlock(const char *ca, struct err *e)
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
	if (r >= 0 && ca)
		r = allow(ruleset, ca);
	if (r >= 0)
		r = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	if (r < 0)
		err_sys(e, "restrict the file system by Landlock");
	close(ruleset);
	return r < 0 ? -e->code : 0;
}

static int load_filter(struct err *e)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r = filter ? 0 : -ENOMEM;

	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(refused); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
	if (r >= 0)
		r = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return r < 0 ? err_neg(e, r, "load hull-fetch's seccomp filter") : 0;
}

int fetch_sandbox_enter(const char *ca, struct err *e)
{
	const struct rlimit core = { 0, 0 }, files = { DESCRIPTORS, DESCRIPTORS };

	if (setrlimit(RLIMIT_CORE, &core) < 0 || setrlimit(RLIMIT_NOFILE, &files) < 0)
		return err_sys(e, "set hull-fetch's limits");
	if (close_range(4, ~0U, 0) < 0)
		return err_sys(e, "close what was left open");
	TRY(drop_capabilities(e));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "give up new privileges");
	TRY(landlock(ca, e));
	return load_filter(e);
}
