#include "network/conntrack.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/log.h"
#include "network/netlink.h"

enum { ATTR_MAX = 512 }; /* bytes of one that is sent back; a tuple has some 60 */

/*
 * Reading
 */

struct tuple {
	struct net_addr src, dst;
	uint8_t protocol;
	uint16_t port;
};

static void read_address(const struct nlattr *attr, int family, struct net_addr *ret)
{
	size_t size = addr_bits(family) / 8;

	if (nlattr_content_size(attr) != size)
		return;
	ret->family = family;
	memcpy(ret->bytes, nlattr_content(attr), size);
}

static void read_ip(const struct nlattr *attr, void *ctx)
{
	struct tuple *t = ctx;

	switch (nlattr_type(attr)) {
	case CTA_IP_V4_SRC:
		read_address(attr, AF_INET, &t->src);
		break;
	case CTA_IP_V4_DST:
		read_address(attr, AF_INET, &t->dst);
		break;
	case CTA_IP_V6_SRC:
		read_address(attr, AF_INET6, &t->src);
		break;
	case CTA_IP_V6_DST:
		read_address(attr, AF_INET6, &t->dst);
		break;
	}
}

static void read_protocol(const struct nlattr *attr, void *ctx)
{
	struct tuple *t = ctx;
	uint16_t port;

	if (nlattr_type(attr) == CTA_PROTO_NUM && nlattr_content_size(attr) == 1) {
		memcpy(&t->protocol, nlattr_content(attr), 1);
	} else if (nlattr_type(attr) == CTA_PROTO_DST_PORT &&
		   nlattr_content_size(attr) == sizeof(port)) {
		memcpy(&port, nlattr_content(attr), sizeof(port));
		t->port = ntohs(port);
	}
}

static void read_tuple(const struct nlattr *attr, void *ctx)
{
	if (nlattr_type(attr) == CTA_TUPLE_IP)
		nlattr_each_nested(attr, read_ip, ctx);
	else if (nlattr_type(attr) == CTA_TUPLE_PROTO)
		nlattr_each_nested(attr, read_protocol, ctx);
}

static void read_flow(const struct nlattr *attr, void *ctx)
{
	struct conntrack_flow *flow = ctx;
	struct tuple t = { 0 };

	if (nlattr_content_size(attr) > ATTR_MAX)
		return;
	switch (nlattr_type(attr)) {
	case CTA_TUPLE_ORIG:
		nlattr_each_nested(attr, read_tuple, &t);
		flow->protocol = t.protocol;
		flow->to = t.dst;
		flow->port = t.port;
		flow->tuple = attr;
		break;
	case CTA_TUPLE_REPLY:
		nlattr_each_nested(attr, read_tuple, &t);
		flow->answered_by = t.src;
		break;
	case CTA_ZONE:
		flow->zone = attr;
		break;
	case CTA_ID:
		flow->id = attr;
		break;
	}
}

bool conntrack_read(const struct nlmsghdr *message, struct conntrack_flow *ret)
{
	struct conntrack_flow flow = { 0 };

	if (message->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
	    nlmsg_content_size(message) < sizeof(struct nfgenmsg))
		return false;
	nlattr_each(message, sizeof(struct nfgenmsg), read_flow, &flow);
	if (!flow.tuple || !flow.to.family || !flow.answered_by.family)
		return false;
	*ret = flow;
	return true;
}

bool conntrack_is_of(const struct conntrack_flow *flow, const struct record *r)
{
	if (flow->protocol != IPPROTO_UDP)
		return false;
	for (size_t i = 0; i < r->ports.n; i++) {
		const struct port *p = &r->ports.at[i];

		if (p->protocol == PORT_UDP && flow->port >= p->host &&
		    flow->port - p->host < p->count &&
		    (!p->ip.family || addr_equal(&p->ip, &flow->to)))
			return true;
	}
	return false;
}

/*
 * Forgetting
 */

/* What nobody led elsewhere may be on its way to another host, through this one. */
static bool is_ours(const struct net_addr *a)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = { 0 };
	auto_fd int fd = socket(a->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	name.any.sa_family = (sa_family_t)a->family;
	if (a->family == AF_INET)
		memcpy(&name.v4.sin_addr, a->bytes, 4);
	else
		memcpy(&name.v6.sin6_addr, a->bytes, 16);
	return fd >= 0 &&
	       bind(fd, &name.any, a->family == AF_INET ? sizeof(name.v4) : sizeof(name.v6)) == 0;
}

struct forgetting {
	const struct record *record;
	struct netlink *nl; /* another socket than the list's */
	struct err *e;
};

static void request(struct netlink_request *m, uint16_t type, uint16_t flags, int family)
{
	struct nfgenmsg *head = netlink_request(m, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type),
						flags, sizeof(*head));

	head->nfgen_family = (uint8_t)family;
	head->version = NFNETLINK_V0;
}

static void send_back(struct netlink_request *m, const struct nlattr *attr)
{
	if (attr)
		netlink_put(m, attr->nla_type, nlattr_content(attr), nlattr_content_size(attr));
}

static int forget(const struct nlmsghdr *message, void *ctx)
{
	const struct forgetting *f = ctx;
	struct conntrack_flow flow;
	struct netlink_request m;
	int r;

	if (!conntrack_read(message, &flow) || !conntrack_is_of(&flow, f->record) ||
	    (addr_equal(&flow.to, &flow.answered_by) && !is_ours(&flow.to)))
		return 0;
	request(&m, IPCTNL_MSG_CT_DELETE, 0, flow.to.family);
	send_back(&m, flow.tuple);
	send_back(&m, flow.zone);
	send_back(&m, flow.id);
	r = netlink_do(f->nl, &m, f->e, "forget the connection to %s port %u",
		       addr_text(&flow.to).text, flow.port);
	return r == -ENOENT ? 0 : r; /* it has ended meanwhile */
}

static bool publishes_udp(const struct record *r)
{
	for (size_t i = 0; i < r->ports.n; i++)
		if (r->ports.at[i].protocol == PORT_UDP)
			return true;
	return false;
}

static int forget_all(const struct record *r, struct err *e)
{
	static const int families[] = { AF_INET, AF_INET6 };
	auto_netlink struct netlink list = NETLINK_CLOSED, nl = NETLINK_CLOSED;
	struct err why = { 0 };
	struct forgetting f = { r, &nl, &why };

	TRY(netlink_open_of(NETLINK_NETFILTER, -1, &list, e));
	TRY(netlink_open_of(NETLINK_NETFILTER, -1, &nl, e));
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct netlink_request m;

		request(&m, IPCTNL_MSG_CT_GET, NLM_F_DUMP, families[i]);
		if (netlink_ask(&list, &m, forget, &f, e, "list connections") < 0)
			return why.code ? err_set(e, why.code, "%s", why.msg) : -e->code;
	}
	return 0;
}

void conntrack_forget(const struct record *r)
{
	struct err e = { 0 };

	if (publishes_udp(r) && forget_all(r, &e) < 0)
		log_warn("container %s: who sends to its published UDP ports all the time is led "
			 "as before: %s",
			 r->id, e.msg);
}
