/*
 * number_set.h - sets of CPUs or memory nodes, from lists like "0-3,7".
 *
 * As large as the list needs it to be: machines with more than the 1024 CPUs
 * of the C library's cpu_set_t exist.
 */
#ifndef HULL_PROCESS_NUMBER_SET_H
#define HULL_PROCESS_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { NUMBER_SET_MAX = 65536 }; /* numbers are below this; Linux's NR_CPUS ends at 8192 */

/* Bit n of the words is the number n, as sched_setaffinity(2) and set_mempolicy(2) have it. */
struct number_set {
	unsigned long *words;
	size_t n;
};

/* Pure. Blanks around numbers and empty elements are nothing; the set must not be empty. */
int number_set_parse(const char *list, struct arena *a, struct number_set *ret, struct err *e)
	MUST_CHECK;
bool number_set_has(const struct number_set *set, unsigned number);

#endif
