/*
 * fortify.h - _FORTIFY_SOURCE for musl, which has none: calls whose destination's size the
 * compiler knows are checked when they are made, and end the program when they do not fit.
 */
#ifndef HULL_COMPAT_FORTIFY_H
#define HULL_COMPAT_FORTIFY_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FORTIFIED extern inline __attribute__((gnu_inline, always_inline, artificial))
#define ROOM(at) __builtin_object_size(at, 0)
#define FAIL_UNLESS(fits) ((fits) ? (void)0 : fortify_failed())

_Noreturn void fortify_failed(void);

FORTIFIED void *memcpy(void *to, const void *from, size_t n)
{
	FAIL_UNLESS(n <= ROOM(to) && n <= ROOM(from));
	return __builtin_memcpy(to, from, n);
}

FORTIFIED void *memmove(void *to, const void *from, size_t n)
{
	FAIL_UNLESS(n <= ROOM(to) && n <= ROOM(from));
	return __builtin_memmove(to, from, n);
}

FORTIFIED void *memset(void *to, int byte, size_t n)
{
	FAIL_UNLESS(n <= ROOM(to));
	return __builtin_memset(to, byte, n);
}

FORTIFIED int vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	FAIL_UNLESS(size <= ROOM(to));
	return __builtin_vsnprintf(to, size, format, args);
}

FORTIFIED int snprintf(char *to, size_t size, const char *format, ...)
{
	FAIL_UNLESS(size <= ROOM(to));
	return __builtin_snprintf(to, size, format, __builtin_va_arg_pack());
}

#endif
