#include "network/netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "network/link.h"

enum { NAMES_MAX = 4096 }; /* numbers that are tried for a "%d" */

int netdev_name(const char *pattern, unsigned number, char ret[IF_NAMESIZE])
{
	const char *percent = strchr(pattern, '%');
	int len;

	if (!percent)
		len = snprintf(ret, IF_NAMESIZE, "%s", pattern);
	else if (percent[1] != 'd' || strchr(percent + 1, '%'))
		return -EINVAL;
	else
		len = snprintf(ret, IF_NAMESIZE, "%.*s%u%s", (int)(percent - pattern), pattern,
			       number, percent + 2);
	return len > 0 && len < IF_NAMESIZE ? 0 : -EINVAL;
}

/* The name that it gets: one that nobody has there. */
static int choose_name(const char *host_name, const char *pattern, struct netlink *inner,
		       char ret[IF_NAMESIZE], struct err *e)
{
	struct link_info there = { 0 };

	for (unsigned i = 0; i < NAMES_MAX; i++) {
		int r;

		if (netdev_name(pattern, i, ret) < 0)
			return err_set(e, EINVAL,
				       "linux.netDevices.%s: \"%s\" is no name, and none with one "
				       "\"%%d\"",
				       host_name, pattern);
		r = link_get(inner, ret, &there, e);
		if (r == -ENODEV)
			return 0;
		TRY(r);
		if (!strchr(pattern, '%'))
			break;
	}
	return err_set(e, EEXIST,
		       "linux.netDevices.%s: the container has a network device \"%s\" already",
		       host_name, ret);
}

/* After a move, in the new namespace. */
static int settle(struct netlink *nl, const char *name, bool up, const struct netdev *device,
		  struct err *e)
{
	struct link_info link = { 0 };
	int r = link_get(nl, name, &link, e);

	if (r < 0)
		return r == -ENODEV ? err_set(e, ENODEV, "%s is gone", name) : r;
	if (up)
		TRY(link_set_up(nl, name, true, e));
	for (size_t i = 0; i < device->n; i++)
		TRY(address_repeat(nl, link.index, name, &device->addresses[i], e));
	return 0;
}

static int move(struct netdev *d, const char *pattern, int netns_fd, struct netlink *inner,
		struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct link_info link = { 0 };
	int r, n;

	TRY(netlink_open(-1, &nl, e));
	r = link_get(&nl, d->host_name, &link, e);
	if (r == -ENODEV)
		return err_set(e, ENODEV, "linux.netDevices.%s: there is no such network device",
			       d->host_name);
	TRY(r);
	d->was_up = link.up;
	TRY(choose_name(d->host_name, pattern, inner, d->name, e));
	d->addresses = mem_grow(NULL, LINK_ADDRESSES_MAX, sizeof(*d->addresses));
	n = addresses_read(&nl, link.index, d->host_name, d->addresses, e);
	TRY(n);
	d->n = (size_t)n;
	if (link_move(&nl, d->host_name, netns_fd, d->name, e) < 0)
		return err_wrap(e, "linux.netDevices.%s", d->host_name);
	return 0;
}

int netdev_move(const char *host_name, const char *name, int netns_fd, struct netdev *ret,
		struct err *e)
{
	auto_netlink struct netlink inner = NETLINK_CLOSED;
	struct netdev d = { 0 };
	struct err again;
	int r;

	snprintf(d.host_name, sizeof(d.host_name), "%s", host_name);
	TRY(netlink_open(netns_fd, &inner, e));
	r = move(&d, name, netns_fd, &inner, e);
	if (r < 0) {
		netdev_done(&d);
		return r;
	}
	if (settle(&inner, d.name, true, &d, e) < 0) {
		r = err_wrap(e, "linux.netDevices.%s", host_name);
		if (netdev_return(&d, netns_fd, &again) < 0)
			r = err_wrap(e, "%s, after", again.msg);
		netdev_done(&d);
		return r;
	}
	*ret = d;
	return 0;
}

int netdev_return(const struct netdev *device, int netns_fd, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED, inner = NETLINK_CLOSED;
	auto_fd int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0)
		return err_sys(e, "open our network namespace");
	TRY(netlink_open(netns_fd, &inner, e));
	TRY(netlink_open(-1, &nl, e));
	TRY(link_move(&inner, device->name, home, device->host_name, e));
	return settle(&nl, device->host_name, device->was_up, device, e);
}

void netdev_done(struct netdev *device)
{
	free(device->addresses);
	*device = (struct netdev){ 0 };
}
