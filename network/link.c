#include "network/link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "network/nlattr.h"

struct link_walk {
	int (*fn)(const struct link_info *link, void *ctx);
	void *ctx;
};

struct route_walk {
	int (*fn)(const struct subnet *dst, void *ctx);
	void *ctx;
};

static void copy_text(char *to, size_t size, const struct nlattr *attr)
{
	snprintf(to, size, "%.*s", (int)nlattr_content_size(attr),
		 (const char *)nlattr_content(attr));
}

static void read_kind(const struct nlattr *attr, void *ctx)
{
	struct link_info *link = ctx;

	if (nlattr_type(attr) == IFLA_INFO_KIND)
		copy_text(link->kind, sizeof(link->kind), attr);
}

static void read_link_attr(const struct nlattr *attr, void *ctx)
{
	struct link_info *link = ctx;
	size_t size = nlattr_content_size(attr);

	switch (nlattr_type(attr)) {
	case IFLA_IFNAME:
		copy_text(link->name, sizeof(link->name), attr);
		break;
	case IFLA_IFALIAS:
		copy_text(link->alias, sizeof(link->alias), attr);
		break;
	case IFLA_MASTER:
		if (size == sizeof(uint32_t))
			link->master = nlattr_u32(attr);
		break;
	case IFLA_MTU:
		if (size == sizeof(uint32_t))
			link->mtu = nlattr_u32(attr);
		break;
	case IFLA_ADDRESS:
		if (size == sizeof(link->mac.bytes))
			memcpy(link->mac.bytes, nlattr_content(attr), size);
		break;
	case IFLA_LINKINFO:
		nlattr_each_nested(attr, read_kind, link);
		break;
	default:
		break;
	}
}

static int read_link(const struct nlmsghdr *head, void *ctx)
{
	const struct link_walk *walk = ctx;
	const struct ifinfomsg *info = nlmsg_content(head);
	struct link_info link = { 0 };

	if (head->nlmsg_type != RTM_NEWLINK || nlmsg_content_size(head) < sizeof(*info))
		return 0;
	link.index = (unsigned)info->ifi_index;
	link.type = info->ifi_type;
	link.up = info->ifi_flags & IFF_UP;
	nlattr_each(head, sizeof(*info), read_link_attr, &link);
	return walk->fn(&link, walk->ctx);
}

static int keep_link(const struct link_info *link, void *ctx)
{
	*(struct link_info *)ctx = *link;
	return 0;
}

int link_get(struct netlink *nl, const char *name, struct link_info *ret, struct err *e)
{
	struct link_walk walk = { keep_link, ret };
	struct netlink_request m;
	struct err why = { 0 };
	int r;

	netlink_request(&m, RTM_GETLINK, NLM_F_ACK, sizeof(struct ifinfomsg));
	netlink_put_text(&m, IFLA_IFNAME, name);
	r = netlink_ask(nl, &m, read_link, &walk, &why, "look for link %s", name);
	if (r < 0 && r != -ENODEV && e)
		*e = why;
	return r;
}

int link_each(struct netlink *nl, int (*fn)(const struct link_info *link, void *ctx), void *ctx,
	      struct err *e)
{
	struct link_walk walk = { fn, ctx };
	struct netlink_request m;

	netlink_request(&m, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	return netlink_ask(nl, &m, read_link, &walk, e, "list the links");
}

static void put_wish(struct netlink_request *m, struct ifinfomsg *info,
		     const struct link_wish *wish)
{
	if (wish->up)
		info->ifi_flags = info->ifi_change = IFF_UP;
	netlink_put_text(m, IFLA_IFNAME, wish->name);
	if (wish->mtu)
		netlink_put_u32(m, IFLA_MTU, wish->mtu);
	if (mac_is_set(&wish->mac))
		netlink_put(m, IFLA_ADDRESS, wish->mac.bytes, sizeof(wish->mac.bytes));
	if (wish->master)
		netlink_put_u32(m, IFLA_MASTER, wish->master);
	if (wish->netns_fd > 0)
		netlink_put_u32(m, IFLA_NET_NS_FD, (uint32_t)wish->netns_fd);
}

/* Begins a request for a new link, up to its IFLA_LINKINFO. */
static struct nlattr *begin_link(struct netlink_request *m, const struct link_wish *wish,
				 unsigned parent, const char *kind)
{
	struct ifinfomsg *info =
		netlink_request(m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*info));
	struct nlattr *nest;

	put_wish(m, info, wish);
	if (parent)
		netlink_put_u32(m, IFLA_LINK, parent);
	nest = netlink_nest(m, IFLA_LINKINFO);
	netlink_put_text(m, IFLA_INFO_KIND, kind);
	return nest;
}

static int make(struct netlink *nl, struct netlink_request *m, const char *kind, const char *name,
		struct err *e)
{
	int r = netlink_do(nl, m, e, "make %s %s", kind, name);

	if (r == -EOPNOTSUPP)
		return err_set(e, EOPNOTSUPP, "make %s %s: this kernel has no links of kind %s",
			       kind, name, kind);
	return r;
}

int link_make_bridge(struct netlink *nl, const struct link_wish *wish, struct err *e)
{
	struct netlink_request m;

	netlink_nest_end(&m, begin_link(&m, wish, 0, "bridge"));
	return make(nl, &m, "bridge", wish->name, e);
}

int link_make_dummy(struct netlink *nl, const struct link_wish *wish, struct err *e)
{
	struct netlink_request m;

	netlink_nest_end(&m, begin_link(&m, wish, 0, "dummy"));
	return make(nl, &m, "dummy", wish->name, e);
}

int link_make_veth(struct netlink *nl, const struct link_wish *wish, const struct link_wish *peer,
		   struct err *e)
{
	struct netlink_request m;
	struct nlattr *info = begin_link(&m, wish, 0, "veth");
	struct nlattr *data = netlink_nest(&m, IFLA_INFO_DATA);
	struct nlattr *other = netlink_nest(&m, VETH_INFO_PEER);
	struct ifinfomsg *peer_info = netlink_extra(&m, sizeof(*peer_info));

	put_wish(&m, peer_info, peer);
	peer_info->ifi_flags = peer_info->ifi_change = 0;
	netlink_nest_end(&m, other);
	netlink_nest_end(&m, data);
	netlink_nest_end(&m, info);
	return make(nl, &m, "veth", wish->name, e);
}

int link_make_child(struct netlink *nl, enum link_child kind, unsigned parent,
		    const struct link_wish *wish, struct err *e)
{
	const char *name = kind == LINK_MACVLAN ? "macvlan" : "ipvlan";
	struct netlink_request m;
	struct nlattr *info = begin_link(&m, wish, parent, name);
	struct nlattr *data = netlink_nest(&m, IFLA_INFO_DATA);

	if (kind == LINK_MACVLAN)
		netlink_put_u32(&m, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	else
		netlink_put_u16(&m, IFLA_IPVLAN_MODE, IPVLAN_MODE_L2);
	netlink_nest_end(&m, data);
	netlink_nest_end(&m, info);
	return make(nl, &m, name, wish->name, e);
}

int link_set_up(struct netlink *nl, const char *name, bool up, struct err *e)
{
	struct netlink_request m;
	struct ifinfomsg *info = netlink_request(&m, RTM_NEWLINK, 0, sizeof(*info));

	info->ifi_change = IFF_UP;
	info->ifi_flags = up ? IFF_UP : 0;
	netlink_put_text(&m, IFLA_IFNAME, name);
	return netlink_do(nl, &m, e, "set %s %s", name, up ? "up" : "down");
}

int link_set_mtu(struct netlink *nl, const char *name, unsigned mtu, struct err *e)
{
	struct netlink_request m;

	netlink_request(&m, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	netlink_put_text(&m, IFLA_IFNAME, name);
	netlink_put_u32(&m, IFLA_MTU, mtu);
	return netlink_do(nl, &m, e, "set the MTU of %s to %u", name, mtu);
}

int link_rename(struct netlink *nl, unsigned index, const char *name, struct err *e)
{
	struct netlink_request m;
	struct ifinfomsg *info = netlink_request(&m, RTM_NEWLINK, 0, sizeof(*info));

	info->ifi_index = (int)index;
	netlink_put_text(&m, IFLA_IFNAME, name);
	return netlink_do(nl, &m, e, "call link %u %s", index, name);
}

int link_set_no_addresses(struct netlink *nl, const char *name, struct err *e)
{
	struct netlink_request m;
	struct nlattr *families, *inet6;
	struct err why = { 0 };
	int r;

	netlink_request(&m, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	netlink_put_text(&m, IFLA_IFNAME, name);
	families = netlink_nest(&m, IFLA_AF_SPEC);
	inet6 = netlink_nest(&m, AF_INET6);
	netlink_put_u8(&m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	netlink_nest_end(&m, inet6);
	netlink_nest_end(&m, families);
	r = netlink_do(nl, &m, &why, "keep IPv6 addresses off %s", name);
	if (r == -EAFNOSUPPORT) /* a kernel without IPv6 */
		return 0;
	if (r < 0)
		*e = why;
	return r;
}

int link_set_alias(struct netlink *nl, const char *name, const char *alias, struct err *e)
{
	struct netlink_request m;

	netlink_request(&m, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	netlink_put_text(&m, IFLA_IFNAME, name);
	netlink_put(&m, IFLA_IFALIAS, alias, strlen(alias));
	return netlink_do(nl, &m, e, "set the alias of %s", name);
}

/* The kernel wants the index here. */
static int index_of(struct netlink *nl, const char *name, unsigned *ret, struct err *e)
{
	struct link_info link = { 0 };
	int r = link_get(nl, name, &link, e);

	if (r == -ENODEV)
		return err_set(e, ENODEV, "there is no link %s", name);
	*ret = link.index;
	return r;
}

int link_set_hairpin(struct netlink *nl, const char *name, struct err *e)
{
	struct netlink_request m;
	struct ifinfomsg *info = netlink_request(&m, RTM_SETLINK, 0, sizeof(*info));
	struct nlattr *port;
	unsigned index = 0;

	TRY(index_of(nl, name, &index, e));
	info->ifi_family = AF_BRIDGE;
	info->ifi_index = (int)index;
	port = netlink_nest(&m, IFLA_PROTINFO | NLA_F_NESTED);
	netlink_put_u8(&m, IFLA_BRPORT_MODE, 1);
	netlink_nest_end(&m, port);
	return netlink_do(nl, &m, e, "set %s to hairpin mode", name);
}

int link_move(struct netlink *nl, const char *name, int netns_fd, const char *new_name,
	      struct err *e)
{
	struct link_info link = { 0 };
	struct netlink_request m;
	struct ifinfomsg *info;
	int r = link_get(nl, name, &link, e);

	if (r < 0)
		return r == -ENODEV ? err_set(e, ENODEV, "move %s: there is no such link", name)
				    : r;
	info = netlink_request(&m, RTM_NEWLINK, 0, sizeof(*info));
	info->ifi_index = (int)link.index;
	netlink_put_text(&m, IFLA_IFNAME, new_name);
	netlink_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	return netlink_do(nl, &m, e, "move %s to another network namespace as %s", name, new_name);
}

int link_delete(struct netlink *nl, const char *name, struct err *e)
{
	struct netlink_request m;
	struct err why = { 0 };
	int r;

	netlink_request(&m, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	netlink_put_text(&m, IFLA_IFNAME, name);
	r = netlink_do(nl, &m, &why, "delete link %s", name);
	if (r == -ENODEV)
		return 0;
	if (r < 0 && e)
		*e = why;
	return r;
}

static size_t addr_len(const struct net_addr *a)
{
	return addr_bits(a->family) / 8;
}

int link_add_address(struct netlink *nl, const char *name, const struct subnet *address,
		     struct err *e)
{
	struct netlink_request m;
	struct ifaddrmsg *info =
		netlink_request(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*info));
	unsigned index = 0;

	TRY(index_of(nl, name, &index, e));
	info->ifa_family = (uint8_t)address->base.family;
	info->ifa_prefixlen = (uint8_t)address->prefix;
	info->ifa_index = index;
	netlink_put(&m, IFA_LOCAL, address->base.bytes, addr_len(&address->base));
	netlink_put(&m, IFA_ADDRESS, address->base.bytes, addr_len(&address->base));
	if (address->base.family == AF_INET6)
		info->ifa_flags = IFA_F_NODAD; /* leases are what keeps them apart */
	return netlink_do(nl, &m, e, "give %s the address %s", name, subnet_text(address).text);
}

int route_add(struct netlink *nl, const char *name, const struct subnet *dst,
	      const struct net_addr *gateway, struct err *e)
{
	struct netlink_request m;
	struct rtmsg *info =
		netlink_request(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*info));
	unsigned index = 0;

	TRY(index_of(nl, name, &index, e));
	info->rtm_family = (uint8_t)(dst->base.family ? dst->base.family : gateway->family);
	info->rtm_dst_len = (uint8_t)dst->prefix;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = RTPROT_STATIC;
	info->rtm_type = RTN_UNICAST;
	info->rtm_scope = gateway->family ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	if (dst->base.family)
		netlink_put(&m, RTA_DST, dst->base.bytes, addr_len(&dst->base));
	if (gateway->family)
		netlink_put(&m, RTA_GATEWAY, gateway->bytes, addr_len(gateway));
	netlink_put_u32(&m, RTA_OIF, index);
	return netlink_do(nl, &m, e, "route %s over %s",
			  dst->base.family ? subnet_text(dst).text : "everything else", name);
}

static void read_route_attr(const struct nlattr *attr, void *ctx)
{
	struct subnet *dst = ctx;
	size_t size = nlattr_content_size(attr);

	if (nlattr_type(attr) == RTA_DST && size == addr_bits(dst->base.family) / 8)
		memcpy(dst->base.bytes, nlattr_content(attr), size);
}

static int read_route(const struct nlmsghdr *head, void *ctx)
{
	const struct route_walk *walk = ctx;
	const struct rtmsg *info = nlmsg_content(head);
	struct subnet dst = { 0 };

	if (head->nlmsg_type != RTM_NEWROUTE || nlmsg_content_size(head) < sizeof(*info) ||
	    info->rtm_table != RT_TABLE_MAIN || info->rtm_dst_len == 0 ||
	    (info->rtm_family != AF_INET && info->rtm_family != AF_INET6))
		return 0;
	dst.base.family = info->rtm_family;
	dst.prefix = info->rtm_dst_len;
	if (dst.prefix > addr_bits(dst.base.family))
		return 0;
	nlattr_each(head, sizeof(*info), read_route_attr, &dst);
	return walk->fn(&dst, walk->ctx);
}

int route_each(struct netlink *nl, int (*fn)(const struct subnet *dst, void *ctx), void *ctx,
	       struct err *e)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct route_walk walk = { fn, ctx };

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct netlink_request m;
		struct rtmsg *info = netlink_request(&m, RTM_GETROUTE, NLM_F_DUMP, sizeof(*info));

		info->rtm_family = (uint8_t)families[i];
		TRY(netlink_ask(nl, &m, read_route, &walk, e, "list the routes"));
	}
	return 0;
}
