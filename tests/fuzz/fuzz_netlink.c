/*
 * fuzz_netlink.c - anything at all as the kernel's answers to what we ask of netlink.
 *
 *	fuzz_netlink tests/fuzz/corpus-netlink
 *
 * The first byte says what is asked; then each datagram has two bytes of length before it. The
 * answers are to the first request, whose sequence number is 1.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"
#include "network/address.h"
#include "network/conntrack.h"
#include "network/link.h"
#include "network/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static int look_at_link(const struct link_info *link, void *ctx)
{
	(void)ctx;
	require(memchr(link->name, '\0', sizeof(link->name)) &&
		memchr(link->kind, '\0', sizeof(link->kind)) &&
		memchr(link->alias, '\0', sizeof(link->alias)));
	return 0;
}

static int look_at_destination(const struct subnet *dst, void *ctx)
{
	(void)ctx;
	require(dst->prefix <= 128 &&
		(dst->base.family == AF_INET || dst->base.family == AF_INET6));
	return 0;
}

static int ask_links(struct netlink *nl, struct err *e)
{
	return link_each(nl, look_at_link, NULL, e);
}

static int ask_link(struct netlink *nl, struct err *e)
{
	struct link_info link;

	TRY(link_get(nl, "eth0", &link, e));
	return look_at_link(&link, NULL);
}

static int ask_destinations(struct netlink *nl, struct err *e)
{
	return route_each(nl, look_at_destination, NULL, e);
}

static int ask_addresses(struct netlink *nl, struct err *e)
{
	static struct link_address all[LINK_ADDRESSES_MAX];
	int n = addresses_read(nl, 1, "lo", all, e);

	require(n <= LINK_ADDRESSES_MAX);
	for (int i = 0; i < n; i++)
		require(all[i].local_len <= sizeof(all[i].local) &&
			all[i].peer_len <= sizeof(all[i].peer) &&
			all[i].broadcast_len <= sizeof(all[i].broadcast));
	return n;
}

static int ask_routes(struct netlink *nl, struct err *e)
{
	static struct link_route all[LINK_ROUTES_MAX];
	int n = routes_read(nl, all, e);

	require(n <= LINK_ROUTES_MAX);
	for (int i = 0; i < n; i++)
		require(all[i].destination_len <= sizeof(all[i].destination) &&
			all[i].gateway_len <= sizeof(all[i].gateway) &&
			all[i].source_len <= sizeof(all[i].source) &&
			all[i].metrics_len <= sizeof(all[i].metrics));
	return n;
}

static int ask_for_a_change(struct netlink *nl, struct err *e)
{
	return link_set_up(nl, "eth0", true, e);
}

static int look_at_connection(const struct nlmsghdr *message, void *ctx)
{
	struct conntrack_flow flow;

	(void)ctx;
	if (conntrack_read(message, &flow))
		require(flow.tuple && nlattr_content_size(flow.tuple) <= NETLINK_REQUEST_SIZE &&
			addr_bits(flow.to.family) && addr_bits(flow.answered_by.family));
	return 0;
}

static int ask_connections(struct netlink *nl, struct err *e)
{
	struct netlink_request m;

	netlink_request(&m, 1 << 8, NLM_F_DUMP, 4);
	return netlink_ask(nl, &m, look_at_connection, NULL, e, "list connections");
}

/* The kernel has said all of it before it is asked. */
static void answer(int kernel, const uint8_t *data, size_t size)
{
	while (size >= 2) {
		size_t len = data[0] | (size_t)data[1] << 8;

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		if (send(kernel, data, len, MSG_DONTWAIT) < 0)
			return;
		data += len;
		size -= len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int (*const asks[])(struct netlink * nl, struct err * e) = {
		ask_links, ask_link, ask_destinations, ask_addresses, ask_routes, ask_for_a_change,
		ask_connections,
	};
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	auto_fd int kernel = -1;
	struct err e = { 0 };
	int pair[2];

	if (size < 1)
		return 0;
	require(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) == 0);
	nl.fd = pair[0];
	kernel = pair[1];
	answer(kernel, data + 1, size - 1);
	if (asks[data[0] % ARRAY_LEN(asks)](&nl, &e) < 0)
		require(data[0] % ARRAY_LEN(asks) == 1 || (e.msg[0] && e.code > 0));
	return 0;
}
