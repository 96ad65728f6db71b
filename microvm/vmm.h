/*
 * vmm.h - the process that a container in a microVM is: the machine, its devices, and between
 * the guest's agent and everybody else.
 *
 * It was the container's init until runtime/init.c's row "become", so it keeps
 * to handshake.h and gate.h, and ends as the guest's process ended. One thread
 * does all but run vCPUs, serve files and disks, and connect sockets.
 *
 *	BOOTING --HELLO--> MAKING --CREATED--> CREATED --start--> STARTING --STARTED--> RUNNING
 *	                                                                        | EXITED
 *	                                                                      ENDING, until all is written
 */
#ifndef HULL_MICROVM_VMM_H
#define HULL_MICROVM_VMM_H

#include "base/err.h"
#include "microvm/balloon.h"
#include "microvm/blk.h"
#include "microvm/console.h"
#include "microvm/fsdev.h"
#include "microvm/guest_network.h"
#include "microvm/machine.h"
#include "microvm/mux.h"
#include "microvm/net.h"
#include "microvm/rng.h"
#include "microvm/vmm_options.h"
#include "microvm/vsock.h"

enum vmm_state { VMM_BOOTING, VMM_MAKING, VMM_CREATED, VMM_STARTING, VMM_RUNNING, VMM_ENDING };

enum vmm_network { VMM_NO_NETWORK, VMM_NETWORK_ASKED, VMM_NETWORK_THERE };

/* A command at the control socket. */
struct vmm_peer {
	int fd;           /* -1: free */
	uint16_t session; /* of its EXEC; 0: none yet */
	bool network;     /* it waits for word of the network */
};

enum { VMM_PEERS = 64, VMM_FAILED = 125 };

struct vmm {
	struct vmm_options options;
	enum vmm_state state;
	struct machine machine;
	struct console console;
	struct rng rng;
	struct balloon balloon;
	struct fsdev fs;
	struct blk disk;                  /* if there is one */
	struct vsock vsock;               /* the same */
	struct net nets[GUEST_LINKS_MAX]; /* absent from the bus until they have taps */
	enum vmm_network network;
	struct mux mux;
	struct frame_reader reader;
	int sock;    /* the handshake, -1: over */
	int gate;    /* where start comes, -1: over, or GO comes by the handshake */
	int conn;    /* the connection of start, -1 */
	int signals; /* a signalfd */
	int status;  /* of wait(2), when ENDING */
	uint16_t next_session;
	struct vmm_peer peers[VMM_PEERS];
};

/* Takes over what hull handed on and runs until the container has ended; never returns. */
_Noreturn void vmm_main(const struct vmm_options *options);

/* The rows of both sides of the guest's channel; -EPROTO ends the machine. */
int vmm_frame(struct vmm *v, const struct frame *f, struct err *e) MUST_CHECK;

void vmm_send_size(struct vmm *v, uint16_t session, uint16_t rows, uint16_t columns);

/* Tells who waits for them of the processes that have ended and whose output is written. */
void vmm_finish(struct vmm *v);

/* A connection at the control socket; a message of a peer. */
void vmm_accept(struct vmm *v);
void vmm_hear(struct vmm *v, struct vmm_peer *peer);

/* Ends the process as that status says. */
_Noreturn void vmm_end(int status);

#endif
