/*
 * tap.h - an Ethernet interface whose other side is a descriptor: one frame for each read(2)
 * or write(2), behind a struct virtio_net_hdr_v1.
 */
#ifndef HULL_NETWORK_TAP_H
#define HULL_NETWORK_TAP_H

#include <net/if.h>

#include "base/err.h"

enum { TAP_HEADER = 12 };

/*
 * Makes one in our network namespace, which is gone with the descriptor; its
 * name is of the kernel's choosing. Needs CAP_NET_ADMIN. It does not block.
 */
int tap_open(char ret_name[IF_NAMESIZE], struct err *e) MUST_CHECK;

#endif
