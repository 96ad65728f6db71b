#include "network/address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "network/nlattr.h"

/* What an address is told again, of its flags; the others are the kernel's. */
static const uint32_t kept_flags = IFA_F_NODAD | IFA_F_NOPREFIXROUTE | IFA_F_MANAGETEMPADDR |
				   IFA_F_HOMEADDRESS | IFA_F_MCAUTOJOIN;

struct address_walk {
	struct link_address *at;
	int n;
	unsigned index;
};

static void read_attribute(const struct nlattr *attr, void *ctx)
{
	struct link_address *a = ctx;
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
	struct address_walk *walk = ctx;
	const struct ifaddrmsg *info = nlmsg_content(message);
	struct link_address a = { 0 };

	if (nlmsg_content_size(message) < sizeof(*info) || info->ifa_index != walk->index ||
	    info->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	a.family = info->ifa_family;
	a.prefix = info->ifa_prefixlen;
	a.flags = info->ifa_flags;
	nlattr_each(message, sizeof(*info), read_attribute, &a);
	if (!(a.flags & IFA_F_PERMANENT))
		return 0;
	if (walk->n == LINK_ADDRESSES_MAX)
		return -E2BIG;
	walk->at[walk->n++] = a;
	return 0;
}

int addresses_read(struct netlink *nl, unsigned index, const char *name, struct link_address *ret,
		   struct err *e)
{
	struct address_walk walk = { ret, 0, index };
	struct netlink_request m;

	netlink_request(&m, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	TRY(netlink_ask(nl, &m, read_address, &walk, e, "list the addresses of %s", name));
	return walk.n;
}

int address_repeat(struct netlink *nl, unsigned index, const char *name,
		   const struct link_address *a, struct err *e)
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
