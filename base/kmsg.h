/*
 * kmsg.h - the kernel's log, record by record (Documentation/ABI/testing/dev-kmsg).
 */
#ifndef HULL_BASE_KMSG_H
#define HULL_BASE_KMSG_H

#include <stdbool.h>

/*
 * Calls `take` with all records that are there, the oldest first, as text: "6,812,937209236,-;text", which is
 * priority, number, microseconds of CLOCK_MONOTONIC. That the log cannot be read is noted for debugging, with
 * `unknown` as what is not known therefore, and is as if it were empty.
 */
void kmsg_each(const char *unknown, void (*take)(const char *record, void *ctx), void *ctx);

/* Is it the kernel's own? Programs may write to the log, but not as the kernel. */
bool kmsg_is_kernels(const char *record);

#endif
