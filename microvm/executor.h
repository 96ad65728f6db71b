/*
 * executor.h - the row of runtime/executor.h for containers in microVMs.
 *
 *	runtime.executors = (const struct executor *const[]){ &executor_vm, NULL };
 *
 * Programs beside hull do the work: hull-vmm, which the container's process
 * becomes (vmm.h), and hull-agent, the guest's init (agent.h).
 */
#ifndef HULL_MICROVM_EXECUTOR_H
#define HULL_MICROVM_EXECUTOR_H

#include "runtime/executor.h"

extern const struct executor executor_vm;

/* The verb exec (exec.c). */
int vm_exec(struct handle *h, const struct exec_request *req, int *ret_status, struct err *e)
	MUST_CHECK;

/*
 * What is asked of one that runs: the table of its processes; what statistics say of them; how
 * many there may be, 0: any. (question.c)
 */
int vm_processes(const struct handle *h, struct buf *ret, struct err *e) MUST_CHECK;
void vm_stats(const struct handle *h, struct cgroup_stats *stats);
int vm_limit(const struct handle *h, int64_t processes, struct err *e) MUST_CHECK;

/* Pages of 4 KiB that the guest is asked to hold (balloon.h); the same, until it holds them. */
int vm_balloon(const struct handle *h, uint32_t pages, uint32_t *ret_held, struct err *e) MUST_CHECK;
int vm_balloon_fill(const struct handle *h, uint32_t pages, struct err *e) MUST_CHECK;

/* Writes into a memfd what the guest is given (document.h). */
struct document;
int vm_document_make(const struct document *d, struct err *e) MUST_CHECK;

#endif
