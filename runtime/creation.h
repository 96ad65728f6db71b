/*
 * creation.h - the parent's side of making a container: steps, and how to
 * take each of them back.
 *
 * The table in creation.c is the twin of init_steps[]. A step that fails is
 * followed by the undo of all that came before it, in reverse, so that a
 * failed create leaves nothing. If hull is killed in between, state.json says
 * where the cgroup is, and `delete --force` does the same.
 */
#ifndef HULL_RUNTIME_CREATION_H
#define HULL_RUNTIME_CREATION_H

#include "base/buf.h"
#include "cgroups/cgroup.h"
#include "network/netdev.h"
#include "runtime/container.h"
#include "runtime/host.h"
#include "runtime/init.h"
#include "runtime/plan.h"

struct creation {
	const struct runtime *rt;
	const struct create_request *req;
	const struct restore_request *restore; /* NULL: it is made, not restored */
	bool starts;                           /* `run`: no start.sock, GO comes by the handshake */
	bool relays;                           /* ... in the foreground: we keep the terminal */

	struct buf config; /* the text of config.json */
	char *bundle, *rootfs;
	struct spec spec;
	struct host host;
	struct plan plan;
	const struct executor *executor;
	struct state state;
	struct init init;
	struct ns_fds joins;
	struct cgroup cgroup;
	struct netdev *devices; /* of the host's, that are in the container's namespace */
	size_t n_devices;
	int netns;              /* which that is; -1 without devices */
	int resctrl;            /* -1: the configuration asks for none of it */
	struct rdt_group class; /* in resctrl, until the container is made */
	struct buf schemata;    /* those that the class had, if it was there */
	int root, dir;          /* the state root and the container's directory in it */
	int sock;               /* our end of the handshake */
	pid_t helper;           /* that restores; 0: none */
	int pidfd;
	int master; /* the terminal, if nobody else got it */
	unsigned listen_fds;
	char *notify_dir; /* what its NOTIFY_SOCKET is in; NULL without one */
	bool hooks_begun;
};

void creation_init(struct creation *c, const struct runtime *rt, const struct create_request *req);
#define auto_creation __attribute__((cleanup(creation_done)))

/*
 * What only the command line can be wrong about. To be called before anything
 * is opened: what is ours must not pass for what the caller hands on.
 */
int creation_check(struct creation *c, struct err *e) MUST_CHECK;

/* Only the steps up to the plan, which change nothing. */
int creation_decide(struct creation *c, struct err *e) MUST_CHECK;

/* Runs the steps; after a failure everything is as before. */
int creation_run(struct creation *c, struct err *e) MUST_CHECK;

/* Takes back a container that creation_run() made. */
void creation_undo(struct creation *c);

/* Lets other commands at the container; there is no creation_undo() after it. */
void creation_unlock(struct creation *c);

/* Releases what this process holds of it; the container stays. */
void creation_done(struct creation *c);

/* A step that fails has taken back its own part; `undo` is for the failure of a later one. */
struct creation_step {
	const char *name;
	int (*run)(struct creation *c, struct err *e); /* NULL: it is only for its undo */
	void (*undo)(struct creation *c);              /* NULL: nothing to take back */
};
extern const struct creation_step creation_steps[]; /* ends with a NULL name */
extern const struct creation_step restore_steps[];  /* in its place, for a restore */

#endif
