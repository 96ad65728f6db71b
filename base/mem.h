/*
 * mem.h - memory that is always there.
 *
 * Running out of memory ends the process with one sentence: no caller could
 * do better. Sizes that come from outside are limited before they get here.
 */
#ifndef HULL_BASE_MEM_H
#define HULL_BASE_MEM_H

#include <stddef.h>

void *mem_zalloc(size_t size);                  /* zeroed; release with free() */
void *mem_grow(void *p, size_t n, size_t size); /* realloc to n elements of size bytes */
char *mem_strdup(const char *s);

/*
 * Gives back what is not needed any more, for a process that stays after it was busy: what was freed,
 * and what lay on the stack below the caller.
 */
void mem_trim(void);

/* Ends the process: "hull: out of memory". Async-signal-safe. */
_Noreturn void mem_exhausted(void);

#endif
