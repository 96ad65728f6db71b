#include "network/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "network/nlattr.h"
#include "network/subnet.h"

static const struct nlattr_row rows[] = {
	NLATTR_ROW(RTA_DST, struct link_route, destination),
	NLATTR_ROW(RTA_GATEWAY, struct link_route, gateway),
	NLATTR_ROW(RTA_PREFSRC, struct link_route, source),
	NLATTR_ROW(RTA_METRICS | NLA_F_NESTED, struct link_route, metrics),
};

struct route_walk {
	struct link_route *at;
	int n;
	struct link_route strange; /* the first that can't be held; family 0: none */
};

struct reading {
	struct link_route route;
	bool strange;
};

static void read_attribute(const struct nlattr *attr, void *ctx)
{
	struct reading *r = ctx;
	struct link_route *route = &r->route;
	const size_t size = nlattr_content_size(attr);
	const uint16_t type = nlattr_type(attr);

	if (nlattr_keep(attr, rows, ARRAY_LEN(rows), route) < 0)
		r->strange = true;
	if (type == RTA_OIF && size == sizeof(uint32_t))
		route->index = nlattr_u32(attr);
	if (type == RTA_PRIORITY && size == sizeof(uint32_t))
		route->priority = nlattr_u32(attr);
	if (type == RTA_MULTIPATH || type == RTA_VIA || type == RTA_ENCAP || type == RTA_SRC)
		r->strange = true;
}

/* Of these kinds, made by somebody. */
static bool counts(const struct rtmsg *info)
{
	bool kind = info->rtm_type == RTN_UNICAST || info->rtm_type == RTN_BLACKHOLE ||
		    info->rtm_type == RTN_UNREACHABLE || info->rtm_type == RTN_PROHIBIT;

	return kind && info->rtm_table == RT_TABLE_MAIN && info->rtm_protocol != RTPROT_KERNEL &&
	       info->rtm_protocol != RTPROT_RA && !(info->rtm_flags & RTM_F_CLONED);
}

static int read_route(const struct nlmsghdr *head, void *ctx)
{
	struct route_walk *walk = ctx;
	const struct rtmsg *info = nlmsg_content(head);
	struct reading r = { 0 };

	if (head->nlmsg_type != RTM_NEWROUTE || nlmsg_content_size(head) < sizeof(*info) ||
	    !counts(info))
		return 0;
	r.route.family = info->rtm_family;
	r.route.prefix = info->rtm_dst_len;
	r.route.scope = info->rtm_scope;
	r.route.type = info->rtm_type;
	r.route.protocol = info->rtm_protocol;
	r.route.onlink = (info->rtm_flags & RTNH_F_ONLINK) != 0;
	nlattr_each(head, sizeof(*info), read_attribute, &r);
	if (info->rtm_type != RTN_UNICAST)
		r.route.index = 0; /* IPv6 says lo */
	if (r.strange) {
		walk->strange = r.route;
		return -ENOTSUP;
	}
	if (walk->n == LINK_ROUTES_MAX)
		return -E2BIG;
	walk->at[walk->n++] = r.route;
	return 0;
}

static struct net_text route_text(const struct link_route *r)
{
	struct subnet dst = { .base.family = r->family, .prefix = r->prefix };
	struct net_text text = { "everything else" };

	memcpy(dst.base.bytes, r->destination, sizeof(dst.base.bytes));
	return r->prefix ? subnet_text(&dst) : text;
}

int routes_read(struct netlink *nl, struct link_route *ret, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct route_walk walk = { .at = ret };

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct netlink_request m;
		struct rtmsg *info = netlink_request(&m, RTM_GETROUTE, NLM_F_DUMP, sizeof(*info));
		int r;

		info->rtm_family = families[i];
		r = netlink_ask(nl, &m, read_route, &walk, e, "list the routes");
		if (r == -ENOTSUP && walk.strange.family)
			return err_set(e, ENOTSUP,
				       "the route to %s has several ways, or a way that can't be "
				       "made again",
				       route_text(&walk.strange).text);
		TRY(r);
	}
	return walk.n;
}

bool route_is_sound(const struct link_route *r)
{
	return nlattr_rows_fit(rows, ARRAY_LEN(rows), r);
}

int route_repeat(struct netlink *nl, const struct link_route *r, struct err *e)
{
	struct netlink_request m;
	struct rtmsg *info =
		netlink_request(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*info));

	info->rtm_family = r->family;
	info->rtm_dst_len = r->prefix;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_protocol = r->protocol;
	info->rtm_scope = r->scope;
	info->rtm_type = r->type;
	info->rtm_flags = r->onlink ? RTNH_F_ONLINK : 0;
	netlink_put_rows(&m, rows, ARRAY_LEN(rows), r);
	if (r->index)
		netlink_put_u32(&m, RTA_OIF, r->index);
	if (r->priority)
		netlink_put_u32(&m, RTA_PRIORITY, r->priority);
	return netlink_do(nl, &m, e, "route %s again", route_text(r).text);
}
