/*
 * netsockets.h - the sockets of `--publish-socket`: opened on the host, and handed to the
 * container's program, however it is restarted, as sd_listen_fds(3) says.
 */
#ifndef HULL_ENGINE_NETSOCKETS_H
#define HULL_ENGINE_NETSOCKETS_H

#include "base/buf.h"
#include "base/err.h"
#include "engine/engine.h"
#include "engine/record.h"

struct netsockets {
	int fds[CREATE_SOCKETS_MAX];
	unsigned n;
	struct buf names; /* for LISTEN_FDNAMES */
};

/* Whether what was asked for is well-formed. */
int netsockets_check(const struct record *r, struct err *e) MUST_CHECK;
/* On failure none is open. There are open ones already: nothing is done. */
int netsockets_open(const struct engine *g, const struct record *r, struct netsockets *s,
		    struct err *e) MUST_CHECK;
void netsockets_close(struct netsockets *s);

#endif
