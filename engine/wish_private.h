/*
 * wish_private.h - what the notations of options have in common.
 */
#ifndef HULL_ENGINE_WISH_PRIVATE_H
#define HULL_ENGINE_WISH_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/util.h"

/* Splits at `by`; at most `max` parts, the last one with the rest. */
size_t wish_split(const char *text, char by, struct arena *a, const char **parts, size_t max);
/* Of a key whose value may be left out. */
bool wish_is_true(const char *value);
/* "64m", "64MB", "1g": bytes, with k, m, g or t. -EINVAL, also for 0. */
int wish_bytes(const char *text, uint64_t *ret) MUST_CHECK;
/* "0022"; -EINVAL. */
int wish_octal(const char *text, uint32_t max, uint32_t *ret) MUST_CHECK;

#endif
