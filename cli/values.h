/*
 * values.h - values of options with a notation of their own, in runc's words.
 * All return 0, -EINVAL for what is none, or -ERANGE.
 */
#ifndef HULL_CLI_VALUES_H
#define HULL_CLI_VALUES_H

#include <stdint.h>

#include "base/util.h"

/* A whole number, decimal. */
int integer_parse(const char *text, int64_t *ret) MUST_CHECK;

/* "-1", a number of bytes, or one with a binary unit: "512k", "1.5G", "64MiB". */
int bytes_parse(const char *text, int64_t *ret) MUST_CHECK;

/* A time span as Go writes it, "5s", "1m30s", "250ms", in microseconds; never negative. */
int duration_parse(const char *text, int64_t *ret) MUST_CHECK;

#endif
