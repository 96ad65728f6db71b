/*
 * agent.h - hull-agent, process 1 of the guest.
 *
 * It makes and watches the container's processes by the same code as hull does
 * on a host: runtime/plan.h decides, runtime/init.c's rows do. What it is
 * asked for and what it answers are the frames of frame.h, over /dev/vport0p0.
 * Its end is the guest's.
 */
#ifndef HULL_MICROVM_AGENT_H
#define HULL_MICROVM_AGENT_H

#include <sys/types.h>

#include "base/err.h"
#include "microvm/document.h"
#include "microvm/mux.h"
#include "runtime/host.h"
#include "runtime/init.h"

#define AGENT_ROOT "/root" /* where the container's root, as the host has it, is mounted */

/* A process of a session. */
struct guest_process {
	uint16_t session; /* 0: free */
	pid_t pid;
	int pidfd;
	int sock;   /* the handshake until GO, then -1 */
	int master; /* of its terminal, -1 */
	bool ended;
	int status; /* of wait(2) */
};

struct agent {
	struct host host;
	struct arena arena; /* of the container's configuration */
	struct spec spec;   /* adapted (guest_spec.h) */
	struct state state;
	const char *rootfs; /* the container's root: AGENT_ROOT, or DISK_ROOT */
	struct mux mux;
	struct frame_reader reader;
	int port, signals;
	pid_t init; /* the container's first process, 0: none */
	struct guest_process processes[MUX_SESSIONS];
};

/* Mounts what the agent needs, loads modules, and waits for the port. (agent_setup.c) */
int agent_set_up(int *ret_port, struct err *e) MUST_CHECK;

/* Loads the modules of a disk, and makes the container's root of it (disk.h). */
int agent_mount_disk(struct err *e) MUST_CHECK;

/* Finds the devices that have come onto the bus, and makes the network (guest_network.h) over them. */
int agent_make_network(const struct frame *f, struct err *e) MUST_CHECK;

/*
 * Makes a process up to its execve(2): the container's first from config.json,
 * or one more from a process document. (agent_process.c)
 */
int agent_make(struct agent *g, uint16_t session, const struct document *d, bool first,
	       struct err *e) MUST_CHECK;
/* Lets it go; its failure to execute is ours. */
int agent_go(struct agent *g, struct guest_process *p, struct err *e) MUST_CHECK;
/*
 * The cgroup that its processes are in, with the limit of `s` (NULL: as it is). Another limit for
 * it, 0: none. (agent_question.c)
 */
int agent_cgroup(const struct spec *s, struct err *e) MUST_CHECK;
int agent_limit(int64_t processes, struct err *e) MUST_CHECK;
/* A file with the lines of process_list.h. */
int agent_list(enum frame_list what, struct err *e) MUST_CHECK;
/* A signal to it, or to all that are in the container. */
void agent_signal(const struct agent *g, const struct guest_process *p, int sig, bool all);

struct guest_process *agent_find(struct agent *g, uint16_t session);

#endif
