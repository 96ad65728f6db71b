/*
 * Where the program starts: relocations in the packed form (DT_RELR, gABI), which Debian 12's musl does not
 * know, are made here, before musl's own start. There are some 4600, 110 KiB if they are not packed, and each
 * hull would read them all.
 *
 * Nothing of C is ready: no relocated pointer may be read and no library called.
 */
#ifdef __x86_64__
#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

enum { WORDS_OF_MAP = 63 }; /* what one map of the packed form is about; its lowest bit says that it is one */

/* The linker's; hidden, or they were looked up in a table that has to be relocated. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));

void relocate_packed(void) __attribute__((visibility("hidden")));

__asm__(".text\n"
	".global program_start\n"
	".hidden program_start\n"
	".type program_start, @function\n"
	"program_start:\n"
	"	.cfi_startproc\n"
	"	.cfi_undefined rip\n"
	"	endbr64\n"
	"	xor %ebp, %ebp\n"
	"	mov %rdx, %rbx\n" /* for atexit(3), says the psABI; _start wants it where it was */
	"	call relocate_packed\n"
	"	mov %rbx, %rdx\n"
	"	jmp _start\n"
	"	.cfi_endproc\n"
	".size program_start, . - program_start\n");

void relocate_packed(void)
{
	const uintptr_t base = (uintptr_t)__ehdr_start;
	const uint64_t *entry = NULL, *end;
	uint64_t *next = NULL;
	size_t size = 0;

	for (Elf64_Dyn *d = _DYNAMIC; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_RELR)
			entry = (const uint64_t *)(base + d->d_un.d_ptr);
		if (d->d_tag == DT_RELRSZ) {
			size = d->d_un.d_val;
			d->d_un.d_val = 0; /* a musl that knows them finds them done */
		}
	}
	if (!entry)
		return;
	end = entry + size / sizeof(*entry);
	for (; entry < end; entry++) {
		if ((*entry & 1) == 0) {
			next = (uint64_t *)(base + *entry);
			*next++ += base;
			continue;
		}
		for (unsigned i = 0; i < WORDS_OF_MAP; i++)
			if (*entry >> (i + 1) & 1)
				next[i] += base;
		next += WORDS_OF_MAP;
	}
}
#endif
