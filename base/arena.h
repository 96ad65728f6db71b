/*
 * arena.h - memory that is released all at once.
 *
 * A decoded document or a plan is many small pieces with one lifetime; they
 * live in one arena, nothing inside is freed alone, and running out ends the
 * process. A zeroed struct is an empty arena.
 */
#ifndef HULL_BASE_ARENA_H
#define HULL_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/util.h"

struct arena {
	struct arena_block *last;
};

void *arena_alloc(struct arena *a, size_t size);           /* zeroed, never NULL */
void *arena_array(struct arena *a, size_t n, size_t size); /* n elements, zeroed, never NULL */
char *arena_strdup(struct arena *a, const char *s);        /* NULL for NULL */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
void arena_done(struct arena *a);

#define auto_arena __attribute__((cleanup(arena_done)))

#endif
