/*
 * Compiled filters are run here, over (architecture, number, arguments), by a
 * small interpreter of classic BPF; a few are loaded into the kernel as well.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "security/seccomp.h"
#include "security/seccomp_enosys.h"

#define X32 0x40000000U
#define RET_ERRNO(code) (SECCOMP_RET_ERRNO | (code))
#define ANY 0xdeadbeefU /* an argument that no rule is about */

/* The instructions that libseccomp and we make; anything else ends the test. */
static uint32_t evaluate(const struct sock_filter *at, size_t n, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &at[pc];
		bool holds = false;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			cr_assert_leq(i->k, sizeof(*data) - sizeof(a));
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = a == i->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			holds = a > i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = a >= i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			holds = a & i->k;
			break;
		default:
			cr_assert_fail("instruction %zu is %#x", pc, i->code);
		}
		pc += holds ? i->jt : i->jf;
	}
	cr_assert_fail("ran off the end of %zu instructions", n);
	return 0;
}

/* A system call by name, so that the rows hold on any 64-bit machine. */
struct call {
	uint32_t arch;
	const char *name;
	uint64_t args[6];
	uint32_t action;
};

static int number(uint32_t arch, const char *name)
{
	return seccomp_syscall_resolve_name_arch(arch, name);
}

static uint32_t audit_arch(uint32_t arch)
{
	return arch == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : arch;
}

static uint32_t run(const struct seccomp_filter *f, uint32_t arch, int nr, const uint64_t *args)
{
	struct seccomp_data data = { .nr = nr, .arch = audit_arch(arch) };

	if (args)
		for (size_t i = 0; i < 6; i++)
			data.args[i] = args[i];
	return evaluate(f->at, f->n, &data);
}

static void expect_calls(const struct seccomp_filter *f, const struct call *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct call *c = &calls[i];
		uint32_t got = run(f, c->arch, number(c->arch, c->name), c->args);

		cr_expect_eq(got, c->action, "row %zu, %s on %x: %x, not %x", i, c->name, c->arch,
			     got, c->action);
	}
}

#define NAMES(...)                                                            \
	{                                                                     \
		.at = (const char *[]){ __VA_ARGS__ },                        \
		.n = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *) \
	}
#define LIST_OF(T, ...)                                                                   \
	{                                                                                 \
		.at = (T[]){ __VA_ARGS__ }, .n = sizeof((T[]){ __VA_ARGS__ }) / sizeof(T) \
	}
#define ARGS(...) LIST_OF(struct spec_seccomp_arg, __VA_ARGS__)
#define RULES(...) LIST_OF(struct spec_seccomp_rule, __VA_ARGS__)
#define ARCHS(...) LIST_OF(enum spec_seccomp_arch, __VA_ARGS__)

static struct seccomp_filter compile(const struct spec_seccomp *profile, struct arena *a)
{
	struct seccomp_filter f = { 0 };
	struct err e = { 0 };

	cr_assert_eq(seccomp_filter_compile(profile, a, &f, &e), 0, "%s", e.msg);
	return f;
}

Test(seccomp, each_action_is_itself)
{
	static const struct {
		enum spec_seccomp_action action;
		struct opt_u32 data;
		uint32_t want;
	} rows[] = {
		{ SPEC_ACT_KILL_THREAD, { 0 }, SECCOMP_RET_KILL_THREAD },
		{ SPEC_ACT_KILL_PROCESS, { 0 }, SECCOMP_RET_KILL_PROCESS },
		{ SPEC_ACT_TRAP, { 0 }, SECCOMP_RET_TRAP },
		{ SPEC_ACT_ERRNO, { 0 }, RET_ERRNO(EPERM) },
		{ SPEC_ACT_ERRNO, { true, ENOSYS }, RET_ERRNO(ENOSYS) },
		{ SPEC_ACT_ERRNO, { true, 0 }, RET_ERRNO(0) },
		{ SPEC_ACT_ERRNO, { true, 4094 }, RET_ERRNO(4094) },
		{ SPEC_ACT_TRACE, { 0 }, SECCOMP_RET_TRACE | EPERM },
		{ SPEC_ACT_TRACE, { true, 65535 }, SECCOMP_RET_TRACE | 65535 },
		{ SPEC_ACT_LOG, { 0 }, SECCOMP_RET_LOG },
		{ SPEC_ACT_NOTIFY, { 0 }, SECCOMP_RET_USER_NOTIF },
		{ SPEC_ACT_ALLOW, { 0 }, SECCOMP_RET_ALLOW },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const struct spec_seccomp profile = {
			.default_action = SPEC_ACT_ALLOW,
			.listener_path = "/run/listener",
			.syscalls = RULES({ .names = NAMES("mkdir", "read"),
					    .action = rows[i].action,
					    .errno_ret = rows[i].data }),
		};
		struct seccomp_filter f = compile(&profile, &a);
		const struct call calls[] = {
			{ SCMP_ARCH_X86_64, "mkdir", { 0 }, rows[i].want },
			{ SCMP_ARCH_X86_64, "read", { 0 }, rows[i].want },
			{ SCMP_ARCH_X86_64, "rmdir", { 0 }, SECCOMP_RET_ALLOW },
		};

		expect_calls(&f, calls, ARRAY_LEN(calls));
		cr_expect_eq(f.notify, rows[i].action == SPEC_ACT_NOTIFY);
		cr_expect_eq(f.flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW |
					      (f.notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0));
	}
}

Test(seccomp, each_default_is_itself)
{
	static const struct {
		enum spec_seccomp_action action;
		struct opt_u32 data;
		uint32_t old, new; /* for calls below and above the largest that is named */
	} rows[] = {
		{ SPEC_ACT_ERRNO, { 0 }, RET_ERRNO(EPERM), RET_ERRNO(ENOSYS) },
		{ SPEC_ACT_ERRNO, { true, 1 }, RET_ERRNO(EPERM), RET_ERRNO(ENOSYS) },
		{ SPEC_ACT_ERRNO, { true, ENXIO }, RET_ERRNO(ENXIO), RET_ERRNO(ENOSYS) },
		{ SPEC_ACT_ERRNO, { true, ENOSYS }, RET_ERRNO(ENOSYS), RET_ERRNO(ENOSYS) },
		{ SPEC_ACT_KILL_THREAD, { 0 }, SECCOMP_RET_KILL_THREAD, RET_ERRNO(ENOSYS) },
		{ SPEC_ACT_KILL_PROCESS, { 0 }, SECCOMP_RET_KILL_PROCESS, RET_ERRNO(ENOSYS) },
		{ SPEC_ACT_TRAP, { 0 }, SECCOMP_RET_TRAP, RET_ERRNO(ENOSYS) },
		{ SPEC_ACT_LOG, { 0 }, SECCOMP_RET_LOG, SECCOMP_RET_LOG },
		{ SPEC_ACT_TRACE, { true, 7 }, SECCOMP_RET_TRACE | 7, SECCOMP_RET_TRACE | 7 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const struct spec_seccomp profile = {
			.default_action = rows[i].action,
			.default_errno_ret = rows[i].data,
			.architectures = ARCHS(SPEC_ARCH_X86_64, SPEC_ARCH_X86, SPEC_ARCH_X32),
			.syscalls = RULES({ .names = NAMES("read", "openat", "no_such_call"),
					    .action = SPEC_ACT_ALLOW }),
		};
		struct seccomp_filter f = compile(&profile, &a);
		const struct call calls[] = {
			{ SCMP_ARCH_X86_64, "read", { 0 }, SECCOMP_RET_ALLOW },
			{ SCMP_ARCH_X86_64, "mkdir", { 0 }, rows[i].old },
			{ SCMP_ARCH_X86_64, "openat", { 0 }, SECCOMP_RET_ALLOW },
			{ SCMP_ARCH_X86_64, "clone3", { 0 }, rows[i].new },
			{ SCMP_ARCH_X86, "read", { 0 }, SECCOMP_RET_ALLOW },
			{ SCMP_ARCH_X86, "mkdir", { 0 }, rows[i].old },
			{ SCMP_ARCH_X86, "clone3", { 0 }, rows[i].new },
			{ SCMP_ARCH_X32, "read", { 0 }, SECCOMP_RET_ALLOW },
			{ SCMP_ARCH_X32, "mkdir", { 0 }, rows[i].old },
			{ SCMP_ARCH_X32, "clone3", { 0 }, rows[i].new },
			{ SCMP_ARCH_AARCH64, "read", { 0 }, SECCOMP_RET_KILL_THREAD },
			{ SCMP_ARCH_AARCH64, "clone3", { 0 }, SECCOMP_RET_KILL_THREAD },
		};

		expect_calls(&f, calls, ARRAY_LEN(calls));
	}
}

/* Without x32 in the profile, its numbers are a wrong architecture, not "new" system calls. */
Test(seccomp, x32_is_not_new_system_calls)
{
	auto_arena struct arena a = { 0 };
	const struct spec_seccomp profile = {
		.default_action = SPEC_ACT_ERRNO,
		.architectures = ARCHS(SPEC_ARCH_X86_64),
		.syscalls = RULES({ .names = NAMES("read"), .action = SPEC_ACT_ALLOW }),
	};
	struct seccomp_filter f = compile(&profile, &a);

	cr_expect_eq(run(&f, SCMP_ARCH_X86_64, (int)X32, NULL), SECCOMP_RET_KILL_THREAD);
	cr_expect_eq(run(&f, SCMP_ARCH_X86_64, 1000, NULL), RET_ERRNO(ENOSYS));
}

#define ARG(i, o, ...)                                               \
	{                                                            \
		.index = i, .op = SPEC_CMP_##o, .value = __VA_ARGS__ \
	}

Test(seccomp, compares_arguments)
{
	static const uint64_t big = 0x100000005ULL;
	static const struct {
		struct spec_seccomp_arg arg;
		uint64_t value;
		bool holds;
	} rows[] = {
		{ ARG(0, EQ, 5), 5, true },
		{ ARG(0, EQ, 5), 6, false },
		{ ARG(0, EQ, 5), 0x100000005ULL, false },
		{ ARG(0, NE, 5), 5, false },
		{ ARG(0, NE, 5), 4, true },
		{ ARG(0, NE, 5), 0x100000005ULL, true },
		{ ARG(0, LT, 5), 4, true },
		{ ARG(0, LT, 5), 5, false },
		{ ARG(0, LE, 5), 5, true },
		{ ARG(0, LE, 5), 6, false },
		{ ARG(0, GE, 5), 5, true },
		{ ARG(0, GE, 5), 4, false },
		{ ARG(0, GT, 5), 6, true },
		{ ARG(0, GT, 5), 5, false },
		{ ARG(0, GT, 5), 0x100000000ULL, true },
		{ ARG(0, MASKED_EQ, 0xf0, .value_two = 0x20), 0x2f, true },
		{ ARG(0, MASKED_EQ, 0xf0, .value_two = 0x20), 0x3f, false },
		{ ARG(0, MASKED_EQ, 0x7e020000, .value_two = 0), 0x10000000, false },
		{ ARG(0, MASKED_EQ, 0x7e020000, .value_two = 0), SIGCHLD, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const struct spec_seccomp profile = {
			.default_action = SPEC_ACT_ALLOW,
			.syscalls = RULES({ .names = NAMES("personality"),
					    .action = SPEC_ACT_ERRNO,
					    .args = ARGS(rows[i].arg) }),
		};
		struct seccomp_filter f = compile(&profile, &a);
		const uint64_t args[6] = { rows[i].value, big };

		cr_expect_eq(run(&f, SCMP_ARCH_X86_64, number(SCMP_ARCH_X86_64, "personality"),
				 args),
			     rows[i].holds ? RET_ERRNO(EPERM) : SECCOMP_RET_ALLOW, "row %zu", i);
	}
}

Test(seccomp, conditions_on_several_arguments_are_all_needed)
{
	auto_arena struct arena a = { 0 };
	const struct spec_seccomp profile = {
		.default_action = SPEC_ACT_ALLOW,
		.syscalls = RULES({ .names = NAMES("socket"),
				    .action = SPEC_ACT_ERRNO,
				    .errno_ret = { true, EAFNOSUPPORT },
				    .args = ARGS(ARG(0, EQ, 16), ARG(2, EQ, 9)) }),
	};
	struct seccomp_filter f = compile(&profile, &a);
	const struct call calls[] = {
		{ SCMP_ARCH_X86_64, "socket", { 16, 3, 9 }, RET_ERRNO(EAFNOSUPPORT) },
		{ SCMP_ARCH_X86_64, "socket", { 16, 3, 8 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "socket", { 1, 3, 9 }, SECCOMP_RET_ALLOW },
	};

	expect_calls(&f, calls, ARRAY_LEN(calls));
}

Test(seccomp, conditions_on_one_argument_are_alternatives)
{
	auto_arena struct arena a = { 0 };
	const struct spec_seccomp profile = {
		.default_action = SPEC_ACT_ERRNO,
		.syscalls = RULES({ .names = NAMES("personality", "socket"),
				    .action = SPEC_ACT_ALLOW,
				    .args = ARGS(ARG(0, EQ, 0), ARG(0, EQ, 8), ARG(1, EQ, 3)) }),
	};
	struct seccomp_filter f = compile(&profile, &a);
	const struct call calls[] = {
		{ SCMP_ARCH_X86_64, "personality", { 0 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "personality", { 8 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "personality", { 4, 3 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "personality", { 4, 4 }, RET_ERRNO(EPERM) },
		{ SCMP_ARCH_X86_64, "socket", { 8 }, SECCOMP_RET_ALLOW },
	};

	expect_calls(&f, calls, ARRAY_LEN(calls));
}

Test(seccomp, rules_of_the_default_action_and_repeated_rules_are_no_trouble)
{
	auto_arena struct arena a = { 0 };
	const struct spec_seccomp profile = {
		.default_action = SPEC_ACT_ERRNO,
		.default_errno_ret = { true, 1 },
		.syscalls = RULES({ .names = NAMES("mkdir"), .action = SPEC_ACT_ERRNO },
				  { .names = NAMES("read", "read"), .action = SPEC_ACT_ALLOW },
				  { .names = NAMES("read", "write"), .action = SPEC_ACT_ALLOW },
				  { .names = NAMES("mkdir"),
				    .action = SPEC_ACT_ERRNO,
				    .errno_ret = { true, 1 } }),
	};
	struct seccomp_filter f = compile(&profile, &a);
	const struct call calls[] = {
		{ SCMP_ARCH_X86_64, "read", { 0 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "write", { 0 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "mkdir", { 0 }, RET_ERRNO(EPERM) },
	};

	expect_calls(&f, calls, ARRAY_LEN(calls));
}

Test(seccomp, waiting_killably_needs_notifications)
{
	auto_arena struct arena a = { 0 };
	const struct spec_seccomp profile = {
		.default_action = SPEC_ACT_ALLOW,
		.flags = { true, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
	};
	struct seccomp_filter f = { .n = 99 };
	struct err e = { 0 };

	cr_expect_eq(seccomp_filter_compile(&profile, &a, &f, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs "
				"a rule with SCMP_ACT_NOTIFY");
	cr_expect_eq(f.n, 99, "written though it failed");
}

Test(seccomp, other_endianness_is_refused)
{
	auto_arena struct arena a = { 0 };
	const struct spec_seccomp profile = { .default_action = SPEC_ACT_ALLOW,
					      .architectures = ARCHS(SPEC_ARCH_S390X) };
	struct seccomp_filter f;
	struct err e = { 0 };

	cr_expect_lt(seccomp_filter_compile(&profile, &a, &f, &e), 0);
	cr_expect_eq(strncmp(e.msg, "linux.seccomp.architectures: add SCMP_ARCH_S390X: ", 50), 0,
		     "%s", e.msg);
}

Test(seccomp, flags_are_those_asked_for)
{
	static const struct {
		struct opt_u32 asked;
		unsigned flags;
	} rows[] = {
		{ { 0 }, SECCOMP_FILTER_FLAG_SPEC_ALLOW },
		{ { true, 0 }, 0 },
		{ { true, SECCOMP_FILTER_FLAG_TSYNC }, 0 },
		{ { true, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_TSYNC },
		  SECCOMP_FILTER_FLAG_LOG },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_arena struct arena a = { 0 };
		const struct spec_seccomp profile = { .default_action = SPEC_ACT_ALLOW,
						      .flags = rows[i].asked };

		cr_expect_eq(compile(&profile, &a).flags, rows[i].flags, "row %zu", i);
	}
}

/* The program in front alone, for machines that libseccomp can't mix with this one. */
Test(seccomp, enosys_of_other_machines)
{
	static const struct seccomp_abi abis[] = {
		{ AUDIT_ARCH_X86_64, false, 300 },
		{ AUDIT_ARCH_S390X, false, 400 },
		{ AUDIT_ARCH_X86_64, true, X32 + 500 },
		{ AUDIT_ARCH_AARCH64, false, 200 },
	};
	static const struct {
		uint32_t arch, nr, action;
	} rows[] = {
		{ AUDIT_ARCH_X86_64, 0, SECCOMP_RET_LOG },
		{ AUDIT_ARCH_X86_64, 300, SECCOMP_RET_LOG },
		{ AUDIT_ARCH_X86_64, 301, RET_ERRNO(ENOSYS) },
		{ AUDIT_ARCH_X86_64, X32, SECCOMP_RET_LOG },
		{ AUDIT_ARCH_X86_64, X32 + 500, SECCOMP_RET_LOG },
		{ AUDIT_ARCH_X86_64, X32 + 501, RET_ERRNO(ENOSYS) },
		{ AUDIT_ARCH_X86_64, 0xffffffff, RET_ERRNO(ENOSYS) },
		{ AUDIT_ARCH_S390X, 0, RET_ERRNO(ENOSYS) },
		{ AUDIT_ARCH_S390X, 1, SECCOMP_RET_LOG },
		{ AUDIT_ARCH_S390X, 400, SECCOMP_RET_LOG },
		{ AUDIT_ARCH_S390X, 401, RET_ERRNO(ENOSYS) },
		{ AUDIT_ARCH_AARCH64, 0, SECCOMP_RET_LOG },
		{ AUDIT_ARCH_AARCH64, 200, SECCOMP_RET_LOG },
		{ AUDIT_ARCH_AARCH64, 201, RET_ERRNO(ENOSYS) },
		{ AUDIT_ARCH_RISCV64, 9999, SECCOMP_RET_LOG },
	};
	struct sock_filter program[ARRAY_LEN(abis) * SECCOMP_ENOSYS_LEN + 1];
	size_t n = seccomp_enosys(abis, ARRAY_LEN(abis), program);

	cr_assert_lt(n, ARRAY_LEN(program));
	program[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_LOG);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct seccomp_data data = { .nr = (int)rows[i].nr, .arch = rows[i].arch };

		cr_expect_eq(evaluate(program, n, &data), rows[i].action, "row %zu", i);
	}
	cr_expect_eq(seccomp_enosys(NULL, 0, program), 0);
}

/* A recorded config.json of a client; the test is skipped where the data is not at hand. */
static void load_client(const char *name, struct spec *s)
{
	const char *srcdir = getenv("srcdir");
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };
	char path[4096];

	snprintf(path, sizeof(path), "%s/tests/data/clients/%s", srcdir ? srcdir : ".", name);
	if (access(path, R_OK) < 0)
		cr_skip_test("no %s", path);
	cr_assert_eq(io_read_file(AT_FDCWD, path, 1 << 20, name, &text, &e), 0, "%s", e.msg);
	cr_assert_eq(spec_parse(s, name, text.text, text.len, &e), 0, "%s", e.msg);
}

Test(seccomp, docker_default_profile)
{
	static const struct call calls[] = {
		{ SCMP_ARCH_X86_64, "read", { 0 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "execve", { 0 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86, "read", { 0 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86, "execve", { 0 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X32, "read", { 0 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "mount", { 0 }, RET_ERRNO(EPERM) },
		{ SCMP_ARCH_X86, "mount", { 0 }, RET_ERRNO(EPERM) },
		{ SCMP_ARCH_X86_64, "unshare", { 0 }, RET_ERRNO(EPERM) },
		{ SCMP_ARCH_X86_64, "keyctl", { 0 }, RET_ERRNO(EPERM) },
		{ SCMP_ARCH_X86_64, "clone3", { 0 }, RET_ERRNO(ENOSYS) },
		{ SCMP_ARCH_X86_64, "clone", { SIGCHLD }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "clone", { 0x10000000 | SIGCHLD }, RET_ERRNO(EPERM) },
		{ SCMP_ARCH_X86_64, "personality", { 0 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "personality", { 8 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "personality", { 0x40000 }, RET_ERRNO(EPERM) },
		{ SCMP_ARCH_X86_64, "socket", { 2, 1, 6 }, SECCOMP_RET_ALLOW },
		{ SCMP_ARCH_X86_64, "socket", { 40, 1, 0 }, RET_ERRNO(EPERM) },
		{ SCMP_ARCH_AARCH64, "read", { 0 }, SECCOMP_RET_KILL_THREAD },
	};
	auto_spec struct spec s = { 0 };
	auto_arena struct arena a = { 0 };
	struct seccomp_filter f;

	load_client("docker-26.1.5-run.json", &s);
	cr_assert_not_null(s.linux.seccomp);
	f = compile(s.linux.seccomp, &a);
	expect_calls(&f, calls, ARRAY_LEN(calls));
	cr_expect_eq(run(&f, SCMP_ARCH_X86_64, 600, NULL), RET_ERRNO(ENOSYS));
	cr_expect_eq(run(&f, SCMP_ARCH_X86, 600, NULL), RET_ERRNO(ENOSYS));
	cr_expect_eq(run(&f, SCMP_ARCH_X32, (int)X32 + 600, NULL), RET_ERRNO(ENOSYS));
}

/* Runs `act` under the profile in a child; its wait status. */
static int under(const struct spec_seccomp *profile, int (*act)(int notify_fd))
{
	auto_arena struct arena a = { 0 };
	struct seccomp_filter f = compile(profile, &a);
	int status = -1, fd = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		    seccomp_filter_load(&f, &fd, NULL) < 0)
			_exit(100);
		syscall(SYS_exit_group, act(fd)); /* the filter may forbid what _exit() does more */
	}
	cr_assert_gt(pid, 0);
	waitpid(pid, &status, 0);
	return status;
}

static int errno_of_rmdir(int notify_fd)
{
	(void)notify_fd;
	return rmdir("/no/such/directory") < 0 ? errno : 0;
}

static int errno_of_new_call(int notify_fd)
{
	(void)notify_fd;
	return syscall(998) < 0 ? errno : 0;
}

static int has_notify_fd(int notify_fd)
{
	return notify_fd >= 0 && fcntl(notify_fd, F_GETFD) == FD_CLOEXEC ? 7 : 8;
}

Test(seccomp, the_kernel_agrees)
{
	const struct spec_seccomp refuse = {
		.default_action = SPEC_ACT_ALLOW,
		.syscalls = RULES({ .names = NAMES("rmdir", "unlinkat"),
				    .action = SPEC_ACT_ERRNO,
				    .errno_ret = { true, EDQUOT } }),
	};
	const struct spec_seccomp kill = {
		.default_action = SPEC_ACT_ALLOW,
		.syscalls = RULES(
			{ .names = NAMES("rmdir", "unlinkat"), .action = SPEC_ACT_KILL_PROCESS }),
	};
	const struct spec_seccomp allow = {
		.default_action = SPEC_ACT_ERRNO,
		.syscalls = RULES(
			{ .names = NAMES("exit_group", "openat2"), .action = SPEC_ACT_ALLOW }),
	};
	const struct spec_seccomp notify = {
		.default_action = SPEC_ACT_ALLOW,
		.listener_path = "/run/listener",
		.syscalls = RULES({ .names = NAMES("rmdir"), .action = SPEC_ACT_NOTIFY }),
	};
	int status = under(&refuse, errno_of_rmdir);

	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == EDQUOT, "refuse: %x", status);
	status = under(&kill, errno_of_rmdir);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "kill: %x", status);
	status = under(&allow, errno_of_rmdir);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == EPERM, "allow: %x", status);
	status = under(&allow, errno_of_new_call);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == ENOSYS, "new: %x", status);
	status = under(&notify, has_notify_fd);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 7, "notify: %x", status);
}

Test(seccomp, refusal_to_load_is_told)
{
	struct sock_filter bad = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3);
	const struct seccomp_filter f = { .at = &bad, .n = 1 };
	struct err e = { 0 };
	int fd = 99;

	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_expect_eq(seccomp_filter_load(&f, &fd, &e), -EINVAL);
	cr_expect_str_eq(e.msg, "load the seccomp filter: invalid argument");
	cr_expect_eq(fd, 99);
}
