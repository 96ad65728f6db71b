#include "microvm/cpu.h"

#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/mem.h"
#include "microvm/boot.h"

enum { ENTRIES_MAX = 256 };

static void adapt(struct kvm_cpuid_entry2 *c, unsigned id, unsigned cpus)
{
	switch (c->function) {
	case 1:
		c->ebx = (c->ebx & 0xffff) | id << 24 | cpus << 16;
		c->ecx |= 1U << 31 | 1U << 24; /* a hypervisor; the TSC deadline timer: no PIT */
		c->ecx &= ~(1U << 5);          /* VMX */
		break;
	case 6:
		c->ecx &= ~(1U << 3); /* energy bias: an MSR that KVM does not have */
		break;
	case 0xb:
		c->edx = id;
		c->eax = c->index == 1 ? 4 : 0;
		c->ebx = c->index == 0 ? 1 : c->index == 1 ? cpus : 0;
		break;
	case 0x80000001:
		c->ecx &= ~(1U << 2); /* SVM */
		break;
	default:
		break;
	}
}

int cpu_set_features(int kvm, int vcpu, unsigned id, unsigned cpus, struct err *e)
{
	auto_free struct kvm_cpuid2 *c =
		mem_zalloc(sizeof(*c) + ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2));

	c->nent = ENTRIES_MAX;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, c) < 0)
		return err_sys(e, "ask KVM for the processor's features");
	for (unsigned i = 0; i < c->nent; i++)
		adapt(&c->entries[i], id, cpus);
	if (ioctl(vcpu, KVM_SET_CPUID2, c) < 0)
		return err_sys(e, "set the features of vCPU %u", id);
	return 0;
}

static int set_registers(int vcpu, uint64_t entry, struct err *e)
{
	struct kvm_regs r = {
		.rip = entry, .rsi = BOOT_PARAMS, .rsp = BOOT_STACK, .rbp = BOOT_STACK, .rflags = 2
	};
	struct kvm_fpu f = { .fcw = 0x37f, .mxcsr = 0x1f80 };
	struct kvm_sregs s;

	if (ioctl(vcpu, KVM_GET_SREGS, &s) < 0)
		return err_sys(e, "read the registers of a vCPU");
	s.cs = (struct kvm_segment){
		.limit = ~0U, .selector = BOOT_CS, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1
	};
	s.ds = (struct kvm_segment){
		.limit = ~0U, .selector = BOOT_DS, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1
	};
	s.es = s.ss = s.fs = s.gs = s.ds;
	s.gdt.base = BOOT_GDT;
	s.gdt.limit = 4 * 8 - 1;
	s.idt.base = s.idt.limit = 0;
	s.cr3 = BOOT_TABLES;
	s.cr4 = 1 << 5;     /* PAE */
	s.cr0 = 0x80000011; /* PG, ET, PE */
	s.efer = 0x500;     /* LME, LMA */
	if (ioctl(vcpu, KVM_SET_SREGS, &s) < 0 || ioctl(vcpu, KVM_SET_REGS, &r) < 0 ||
	    ioctl(vcpu, KVM_SET_FPU, &f) < 0)
		return err_sys(e, "set the registers of a vCPU");
	return 0;
}

static int set_msrs(int vcpu, struct err *e)
{
	enum { MISC_ENABLE = 0x1a0, MTRR_DEFAULT = 0x2ff };
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry at[2];
	} m = { .head.nmsrs = 2,
		.at = { { .index = MISC_ENABLE, .data = 1 },                 /* fast strings */
			{ .index = MTRR_DEFAULT, .data = 1U << 11 | 6 } } }; /* write-back */

	if (ioctl(vcpu, KVM_SET_MSRS, &m) < 0)
		return err_sys(e, "set the MSRs of a vCPU");
	return 0;
}

static int set_lapic(int vcpu, struct err *e)
{
	enum { LINT0 = 0x350, LINT1 = 0x360, EXTINT = 0x700, NMI = 0x400 };
	const uint32_t lint0 = EXTINT, lint1 = NMI;
	struct kvm_lapic_state l;

	if (ioctl(vcpu, KVM_GET_LAPIC, &l) < 0)
		return err_sys(e, "read the interrupt controller of a vCPU");
	memcpy(l.regs + LINT0, &lint0, sizeof(lint0));
	memcpy(l.regs + LINT1, &lint1, sizeof(lint1));
	if (ioctl(vcpu, KVM_SET_LAPIC, &l) < 0)
		return err_sys(e, "set the interrupt controller of a vCPU");
	return 0;
}

int cpu_set_start(int vcpu, uint64_t entry, struct err *e)
{
	TRY(set_registers(vcpu, entry, e));
	TRY(set_msrs(vcpu, e));
	return set_lapic(vcpu, e);
}
