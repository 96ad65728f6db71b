/*
 * executor.h - what a container is made of: processes of the host, or a machine of its own.
 *
 * A container's life (container.h) is the same for every executor; a row here
 * is what differs. runtime/ knows one itself, processes; the others are
 * handed in by cli/ (struct runtime), so that nothing here names them. Which
 * one a container has is written in its state, and no executor ever stands in
 * for another.
 *
 * All executors make the container's first process by creation_steps[] and
 * init_steps[]; `makes` says which of init's rows are for it, and `become` is
 * the last of these, which turns the process into what the container's engine
 * waits for. That process keeps to handshake.h and gate.h from CREATED on,
 * whatever it is: `start`, `state` and `delete` know no difference.
 */
#ifndef HULL_RUNTIME_EXECUTOR_H
#define HULL_RUNTIME_EXECUTOR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cgroups/stats.h"
#include "runtime/container.h"
#include "runtime/handle.h"
#include "spec/spec.h"

struct creation;
struct init;

struct executor {
	const char *name;
	unsigned makes; /* enum init_for: whose rows make the first process */

	/* Refuses by name what it cannot do; before anything is made. NULL: it can do all. */
	int (*check)(const struct spec *s, const struct create_request *req, struct err *e);
	/* Changes c->spec into what the host does of it, before the plan. NULL: all of it. */
	int (*adapt)(struct creation *c, struct err *e);
	/* In the parent, after the id is reserved: c->init.hands and what is behind them. May be NULL. */
	int (*prepare)(struct creation *c, struct err *e);
	/* In the child, the row "hands": what must be opened while the host is still there. */
	int (*ready)(struct init *in, struct err *e);
	/* In the child: the row "become". Does not return if it succeeds. NULL: its row is another. */
	int (*become)(struct init *in, struct err *e);
	/*
	 * In whoever starts it, before it is let go: process `pid`, whose state is in
	 * `dir`, is in namespaces that are by now as engines want them. May be NULL.
	 */
	int (*connect)(int dir, pid_t pid, const struct spec *s, struct err *e);
	/*
	 * After its end, or that of an attempt to make it: takes away what is left where the host
	 * reaches it, in namespaces and directories that outlive it. May be NULL.
	 */
	int (*disconnect)(int dir, const struct spec *s, struct err *e);

	/* The verbs on one that exists; a NULL is refused in one sentence by executor_lacks(). */
	int (*exec)(struct handle *h, const struct exec_request *req, int *ret_status,
		    struct err *e);
	int (*kill)(const struct handle *h, int signal, bool all, struct err *e);
	int (*freeze)(struct handle *h, bool frozen, struct err *e);
	int (*update)(struct handle *h, struct spec_resources *resources, struct arena *a,
		      struct err *e);
	int (*pids)(const struct handle *h, struct arena *a, struct pid_list *ret, struct err *e);
	/* The table of container_processes(). NULL, and nothing is refused: pids() has them all. */
	int (*processes)(const struct handle *h, struct buf *ret, struct err *e);
	/* Changes what the cgroup says of it, where that is not the container's. May be NULL. */
	void (*stats)(const struct handle *h, struct cgroup_stats *stats);
};

/* Processes in namespaces, on the host's kernel. */
extern const struct executor executor_process;

/* What config.json asks for beside the command line: "process" or "vm". */
#define EXECUTOR_ANNOTATION "run.hull.isolation"

/* What one of them asks for by annotations; their names begin so. */
#define EXECUTOR_VM_ANNOTATIONS "run.hull.vm."
#define EXECUTOR_VSOCK_ANNOTATION EXECUTOR_VM_ANNOTATIONS "vsock" /* engine/ gives its programs leave */

/* By name (NULL: processes); -ENOTSUP if this hull has none of that name. */
int executor_find(const struct runtime *rt, const char *name, const struct executor **ret,
		  struct err *e) MUST_CHECK;

/* For a new container: by the command line or its annotation, which must not contradict. */
int executor_choose(const struct runtime *rt, const struct spec *s, const struct executor **ret,
		    struct err *e) MUST_CHECK;

/* For rows: a signal to the container's process; its whole cgroup stopped, or let go on. */
int executor_signal_init(const struct handle *h, int signal, struct err *e) MUST_CHECK;
int executor_freeze_cgroup(struct handle *h, bool frozen, struct err *e) MUST_CHECK;

/* The failure of a verb that the executor of `h` does not have. */
int executor_lacks(const struct handle *h, const char *verb, struct err *e) MUST_CHECK;

#endif
