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

static const struct nlattr_row rows[] = {
	NLATTR_ROW(IFA_LOCAL, struct link_address, local),
	NLATTR_ROW(IFA_ADDRESS, struct link_address, peer),
	NLATTR_ROW(IFA_BROADCAST, struct link_address, broadcast),
};

struct reading {
	struct link_address address;
	bool strange;
};

static void read_attribute(const struct nlattr *attr, void *ctx)
{
	struct reading *r = ctx;
	struct link_address *a = &r->address;
	const size_t size = nlattr_content_size(attr);

	if (nlattr_keep(attr, rows, ARRAY_LEN(rows), a) < 0)
		r->strange = true;
	if (nlattr_type(attr) == IFA_FLAGS && size == sizeof(a->flags))
		a->flags = nlattr_u32(attr);
	if (nlattr_type(attr) == IFA_RT_PRIORITY && size == sizeof(a->metric))
		a->metric = nlattr_u32(attr);
}

static int read_address(const struct nlmsghdr *message, void *ctx)
{
	struct address_walk *walk = ctx;
	const struct ifaddrmsg *info = nlmsg_content(message);
	struct reading r = { 0 };

	if (message->nlmsg_type != RTM_NEWADDR || nlmsg_content_size(message) < sizeof(*info) ||
	    info->ifa_index != walk->index || info->ifa_scope != RT_SCOPE_UNIVERSE)
		return 0;
	r.address.family = info->ifa_family;
	r.address.prefix = info->ifa_prefixlen;
	r.address.flags = info->ifa_flags;
	nlattr_each(message, sizeof(*info), read_attribute, &r);
	if (!(r.address.flags & IFA_F_PERMANENT))
		return 0;
	if (r.strange)
		return -EBADMSG;
	if (walk->n == LINK_ADDRESSES_MAX)
		return -E2BIG;
	walk->at[walk->n++] = r.address;
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

bool address_is_sound(const struct link_address *a)
{
	return nlattr_rows_fit(rows, ARRAY_LEN(rows), a);
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
	netlink_put_rows(&m, rows, ARRAY_LEN(rows), a);
	netlink_put_u32(&m, IFA_FLAGS, a->flags & kept_flags);
	if (a->metric)
		netlink_put_u32(&m, IFA_RT_PRIORITY, a->metric);
	return netlink_do(nl, &m, e, "give %s its address again", name);
}
