#include "security/seccomp.h"

#include <assert.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "base/io.h"
#include "base/log.h"
#include "security/seccomp_enosys.h"
#include "spec/names.h"

enum { ARGS_MAX = 6 };

/* From how many rules on a binary tree of them pays; with none, libseccomp 2.5.4 gets it wrong. */
enum { TREE_RULES = 32 };

static const struct {
	uint32_t value; /* for libseccomp */
	bool data;      /* with an errnoRet */
	bool permits;   /* the system call is made, or somebody answers for it */
} actions[SPEC_ACT_KINDS] = {
	[SPEC_ACT_KILL_THREAD] = { SCMP_ACT_KILL_THREAD, false, false },
	[SPEC_ACT_KILL_PROCESS] = { SCMP_ACT_KILL_PROCESS, false, false },
	[SPEC_ACT_TRAP] = { SCMP_ACT_TRAP, false, false },
	[SPEC_ACT_ERRNO] = { SCMP_ACT_ERRNO(0), true, false },
	[SPEC_ACT_TRACE] = { SCMP_ACT_TRACE(0), true, true },
	[SPEC_ACT_ALLOW] = { SCMP_ACT_ALLOW, false, true },
	[SPEC_ACT_LOG] = { SCMP_ACT_LOG, false, true },
	[SPEC_ACT_NOTIFY] = { SCMP_ACT_NOTIFY, false, true },
};

static const enum scmp_compare operators[SPEC_CMP_KINDS] = {
	[SPEC_CMP_NE] = SCMP_CMP_NE,
	[SPEC_CMP_LT] = SCMP_CMP_LT,
	[SPEC_CMP_LE] = SCMP_CMP_LE,
	[SPEC_CMP_EQ] = SCMP_CMP_EQ,
	[SPEC_CMP_GE] = SCMP_CMP_GE,
	[SPEC_CMP_GT] = SCMP_CMP_GT,
	[SPEC_CMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

/* A filter in the making. */
struct build {
	const struct spec_seccomp *profile;
	struct arena *arena;
	scmp_filter_ctx context;
	/* What the filter decides about, the native architecture first. */
	uint32_t archs[SPEC_ARCH_KINDS + 1];
	size_t n_archs;
};

static void build_done(struct build *b)
{
	if (b->context)
		seccomp_release(b->context);
}

bool seccomp_notifies(const struct spec_seccomp *profile)
{
	for (size_t i = 0; profile && i < profile->syscalls.n; i++)
		if (profile->syscalls.at[i].action == SPEC_ACT_NOTIFY)
			return true;
	return false;
}

static uint32_t action_value(enum spec_seccomp_action action, const struct opt_u32 *data)
{
	if (!actions[action].data)
		return actions[action].value;
	return actions[action].value | (data->set ? data->value : EPERM);
}

/* "x86_64" for "SCMP_ARCH_X86_64": what libseccomp calls it. */
static void arch_word(const char *name, char *ret, size_t size)
{
	size_t len = 0;

	for (name += strlen("SCMP_ARCH_"); *name && len < size - 1; name++)
		ret[len++] = (char)(*name >= 'A' && *name <= 'Z' ? *name - 'A' + 'a' : *name);
	ret[len] = '\0';
}

static int add_architecture(struct build *b, enum spec_seccomp_arch kind, struct err *e)
{
	const char *name = json_name_of(spec_seccomp_arch_names, (int)kind);
	char word[32];
	uint32_t arch;
	int r;

	arch_word(name, word, sizeof(word));
	arch = seccomp_arch_resolve_name(word);
	if (arch == 0)
		return err_set(e, EOPNOTSUPP,
			       "linux.seccomp.architectures: libseccomp %u.%u.%u does not know %s",
			       seccomp_version()->major, seccomp_version()->minor,
			       seccomp_version()->micro, name);
	r = seccomp_arch_add(b->context, arch);
	if (r == -EEXIST)
		return 0;
	if (r < 0)
		return err_neg(e, r, "linux.seccomp.architectures: add %s", name);
	b->archs[b->n_archs++] = arch;
	return 0;
}

static int add_one(struct build *b, const struct spec_seccomp_rule *rule, const char *name,
		   const struct scmp_arg_cmp *args, unsigned n, struct err *e)
{
	int nr = seccomp_syscall_resolve_name(name), r;

	if (nr == __NR_SCMP_ERROR) {
		log_debug("seccomp: ignoring unknown system call %s", name);
		return 0;
	}
	r = seccomp_rule_add_array(b->context, action_value(rule->action, &rule->errno_ret), nr, n,
				   args);
	if (r < 0)
		return err_neg(e, r, "linux.seccomp.syscalls: add a rule for %s", name);
	return 0;
}

/* One argument twice: any of the conditions is enough, as runc has always read it. */
static int add_alternatives(struct build *b, const struct spec_seccomp_rule *rule, const char *name,
			    const struct scmp_arg_cmp *args, struct err *e)
{
	for (size_t i = 0; i < rule->args.n; i++)
		TRY(add_one(b, rule, name, &args[i], 1, e));
	return 0;
}

static int add_rule(struct build *b, const struct spec_seccomp_rule *rule, struct err *e)
{
	struct scmp_arg_cmp *args = arena_array(b->arena, rule->args.n, sizeof(*args));
	bool seen[ARGS_MAX] = { false }, repeated = false;

	for (size_t i = 0; i < rule->args.n; i++) {
		const struct spec_seccomp_arg *arg = &rule->args.at[i];

		assert(arg->index < ARGS_MAX);
		args[i] = (struct scmp_arg_cmp){ .arg = arg->index,
						 .op = operators[arg->op],
						 .datum_a = arg->value,
						 .datum_b = arg->value_two };
		repeated |= seen[arg->index];
		seen[arg->index] = true;
	}
	for (size_t i = 0; i < rule->names.n; i++) {
		const char *name = rule->names.at[i];

		if (repeated)
			TRY(add_alternatives(b, rule, name, args, e));
		else
			TRY(add_one(b, rule, name, args, (unsigned)rule->args.n, e));
	}
	return 0;
}

static int add_rules(struct build *b, uint32_t default_action, struct err *e)
{
	for (size_t i = 0; i < b->profile->syscalls.n; i++) {
		const struct spec_seccomp_rule *rule = &b->profile->syscalls.at[i];

		if (action_value(rule->action, &rule->errno_ret) != default_action)
			TRY(add_rule(b, rule, e));
	}
	return 0;
}

static size_t count_names(const struct spec_seccomp *profile)
{
	size_t n = 0;

	for (size_t i = 0; i < profile->syscalls.n; i++)
		n += profile->syscalls.at[i].names.n;
	return n;
}

static int build_filter(struct build *b, struct err *e)
{
	const struct spec_seccomp *profile = b->profile;
	uint32_t default_action =
		action_value(profile->default_action, &profile->default_errno_ret);
	int r;

	b->context = seccomp_init(default_action);
	if (!b->context)
		return err_set(e, EINVAL, "linux.seccomp.defaultAction: the kernel lacks %s",
			       json_name_of(spec_seccomp_action_names,
					    (int)profile->default_action));
	b->archs[b->n_archs++] = seccomp_arch_native();
	for (size_t i = 0; i < profile->architectures.n; i++)
		TRY(add_architecture(b, profile->architectures.at[i], e));
	if (count_names(profile) > TREE_RULES) {
		r = seccomp_attr_set(b->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
		if (r < 0)
			return err_neg(e, r, "linux.seccomp: ask libseccomp for a binary tree");
	}
	return add_rules(b, default_action, e);
}

/* The largest number of a system call that the profile names; negative without any. */
static int last_number(const struct spec_seccomp *profile, uint32_t arch)
{
	int last = -1;

	for (size_t i = 0; i < profile->syscalls.n; i++) {
		const struct strings *names = &profile->syscalls.at[i].names;

		for (size_t k = 0; k < names->n; k++) {
			int nr = seccomp_syscall_resolve_name_arch(arch, names->at[k]);

			last = nr > last ? nr : last;
		}
	}
	return last;
}

/* The program that goes in front; its length. `ret` has room for SECCOMP_ENOSYS_LEN per ABI. */
static size_t build_enosys(const struct build *b, struct sock_filter *ret)
{
	const struct spec_seccomp *profile = b->profile;
	struct seccomp_abi abis[ARRAY_LEN(b->archs)];
	size_t n = 0;

	if (actions[profile->default_action].permits ||
	    (profile->default_action == SPEC_ACT_ERRNO && profile->default_errno_ret.set &&
	     profile->default_errno_ret.value == ENOSYS))
		return 0;
	for (size_t i = 0; i < b->n_archs; i++) {
		const bool x32 = b->archs[i] == SCMP_ARCH_X32;
		int last = last_number(profile, b->archs[i]);

		if (last >= 0)
			abis[n++] = (struct seccomp_abi){
				.audit_arch = x32 ? AUDIT_ARCH_X86_64 : b->archs[i],
				.x32 = x32,
				.last = (uint32_t)last,
			};
	}
	return seccomp_enosys(abis, n, ret);
}

static int export_filter(const struct build *b, struct seccomp_filter *ret, struct err *e)
{
	auto_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
	struct sock_filter enosys[ARRAY_LEN(b->archs) * SECCOMP_ENOSYS_LEN];
	size_t len, n_enosys = build_enosys(b, enosys);
	off_t size;
	int r;

	if (fd < 0)
		return err_sys(e, "make a memory file for the seccomp filter");
	r = seccomp_export_bpf(b->context, fd);
	if (r < 0)
		return err_neg(e, r, "linux.seccomp: make a filter of the rules");
	size = lseek(fd, 0, SEEK_END);
	if (size < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read the seccomp filter");
	len = (size_t)size / sizeof(*enosys);
	if (n_enosys + len > BPF_MAXINSNS)
		return err_set(e, E2BIG,
			       "linux.seccomp: the filter would have %zu instructions, the kernel "
			       "takes %d",
			       n_enosys + len, BPF_MAXINSNS);
	ret->at = arena_array(b->arena, n_enosys + len, sizeof(*enosys));
	ret->n = n_enosys + len;
	memcpy(ret->at, enosys, n_enosys * sizeof(*enosys));
	if (io_read_all(fd, ret->at + n_enosys, len * sizeof(*enosys)) !=
	    (ssize_t)(len * sizeof(*enosys)))
		return err_set(e, EIO, "read the seccomp filter: it is cut short");
	return 0;
}

/* Init has one thread, so TSYNC is nothing to it, and the kernel won't have it with a listener. */
static int choose_flags(const struct spec_seccomp *profile, bool notify, unsigned *ret,
			struct err *e)
{
	/* The default is runc's: a filter alone is no reason to slow speculation down. */
	unsigned flags = profile->flags.set ? profile->flags.value : SECCOMP_FILTER_FLAG_SPEC_ALLOW;

	if (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV && !notify)
		return err_set(
			e, EINVAL,
			"linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a "
			"rule with SCMP_ACT_NOTIFY");
	*ret = (flags & ~(unsigned)SECCOMP_FILTER_FLAG_TSYNC) |
	       (notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
	return 0;
}

int seccomp_filter_compile(const struct spec_seccomp *profile, struct arena *a,
			   struct seccomp_filter *ret, struct err *e)
{
	__attribute__((cleanup(build_done))) struct build b = { .profile = profile, .arena = a };
	struct seccomp_filter filter = { .notify = seccomp_notifies(profile) };

	TRY(choose_flags(profile, filter.notify, &filter.flags, e));
	TRY(build_filter(&b, e));
	TRY(export_filter(&b, &filter, e));
	*ret = filter;
	return 0;
}

int seccomp_filter_load(const struct seccomp_filter *filter, int *ret_notify_fd, struct err *e)
{
	struct sock_fprog program = { .len = (unsigned short)filter->n, .filter = filter->at };
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program);

	if (r < 0)
		return err_sys(e, "load the seccomp filter");
	*ret_notify_fd = filter->notify ? (int)r : -1;
	return 0;
}

bool seccomp_flag_works(unsigned flag)
{
	/* Refused without a listener that it could be about. */
	if (flag == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
		flag |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
	/* A kernel that knows the flags comes to look at the filter, and there is none. */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flag, NULL) < 0 && errno == EFAULT;
}
