#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void mem_exhausted(void)
{
	static const char text[] = "hull: out of memory\n";
	ssize_t n = write(STDERR_FILENO, text, sizeof(text) - 1);

	_exit(n < 0 ? 2 : 1);
}

void *mem_zalloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		mem_exhausted();
	return p;
}

void *mem_grow(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size);
	if (!p)
		mem_exhausted();
	return p;
}

char *mem_strdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		mem_exhausted();
	return p;
}

enum {
	STACK_SPARED = 16 * 1024, /* of mem_trim() itself and what it calls, by far */
	STACK_REACHED =
		1024 * 1024, /* no other mapping is so near: stack_guard_gap of the kernel */
};

void mem_trim(void)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(page - 1);

	malloc_trim(0);
	/* ENOMEM says that the stack does not reach so far, and what there is of it is given back. */
	madvise((void *)(here - STACK_REACHED), STACK_REACHED - STACK_SPARED, MADV_DONTNEED);
}
