/*
 * seccomp_enosys.h - "function not implemented" for system calls newer than a profile.
 *
 * A profile that allows what it names refuses what its author never heard of,
 * and mostly with EPERM, where a C library that tries a new system call first
 * needs ENOSYS to fall back. This program goes in front of such a filter: it
 * answers ENOSYS to all numbers above the largest that the profile names, and
 * leaves everything else to the filter behind it.
 */
#ifndef HULL_SECURITY_SECCOMP_ENOSYS_H
#define HULL_SECURITY_SECCOMP_ENOSYS_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One way to make system calls that the filter knows. */
struct seccomp_abi {
	uint32_t audit_arch; /* AUDIT_ARCH_* */
	bool x32;            /* the half of AUDIT_ARCH_X86_64 that has __X32_SYSCALL_BIT */
	uint32_t last;       /* the largest number, with that bit, that the profile names */
};

enum { SECCOMP_ENOSYS_LEN = 8 }; /* instructions for each ABI, at most */

/* Writes the program for `n` ABIs to *ret; returns its length. Falls off its end into the filter. */
size_t seccomp_enosys(const struct seccomp_abi *abis, size_t n, struct sock_filter *ret);

#endif
