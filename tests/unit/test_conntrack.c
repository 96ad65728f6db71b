#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "network/conntrack.h"
#include "network/nlattr.h"

struct message {
	_Alignas(struct nlmsghdr) char bytes[512];
};

static struct net_addr address(const char *text)
{
	struct net_addr a;

	cr_assert_eq(addr_parse(text, &a, NULL), 0);
	return a;
}

static void put_tuple(struct nlmsghdr *head, uint16_t type, const char *src, const char *dst,
		      uint8_t protocol, uint16_t port)
{
	struct net_addr from = address(src), to = address(dst);
	bool six = to.family == AF_INET6;
	uint16_t number = htons(port);
	struct nlattr *nest = nlattr_nest(head, 512, type), *inner;

	inner = nlattr_nest(head, 512, CTA_TUPLE_IP);
	cr_assert(nlattr_put(head, 512, six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, from.bytes,
			     six ? 16 : 4));
	cr_assert(
		nlattr_put(head, 512, six ? CTA_IP_V6_DST : CTA_IP_V4_DST, to.bytes, six ? 16 : 4));
	nlattr_nest_end(head, inner);
	inner = nlattr_nest(head, 512, CTA_TUPLE_PROTO);
	cr_assert(nlattr_put(head, 512, CTA_PROTO_NUM, &protocol, 1));
	cr_assert(nlattr_put(head, 512, CTA_PROTO_DST_PORT, &number, sizeof(number)));
	nlattr_nest_end(head, inner);
	nlattr_nest_end(head, nest);
}

/* One from `client` to dst:port, that was led to `server`. */
static struct nlmsghdr *flow(struct message *m, const char *client, const char *dst,
			     uint8_t protocol, uint16_t port, const char *server)
{
	struct nlmsghdr *head = nlmsg_begin(m->bytes);
	uint32_t id = htonl(77);

	head->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
	nlmsg_extend(head, sizeof(struct nfgenmsg));
	put_tuple(head, CTA_TUPLE_ORIG, client, dst, protocol, port);
	put_tuple(head, CTA_TUPLE_REPLY, server, client, protocol, 5000);
	cr_assert(nlattr_put(head, 512, CTA_ID, &id, sizeof(id)));
	return head;
}

Test(conntrack, what_a_message_says)
{
	struct message m;
	struct nlmsghdr *head = flow(&m, "192.0.2.2", "192.0.2.1", 17, 8081, "10.88.0.5");
	struct net_addr to = address("192.0.2.1"), server = address("10.88.0.5");
	struct conntrack_flow f;

	cr_assert(conntrack_read(head, &f));
	cr_expect_eq(f.protocol, 17);
	cr_expect_eq(f.port, 8081);
	cr_expect(addr_equal(&f.to, &to));
	cr_expect(addr_equal(&f.answered_by, &server));
	cr_expect_eq(nlattr_type(f.tuple), CTA_TUPLE_ORIG);
	cr_expect_eq(nlattr_type(f.id), CTA_ID);
	cr_expect_null(f.zone);

	head = flow(&m, "2001:db8::2", "2001:db8::1", 17, 53, "fd00::5");
	server = address("fd00::5");
	cr_assert(conntrack_read(head, &f));
	cr_expect(addr_equal(&f.answered_by, &server));
}

Test(conntrack, what_is_none)
{
	struct message m;
	struct nlmsghdr *head = flow(&m, "192.0.2.2", "192.0.2.1", 17, 8081, "10.88.0.5");
	uint32_t whole = head->nlmsg_len;
	struct conntrack_flow f;

	for (uint32_t n = NLMSG_HDRLEN; n < whole; n += 4) {
		head->nlmsg_len = n;
		if (conntrack_read(head, &f)) /* it lacks its id, and no more */
			cr_expect(f.tuple && f.to.family && f.answered_by.family && !f.id);
	}
	head->nlmsg_len = whole;
	head->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
	cr_expect_not(conntrack_read(head, &f));
}

Test(conntrack, which_are_of_published_ports)
{
	struct port ports[] = {
		{ .host = 8081, .container = 81, .count = 2, .protocol = PORT_UDP },
		{ .host = 90, .container = 90, .count = 1, .protocol = PORT_TCP },
		{ .ip = address("192.0.2.1"),
		  .host = 70,
		  .container = 7,
		  .count = 1,
		  .protocol = PORT_UDP },
	};
	const struct record r = { .ports = { ports, 3 } };
	const struct {
		uint8_t protocol;
		uint16_t port;
		const char *to;
		bool is;
	} rows[] = {
		{ 17, 8081, "198.51.100.7", true },  { 17, 8082, "198.51.100.7", true },
		{ 17, 8080, "198.51.100.7", false }, { 17, 8083, "198.51.100.7", false },
		{ 6, 8081, "198.51.100.7", false },  { 17, 90, "198.51.100.7", false },
		{ 6, 90, "198.51.100.7", false }, /* it ends with who has it */
		{ 17, 70, "192.0.2.1", true },       { 17, 70, "192.0.2.3", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message m;
		struct conntrack_flow f;

		cr_assert(conntrack_read(flow(&m, "192.0.2.2", rows[i].to, rows[i].protocol,
					      rows[i].port, "10.88.0.5"),
					 &f));
		cr_expect_eq(conntrack_is_of(&f, &r), rows[i].is, "row %zu", i);
	}
}
