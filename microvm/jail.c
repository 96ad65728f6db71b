#include "microvm/jail.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "security/caps.h"
#include "security/privileges.h"

/* Debian 12's headers do not know it; musl and newer libcs use it for fchmodat(2). */
#ifndef SYS_fchmodat2
	#define SYS_fchmodat2 452
#endif

enum { CALL = offsetof(struct seccomp_data, nr), ARCH = offsetof(struct seccomp_data, arch) };

/* Each kind of thread has its list; those calls that come most often are first. */

/*
 * memory, other threads, the log, and the end: of all of them. glibc's free(3) opens a file when a
 * large piece of a thread's own arena goes: only threads that serve files have such pieces.
 */
static const int common_calls[] = {
	SYS_futex,
	SYS_write,
	SYS_brk,
	SYS_munmap,
	SYS_madvise,
	SYS_mremap,
	SYS_clock_gettime,
	SYS_sched_yield,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_restart_syscall,
	SYS_getpid,
	SYS_gettid,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_sched_getaffinity,
	SYS_exit,
	SYS_exit_group,
};

/* the file server */
static const int files_calls[] = {
	SYS_read,       SYS_preadv,      SYS_preadv2,         SYS_pwritev,         SYS_pwritev2,
	SYS_statx,      SYS_openat2,     SYS_openat,          SYS_close,           SYS_fstat,
	SYS_newfstatat, SYS_getdents64,  SYS_lseek,           SYS_fcntl,           SYS_fstatfs,
	SYS_readlinkat, SYS_unlinkat,    SYS_renameat2,       SYS_linkat,          SYS_symlinkat,
	SYS_mkdirat,    SYS_mknodat,     SYS_fchmod,          SYS_fchmodat,        SYS_fchmodat2,
	SYS_fchownat,   SYS_utimensat,   SYS_ftruncate,       SYS_fallocate,       SYS_fsync,
	SYS_fdatasync,  SYS_syncfs,      SYS_copy_file_range, SYS_flock,           SYS_fgetxattr,
	SYS_fsetxattr,  SYS_flistxattr,  SYS_fremovexattr,    SYS_getxattr,        SYS_setxattr,
	SYS_listxattr,  SYS_removexattr, SYS_getrandom,       SYS_clock_nanosleep,
};

static const int disk_calls[] = { SYS_read, SYS_preadv };

static const int vsock_calls[] = { SYS_poll,   SYS_ppoll,   SYS_read,    SYS_recvfrom, SYS_recvmsg,
				   SYS_sendto, SYS_accept4, SYS_connect, SYS_shutdown, SYS_close };

/* streams, packets, commands at the sockets, and the document that goes to the guest */
static const int main_calls[] = {
	SYS_poll,      SYS_ppoll,           SYS_read,       SYS_writev,       SYS_close,
	SYS_fcntl,     SYS_fstat,           SYS_newfstatat, SYS_lseek,        SYS_getrandom,
	SYS_accept4,   SYS_recvmsg,         SYS_sendmsg,    SYS_rt_sigaction, SYS_prlimit64,
	SYS_setrlimit, SYS_clock_nanosleep,
};

static const unsigned vcpu_ioctls[] = { KVM_RUN, KVM_SIGNAL_MSI, KVM_IRQ_LINE, TUNSETOFFLOAD };
static const unsigned files_ioctls[] = { KVM_SIGNAL_MSI };
static const unsigned main_ioctls[] = { KVM_SIGNAL_MSI, TIOCGWINSZ };

static const struct {
	const int *calls;
	size_t n_calls;
	const unsigned *ioctls;
	size_t n_ioctls;
	bool ends;     /* it ends the process as the guest's ended, by a signal to itself */
	bool connects; /* it makes unix sockets */
} lists[] = {
	[JAIL_VCPU] = { NULL, 0, vcpu_ioctls, ARRAY_LEN(vcpu_ioctls), false },
	[JAIL_FILES] = { files_calls, ARRAY_LEN(files_calls), files_ioctls, ARRAY_LEN(files_ioctls),
			 false },
	[JAIL_DISK] = { disk_calls, ARRAY_LEN(disk_calls), files_ioctls, ARRAY_LEN(files_ioctls),
			false },
	[JAIL_VSOCK] = { vsock_calls, ARRAY_LEN(vsock_calls), files_ioctls, ARRAY_LEN(files_ioctls),
			 false, true },
	[JAIL_MAIN] = { main_calls, ARRAY_LEN(main_calls), main_ioctls, ARRAY_LEN(main_ioctls),
			true },
};

int jail_drop_privileges(struct err *e)
{
	static const unsigned kept[] = { CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH,
					 CAP_FOWNER, CAP_FSETID,       CAP_MKNOD,
					 CAP_SETFCAP };
	const struct rlimit none = { 0 };
	struct caps_plan plan = { 0 };
	struct caps_facts facts;

	TRY(caps_facts_read(&facts, e));
	if (setrlimit(RLIMIT_CORE, &none) < 0) /* nobody's memory gets into a file */
		return err_sys(e, "forbid the VMM's core dumps");
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		plan.permitted |= CAPS_BIT(kept[i]);
	plan.permitted &= facts.permitted;
	plan.effective = plan.permitted;
	TRY(caps_bounding_apply(&plan, e));
	TRY(caps_apply(&plan, 0, e));
	TRY(privileges_no_new(e));
	return privileges_hide(e);
}

struct program {
	struct sock_filter at[256];
	unsigned short n;
};

static void add(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->at[p->n++] = (struct sock_filter){ code, jt, jf, k };
}

static void load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct program *p, uint32_t action)
{
	add(p, BPF_RET | BPF_K, action, 0, 0);
}

/* The low half of an argument; what is compared with it has no high half. */
static size_t argument(unsigned i)
{
	return offsetof(struct seccomp_data, args) + i * sizeof(uint64_t);
}

/* `call` only with one of these as its argument; the call's number is loaded, and is after it. */
static void allow_with(struct program *p, uint32_t call, unsigned arg, const unsigned *values,
		       size_t n)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, (uint8_t)(2 * n + 2));
	load(p, argument(arg));
	for (size_t i = 0; i < n; i++) {
		add(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1);
		answer(p, SECCOMP_RET_ALLOW);
	}
	answer(p, SECCOMP_RET_KILL_PROCESS);
}

/* Memory, but none to execute. */
static void allow_memory(struct program *p, uint32_t call)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
	load(p, argument(2));
	add(p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
	answer(p, SECCOMP_RET_KILL_PROCESS);
	answer(p, SECCOMP_RET_ALLOW);
}

static void allow(struct program *p, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i], 0, 1);
		answer(p, SECCOMP_RET_ALLOW);
	}
}

static void build(struct program *p, enum jail_thread who, unsigned self)
{
	const unsigned pdeathsig = PR_SET_PDEATHSIG, local = AF_UNIX;

	load(p, ARCH);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	answer(p, SECCOMP_RET_KILL_PROCESS);
	load(p, CALL);
	allow_with(p, SYS_ioctl, 1, lists[who].ioctls, lists[who].n_ioctls);
	allow(p, common_calls, ARRAY_LEN(common_calls));
	allow(p, lists[who].calls, lists[who].n_calls);
	allow_memory(p, SYS_mmap);
	allow_memory(p, SYS_mprotect);
	if (lists[who].connects)
		allow_with(p, SYS_socket, 0, &local, 1);
	if (lists[who].ends) {
		allow_with(p, SYS_tgkill, 0, &self, 1);
		allow_with(p, SYS_prctl, 0, &pdeathsig, 1);
	}
	answer(p, SECCOMP_RET_KILL_PROCESS);
}

int jail_close(enum jail_thread who, struct err *e)
{
	struct program p = { .n = 0 };
	struct sock_fprog program;

	build(&p, who, (unsigned)getpid());
	program = (struct sock_fprog){ p.n, p.at };
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
		return err_sys(e, "load the filter of the VMM's system calls");
	return 0;
}

void jail_close_or_end(enum jail_thread who)
{
	struct err e;

	if (jail_close(who, &e) == 0)
		return;
	log_line(LOG_LEVEL_ERROR, "%s", e.msg);
	_exit(JAIL_FAILED);
}
