/*
 * rootless.h - a network without root: a program beside the container carries
 * its packets over the host's sockets. pasta(1), or slirp4netns(1).
 *
 * It is a child of nobody's: started into the background, its pid in the
 * record, ended by it. It ends by itself with the namespace.
 */
#ifndef HULL_NETWORK_ROOTLESS_H
#define HULL_NETWORK_ROOTLESS_H

#include "base/arena.h"
#include "base/err.h"
#include "network/attach.h"
#include "network/record.h"
#include "network/resolv.h"

const char *rootless_program(enum net_mode mode);

/* Whether what is published through that program is reached over IPv6. */
bool rootless_has_ipv6(const char *program);

/* The arguments of pasta, NULL-terminated; pure. */
const char *const *rootless_pasta_args(const struct net_request *req, const struct port_list *ports,
				       const char *pid_file, struct arena *a);

/* Starts it and waits until the container has its network; its pid goes into the record. */
int rootless_start(int state_dir_fd, const struct net_request *req, struct record *record,
		   struct err *e) MUST_CHECK;
int rootless_stop(int state_dir_fd, const struct record *record, struct err *e) MUST_CHECK;

/* Where the host's resolver and the host itself are found from within. */
void rootless_names(enum net_mode mode, struct resolv *host, struct arena *a,
		    struct net_addr *gateway);

#endif
