/*
 * host_port.h - whether the host has a port to publish: no other container has it,
 * and no program listens there.
 */
#ifndef HULL_NETWORK_HOST_PORT_H
#define HULL_NETWORK_HOST_PORT_H

#include "base/err.h"
#include "network/port.h"
#include "network/record.h"

/*
 * Whether the container `r` can have the host ports of `p` (p->host is set). It says which
 * families its ports lead to; `others` are the records of all containers, its own too.
 * -EADDRINUSE: no; -EADDRNOTAVAIL: the host has no such address.
 */
int host_port_check(const struct record *r, const struct port *p, const struct record_list *others,
		    struct err *e) MUST_CHECK;

/* Sets p->host to free ones, also of those that r->ports has already. -EADDRINUSE: none was found. */
int host_port_choose(const struct record *r, const struct record_list *others, struct port *p,
		     struct err *e) MUST_CHECK;

#endif
