/*
 * netdev.h - network devices of the host that a container gets (linux.netDevices).
 *
 * A device is moved into the container's network namespace, where it gets its
 * name, its permanent addresses of global scope again (the kernel drops them
 * on the way), and is set up. What else it is, the kernel keeps. When the
 * namespace goes, the kernel gives hardware back and lets virtual devices go.
 */
#ifndef HULL_NETWORK_NETDEV_H
#define HULL_NETWORK_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "network/address.h"

/* One that was moved, and what it takes to move it back. */
struct netdev {
	char host_name[IF_NAMESIZE], name[IF_NAMESIZE];
	bool was_up;
	struct link_address *addresses;
	size_t n;
};

/*
 * Moves `host_name` from our namespace to `netns_fd`, where it is called
 * `name`; with "%d" in it, the first such name that is free. One that is taken
 * is an error. After a failure it is back. Free *ret with netdev_done().
 */
int netdev_move(const char *host_name, const char *name, int netns_fd, struct netdev *ret,
		struct err *e) MUST_CHECK;

/* Moves it back to our namespace, as it was; routes over it are gone. */
int netdev_return(const struct netdev *device, int netns_fd, struct err *e) MUST_CHECK;
void netdev_done(struct netdev *device);

/* Pure: "eth%d" and 3: "eth3". -EINVAL for a pattern the kernel would not take, or too long a name. */
int netdev_name(const char *pattern, unsigned number, char ret[IF_NAMESIZE]) MUST_CHECK;

#endif
