/*
 * vmnet.h - the container's network namespace, given over to its microVM. hull's side.
 *
 * Each interface of it that is up, but for the loopback, gets a tap, whose
 * other side is the VMM's; all packets of one go to the other
 * (network/redirect.h), and what the interface is called, its MAC, MTU,
 * addresses and routes are told to the guest. The interface itself stays as
 * engines made it, and as they find it when they take it away.
 *
 * That is done when the container is started: whatever an engine does to the
 * namespace - before create, in a hook, between create and start - is done by
 * then. Taps go with the VMM. The redirection goes with the namespace, or, in
 * one that outlives the container, at delete.
 */
#ifndef HULL_MICROVM_VMNET_H
#define HULL_MICROVM_VMNET_H

#include <sys/types.h>

#include "base/err.h"
#include "microvm/guest_network.h"
#include "spec/spec.h"

/* What is made, and what the guest is told of it. */
struct vmnet_hold {
	struct guest_network network;
	int taps[GUEST_LINKS_MAX];
	unsigned index[GUEST_LINKS_MAX]; /* of the namespace's links */
};

/* In our network namespace. Without an interface it is n_links 0. A failure takes back what it did. */
int vmnet_hold(struct vmnet_hold *ret, struct err *e) MUST_CHECK;
/* Takes everything back. */
void vmnet_release(struct vmnet_hold *h);

/*
 * Gives the namespace of the process `pid`, a VMM whose control socket is in
 * the directory `dir`, to its guest. Nothing is done if it is our own.
 */
int vmnet_connect(int dir, pid_t pid, struct err *e) MUST_CHECK;

/* After the VMM: what it left in a namespace that has a path. There is none any more: success. */
int vmnet_disconnect(const struct spec *s, struct err *e) MUST_CHECK;

#endif
