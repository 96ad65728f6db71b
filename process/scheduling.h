/*
 * scheduling.h - when and where the program runs: scheduler, I/O priority, CPUs, memory nodes.
 *
 * All are attributes of the calling thread that execve(2) keeps. What is not
 * asked for is NULL, and nothing is done for it.
 */
#ifndef HULL_PROCESS_SCHEDULING_H
#define HULL_PROCESS_SCHEDULING_H

#include "base/arena.h"
#include "base/err.h"
#include "process/number_set.h"
#include "spec/spec.h"

int scheduler_apply(const struct spec_scheduler *scheduler, struct err *e) MUST_CHECK;
int io_priority_apply(const struct spec_io_priority *priority, struct err *e) MUST_CHECK;

/* On which CPUs to run; out of them, those of the cpuset are taken. */
int affinity_apply(const struct number_set *cpus, struct err *e) MUST_CHECK;
/*
 * Makes nothing of an affinity that was inherited: a container that asks for
 * none is to run on all CPUs of its cpuset. What can't be had stays as it is.
 */
void affinity_reset(void);

struct memory_plan {
	int mode; /* MPOL_*, with its MPOL_F_* */
	struct number_set nodes;
};
/* Pure. */
int memory_plan(const struct spec_memory_policy *policy, struct arena *a, struct memory_plan *ret,
		struct err *e) MUST_CHECK;
int memory_apply(const struct memory_plan *plan, struct err *e) MUST_CHECK;

/* PER_LINUX or PER_LINUX32. */
int personality_apply(int domain, struct err *e) MUST_CHECK;

#endif
