#include "network/netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "network/link.h"
#include "network/nlattr.h"

enum { NAMES_MAX = 4096 }; /* numbers that are tried for a "%d" */

/* What an address is told again, of its flags; the others are the kernel's. */
static const uint32_t kept_flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE | IFA_F_MANAGETEMPADDR |
				   IFA_F_HOMEADDRESS | IFA_F_MCAUTOJOIN;

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

struct address_walk {
	struct netdev *device;
	unsigned index;
};

static void read_attribute(const struct nlattr *attr, void *ctx)
{
	struct netdev_address *a = ctx;
	const size_t size = nlattr_content_size(attr);
	const void *bytes = nlattr_content(attr);
	const struct {
		uint16_t type;
		uint8_t *bytes, *len;
	} places[] = {
		{ IFA_LOCAL, a->local, &a->local_len },
		{ IFA_ADDRESS, a->peer, &a->peer_len },
		{ IFA_BROADCAST, a->broadcast, &a->broadcast_len },
	};
	const uint16_t type = nlattr_type(attr);

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (places[i].type != type || size > sizeof(a->local))
			continue;
		memcpy(places[i].bytes, bytes, size);
		*places[i].len = (uint8_t)size;
	}
	if (type == IFA_FLAGS && size == sizeof(a->flags))
		memcpy(&a->flags, bytes, size);
	if (type == IFA_RT_PRIORITY && size == sizeof(a->metric))
		memcpy(&a->metric, bytes, size);
}

static int read_address(const struct nlmsghdr *message, void *ctx)
{
	const struct address_walk *walk = ctx;
	const struct ifaddrmsg *info = nlmsg_content(message);
	struct netdev_address a = { 0 };

	if (nlmsg_content_size(message) < sizeof(*info) || info->ifa_index != walk->index ||
	    info->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	a.family = info->ifa_family;
	a.prefix = info->ifa_prefixlen;
	a.flags = info->ifa_flags;
	nlattr_each(message, sizeof(*info), read_attribute, &a);
	if (!(a.flags & IFA_F_PERMANENT))
		return 0;
	if (walk->device->n == NETDEV_ADDRESSES_MAX)
		return -E2BIG;
	walk->device->addresses[walk->device->n++] = a;
	return 0;
}

static int read_addresses(struct netlink *nl, unsigned index, struct netdev *device, struct err *e)
{
	struct address_walk walk = { device, index };
	struct netlink_request m;

	device->addresses = mem_grow(NULL, NETDEV_ADDRESSES_MAX, sizeof(*device->addresses));
	netlink_request(&m, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	return netlink_ask(nl, &m, read_address, &walk, e, "list the addresses of %s",
			   device->host_name);
}

static int add_address(struct netlink *nl, unsigned index, const char *name,
		       const struct netdev_address *a, struct err *e)
{
	struct netlink_request m;
	struct ifaddrmsg *info =
		netlink_request(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*info));

	info->ifa_family = a->family;
	info->ifa_prefixlen = a->prefix;
	info->ifa_scope = RT_SCOPE_UNIVERSE;
	info->ifa_index = index;
	if (a->local_len)
		netlink_put(&m, IFA_LOCAL, a->local, a->local_len);
	if (a->peer_len)
		netlink_put(&m, IFA_ADDRESS, a->peer, a->peer_len);
	if (a->broadcast_len)
		netlink_put(&m, IFA_BROADCAST, a->broadcast, a->broadcast_len);
	netlink_put_u32(&m, IFA_FLAGS, a->flags & kept_flags);
	if (a->metric)
		netlink_put_u32(&m, IFA_RT_PRIORITY, a->metric);
	return netlink_do(nl, &m, e, "give %s its address again", name);
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
		TRY(add_address(nl, link.index, name, &device->addresses[i], e));
	return 0;
}

static int move(struct netdev *d, const char *pattern, int netns_fd, struct netlink *inner,
		struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct link_info link = { 0 };
	int r;

	TRY(netlink_open(-1, &nl, e));
	r = link_get(&nl, d->host_name, &link, e);
	if (r == -ENODEV)
		return err_set(e, ENODEV, "linux.netDevices.%s: there is no such network device",
			       d->host_name);
	TRY(r);
	d->was_up = link.up;
	TRY(choose_name(d->host_name, pattern, inner, d->name, e));
	TRY(read_addresses(&nl, link.index, d, e));
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
