/*
 * boot.h - a Linux kernel in the guest's memory, by the 64-bit boot protocol
 * (Documentation/arch/x86/boot.rst, zero-page.rst).
 *
 * A bzImage unpacks itself in the guest unless its payload is one that we
 * unpack (zstd), which takes a fraction of the time; an ELF vmlinux is taken
 * as it is. The kernel is the host's file, but its lengths are checked all
 * the same.
 */
#ifndef HULL_MICROVM_BOOT_H
#define HULL_MICROVM_BOOT_H

#include "base/err.h"
#include "microvm/memory.h"

enum {
	BOOT_GDT = 0x500,
	BOOT_PARAMS = 0x7000, /* rsi at the entry */
	BOOT_STACK = 0x8ff0,
	BOOT_TABLES = 0x9000, /* three pages of page tables: the first GiB as it is */
	BOOT_LINE = 0x20000,
	BOOT_LINE_MAX = 2047,
	BOOT_CS = 0x10,
	BOOT_DS = 0x18,
};

struct boot {
	int kernel, initramfs; /* descriptors */
	const char *line;      /* the kernel's parameters */
	unsigned cpus;
};

/* Loads all of it; *ret_entry is where the first CPU begins, in long mode. */
int boot_load(const struct boot *b, const struct memory *m, uint64_t *ret_entry, struct err *e)
	MUST_CHECK;

#endif
