/*
 * init.h - what a new process does between the clone and its program.
 *
 * One table for a container's first process and for those that exec adds: a
 * row says for which of them it is, and how much privilege is left when it
 * runs. tests/unit/test_init.c holds the order to its rules.
 */
#ifndef HULL_RUNTIME_INIT_H
#define HULL_RUNTIME_INIT_H

#include "mounts/tree.h"
#include "namespaces/namespaces.h"
#include "runtime/plan.h"
#include "runtime/state.h"

enum init_for {
	FOR_CREATE = 1 << 0, /* first process of a new container */
	FOR_EXEC = 1 << 1,   /* further process in a running one */
	FOR_GUEST = 1 << 2,  /* what runs the machine that a new container is */
};

/* How far down a row is; never goes back up. */
enum init_stage {
	ON_HOST,       /* all of the runtime's privilege, the host's root */
	IN_NAMESPACES, /* the container's namespaces, still the host's root */
	IN_ROOTFS,     /* the container's root */
	AS_USER,       /* the program's user and capabilities */
	FILTERED,      /* seccomp */
};

enum { INIT_HANDS_MAX = 12 };
struct executor;

struct init {
	struct arena arena; /* what the rows allocate */
	const struct plan *plan;
	enum init_for why;
	int sock;             /* the handshake with hull */
	int gate;             /* where `start` comes, -1: GO comes by `sock` */
	int conn;             /* the connection of `start`, -1 */
	int bundle;           /* the bundle's directory, -1 for exec */
	int proc;             /* the host's /proc, until the pivot */
	bool joined;          /* a stage before us joined the namespaces already */
	struct ns_fds *joins; /* what is to be joined, else */
	struct mount_trees trees;
	const struct state *state; /* for hooks */
	struct strings env;        /* the program's, ends with a NULL */
	bool cwd_entered;
	const char *executable; /* found for process.args[0] */
	const struct executor *executor;
	const void *executor_data;
	/* Descriptors that the executor's `become` hands on; they are above those of the container. */
	int hands[INIT_HANDS_MAX];
	size_t n_hands;
};

/* Closes them in this process. */
void init_close_hands(struct init *in);

struct init_step {
	const char *name;
	unsigned why; /* set of enum init_for */
	enum init_stage stage;
	int (*run)(struct init *in, struct err *e);
};

extern const struct init_step init_steps[]; /* ends with a NULL name */

/* Runs the rows for in->why; the last one does not return if it succeeds. */
int init_run(struct init *in, struct err *e);

/* The same in a process of its own: a failure goes to the parent, and the process ends. */
_Noreturn void init_main(struct init *in);

/* Closes what is the host's; the row "leave-host", and sooner where others may see us. */
int init_leave_host(struct init *in, struct err *e) MUST_CHECK;

#endif
