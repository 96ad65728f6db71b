#include "microvm/guest_network.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/io.h"
#include "network/link.h"

enum { LOOK_MS = 2 };

int guest_network_read(const void *bytes, size_t size, struct guest_network *ret)
{
	size_t addresses = 0;

	if (size != sizeof(*ret))
		return -EPROTO;
	memcpy(ret, bytes, size);
	if (ret->n_links > GUEST_LINKS_MAX || ret->n_addresses > LINK_ADDRESSES_MAX ||
	    ret->n_routes > LINK_ROUTES_MAX)
		return -EPROTO;
	for (size_t i = 0; i < ret->n_links; i++) {
		if (!memchr(ret->links[i].name, '\0', IF_NAMESIZE))
			return -EPROTO;
		addresses += ret->links[i].n_addresses;
	}
	for (size_t i = 0; i < ret->n_addresses; i++)
		if (!address_is_sound(&ret->addresses[i]))
			return -EPROTO;
	for (size_t i = 0; i < ret->n_routes; i++)
		if (ret->routes[i].index > ret->n_links || !route_is_sound(&ret->routes[i]))
			return -EPROTO;
	return addresses == ret->n_addresses ? 0 : -EPROTO;
}

/* Which of the namespace's links are which of the network's; 0: not there yet. */
struct match {
	const struct guest_network *network;
	unsigned index[GUEST_LINKS_MAX];
	size_t found;
};

static int look_at(const struct link_info *link, void *ctx)
{
	struct match *m = ctx;

	for (size_t i = 0; i < m->network->n_links; i++) {
		const struct net_mac *mac = &m->network->links[i].mac;

		if (m->index[i] || memcmp(&link->mac, mac, sizeof(*mac)) != 0)
			continue;
		m->index[i] = link->index;
		m->found++;
		break;
	}
	return 0;
}

/* Drivers make the interfaces some time after they have found the hardware. */
static int wait_for_links(struct netlink *nl, struct match *m, struct err *e)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	int64_t end = io_now_us() / 1000 + GUEST_LINK_WAIT_MS;

	for (;;) {
		memset(m->index, 0, sizeof(m->index));
		m->found = 0;
		TRY(link_each(nl, look_at, m, e));
		if (m->found == m->network->n_links)
			return 0;
		if (io_now_us() / 1000 > end)
			return err_set(e, ENODEV, "of %u interfaces %zu have appeared in the guest",
				       m->network->n_links, m->found);
		nanosleep(&look, NULL);
	}
}

/* By way of other names: eth0 may be to be eth1, and eth1 eth0. */
static int name_links(struct netlink *nl, const struct match *m, struct err *e)
{
	for (size_t i = 0; i < m->network->n_links; i++) {
		char name[IF_NAMESIZE];

		snprintf(name, sizeof(name), "hull-new%zu", i);
		TRY(link_rename(nl, m->index[i], name, e));
	}
	for (size_t i = 0; i < m->network->n_links; i++)
		TRY(link_rename(nl, m->index[i], m->network->links[i].name, e));
	return 0;
}

static int set_up_links(struct netlink *nl, const struct match *m, struct err *e)
{
	const struct guest_network *n = m->network;
	const struct link_address *a = n->addresses;

	for (size_t i = 0; i < n->n_links; i++) {
		const struct guest_link *link = &n->links[i];

		TRY(link_set_mtu(nl, link->name, link->mtu, e));
		TRY(link_set_up(nl, link->name, true, e));
		for (size_t k = 0; k < link->n_addresses; k++, a++)
			TRY(address_repeat(nl, m->index[i], link->name, a, e));
	}
	return 0;
}

/* Those without a gateway first: by them gateways are reached. */
static int make_routes(struct netlink *nl, const struct match *m, bool gateways, struct err *e)
{
	for (size_t i = 0; i < m->network->n_routes; i++) {
		struct link_route r = m->network->routes[i];

		if ((r.gateway_len > 0) != gateways)
			continue;
		if (r.index)
			r.index = m->index[r.index - 1];
		TRY(route_repeat(nl, &r, e));
	}
	return 0;
}

int guest_network_apply(struct netlink *nl, const struct guest_network *n, struct err *e)
{
	struct match m = { .network = n };

	TRY(wait_for_links(nl, &m, e));
	TRY(name_links(nl, &m, e));
	TRY(set_up_links(nl, &m, e));
	TRY(make_routes(nl, &m, false, e));
	return make_routes(nl, &m, true, e);
}
