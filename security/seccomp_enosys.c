/*
 * For each ABI:
 *
 *	      load architecture
 *	      is it ours?                    no: next ABI
 *	      load number
 *	      (x86-64) the x32 bit as ours?  no: next ABI
 *	      (s390)   is it 0?              yes: answer
 *	      is it above the last?          no: end
 *	      answer ENOSYS
 *	end:  jump to the filter
 *
 * Only instructions that the kernel's bitmap of always allowed calls can
 * see through (seccomp_is_const_allow() in kernel/seccomp.c).
 */
#include "security/seccomp_enosys.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#define X32_BIT 0x40000000U /* __X32_SYSCALL_BIT, which only x86's headers have */

struct program {
	struct sock_filter *at;
	size_t n;
};

static struct sock_filter *emit(struct program *p, uint16_t code, uint32_t k)
{
	struct sock_filter *i = &p->at[p->n++];

	*i = (struct sock_filter){ .code = code, .k = k };
	return i;
}

static void emit_abi(struct program *p, const struct seccomp_abi *abi)
{
	struct sock_filter *not_ours[2] = { NULL }, *i;
	const size_t start = p->n;

	emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
	not_ours[0] = emit(p, BPF_JMP | BPF_JEQ | BPF_K, abi->audit_arch);
	emit(p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	if (abi->audit_arch == AUDIT_ARCH_X86_64)
		not_ours[1] = emit(p, BPF_JMP | BPF_JSET | BPF_K, X32_BIT);
	if (abi->audit_arch == AUDIT_ARCH_S390 || abi->audit_arch == AUDIT_ARCH_S390X) {
		/* Numbers too large for the instruction arrive as 0 if the kernel lacks them. */
		i = emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0);
		i->jt = 1;
	}
	i = emit(p, BPF_JMP | BPF_JGT | BPF_K, abi->last);
	i->jf = 1;
	emit(p, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
	emit(p, BPF_JMP | BPF_JA, 0); /* to the end of the program, see below */

	not_ours[0]->jf = (uint8_t)(p->n - start - 2);
	if (!not_ours[1])
		return;
	if (abi->x32)
		not_ours[1]->jf = (uint8_t)(p->n - start - 4);
	else
		not_ours[1]->jt = (uint8_t)(p->n - start - 4);
}

size_t seccomp_enosys(const struct seccomp_abi *abis, size_t n, struct sock_filter *ret)
{
	struct program p = { .at = ret };

	for (size_t i = 0; i < n; i++)
		emit_abi(&p, &abis[i]);
	for (size_t i = 0; i < p.n; i++)
		if (p.at[i].code == (BPF_JMP | BPF_JA))
			p.at[i].k = (uint32_t)(p.n - i - 1);
	return p.n;
}
