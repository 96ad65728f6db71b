/*
 * listen.h - sockets of the host that a container's program is handed, sd_listen_fds(3):
 * what --publish-socket says, [NAME=][IP:]PORT[/tcp|udp].
 */
#ifndef HULL_NETWORK_LISTEN_H
#define HULL_NETWORK_LISTEN_H

#include "base/err.h"
#include "network/port.h"

enum { LISTEN_NAME_MAX = 64 };

struct listen_wish {
	char name[LISTEN_NAME_MAX + 1]; /* for LISTEN_FDNAMES; unless it is given, "tcp-80" */
	struct port port;               /* of the host; its container port is the same */
};

/* Pure. */
int listen_parse(const char *text, struct listen_wish *ret, struct err *e) MUST_CHECK;

/*
 * Opens and binds it in our network namespace, TCP also listens; without an address on all of
 * IPv6 and IPv4. Returns the descriptor. -EADDRINUSE: a program has the port, or the rules of a
 * container, which would have its packets.
 */
int listen_open(int state_dir_fd, const struct listen_wish *wish, struct err *e) MUST_CHECK;

#endif
