/* attachment_make.c - one network of a container is made, from its lease to its place inside. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/log.h"
#include "network/attachment.h"
#include "network/bridge.h"
#include "network/conntrack.h"
#include "network/ipam.h"
#include "network/link.h"
#include "network/nft.h"
#include "network/resolver.h"

int attachment_lease(const struct attachment *at, size_t i, struct err *e)
{
	auto_leases struct leases leases = { 0 };
	const struct net_interface *it = &at->on[i].interface;
	const struct network *n = &at->on[i].network;
	struct net_addr got;

	if (n->driver == NETWORK_CNI)
		return 0;
	TRY(leases_read(at->dir, n->name, &leases, e));
	if (it->ip.base.family) {
		TRY(leases_take(&leases, n, AF_INET, &it->ip.base, at->record.id, &got, e));
		leases.last = got;
	}
	if (it->ip6.base.family) {
		TRY(leases_take(&leases, n, AF_INET6, &it->ip6.base, at->record.id, &got, e));
		leases.last6 = got;
	}
	return leases_write(at->dir, n->name, &leases, e);
}

int attachment_up(struct attachment *at, size_t i, struct netlink *nl, struct err *e)
{
	struct link_info link = { 0 };

	if (at->on[i].network.driver == NETWORK_CNI)
		return 0;
	TRY(network_up(at->dir, nl, &at->on[i].network, &link, e));
	at->on[i].master = link.index;
	return 0;
}

/* The names of the container on its i-th network, and the other networks with names. */
static struct resolver_entry plan_entry(struct attachment *at, size_t i, const char *hostname)
{
	const struct strings *aliases = &at->record.interfaces.at[i].aliases;
	size_t n = at->record.interfaces.n;
	struct resolver_entry entry = { .container = at->record.id,
					.ip = at->on[i].interface.ip.base,
					.ip6 = at->on[i].interface.ip6.base };

	entry.names.at = arena_array(at->a, aliases->n + 2, sizeof(*entry.names.at));
	if (hostname)
		entry.names.at[entry.names.n++] = hostname;
	entry.names.at[entry.names.n++] = at->record.id;
	for (size_t k = 0; k < aliases->n; k++)
		entry.names.at[entry.names.n++] = aliases->at[k];
	entry.also.at = arena_array(at->a, n, sizeof(*entry.also.at));
	for (size_t k = 0; k < n; k++)
		if (k != i && resolver_wanted(&at->on[k].network))
			entry.also.at[entry.also.n++] = at->on[k].network.name;
	return entry;
}

int attachment_names(struct attachment *at, size_t i, const char *hostname, struct err *e)
{
	const struct network *n = &at->on[i].network;
	struct resolver_entry entry;
	struct err why = { 0 };
	int r;

	if (!resolver_wanted(n))
		return 0;
	entry = plan_entry(at, i, hostname);
	r = resolver_add(at->dir, n, &entry, &why);
	if (r == -ENOENT || r == -EADDRINUSE) {
		log_warn("network %s: names of containers are not answered: %s", n->name, why.msg);
		return 0;
	}
	if (r < 0) {
		if (e)
			*e = why;
		return r;
	}
	at->record.interfaces.at[i].named = true;
	return 0;
}

/* What a child is found by, whatever the container calls it. */
static int note_index(const struct attachment *at, size_t i, int netns_fd, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct link_info link = { 0 };
	int r;

	TRY(netlink_open(netns_fd, &nl, e));
	r = link_get(&nl, at->on[i].interface.name, &link, e);
	if (r == -ENODEV)
		return err_set(e, ENODEV, "container %s: its link %s is gone", at->record.id,
			       at->on[i].interface.name);
	TRY(r);
	at->record.interfaces.at[i].index = link.index;
	return 0;
}

int attachment_link(struct attachment *at, size_t i, struct netlink *nl, int netns_fd,
		    struct err *e)
{
	const struct network *n = &at->on[i].network;
	const struct net_interface *it = &at->on[i].interface;
	const char *name = at->record.interfaces.at[i].link;
	unsigned master = at->on[i].master;
	struct link_wish inner = {
		.name = it->name, .mac = it->mac, .mtu = n->mtu, .netns_fd = netns_fd
	};
	struct link_wish outer = { .name = name, .mtu = n->mtu, .master = master, .up = true };
	auto_buf struct buf alias = { 0 };

	if (n->driver == NETWORK_CNI)
		return attachment_cni_add(at, i, netns_fd, e);
	if (n->driver == NETWORK_MACVLAN) {
		TRY(link_make_child(nl, LINK_MACVLAN, master, &inner, e));
		return note_index(at, i, netns_fd, e);
	}
	if (n->driver == NETWORK_IPVLAN) {
		inner.mac = (struct net_mac){ 0 }; /* they share that of the parent */
		TRY(link_make_child(nl, LINK_IPVLAN, master, &inner, e));
		return note_index(at, i, netns_fd, e);
	}
	TRY(link_make_veth(nl, &outer, &inner, e));
	/* With br_netfilter, what a container sends to its own published port is turned round here. */
	TRY(link_set_hairpin(nl, name, e));
	buf_printf(&alias, "hull %.*s", 200, at->record.id);
	return link_set_alias(nl, name, alias.text, e);
}

static int set_ipv6(const struct net_interface *it, const char *name, const char *value,
		    struct err *e)
{
	char path[128];
	int r;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", it->name, name);
	r = io_write_value(AT_FDCWD, path, value);
	if (r == -ENOENT && !it->ip6.base.family)
		return 0; /* a kernel without IPv6 */
	return r < 0 ? err_neg(e, r, "write %s to %s in the container", value, path) : 0;
}

/* /proc/sys/net shows the namespace of whoever opens it. */
static int set_values(void *ctx, struct err *e)
{
	const struct net_interface *it = ctx;

	TRY(set_ipv6(it, "accept_ra", "0", e));
	return set_ipv6(it, "disable_ipv6", it->ip6.base.family ? "0" : "1", e);
}

int attachment_set_up(const struct attachment *at, size_t i, struct netlink *nl, int netns_fd,
		      struct err *e)
{
	struct net_interface it = at->on[i].interface;

	if (at->on[i].network.driver == NETWORK_CNI)
		return 0;
	if (at->on[i].network.driver == NETWORK_BRIDGE)
		TRY(netns_call(netns_fd, set_values, &it, e));
	if (it.ip.base.family)
		TRY(link_add_address(nl, it.name, &it.ip, e));
	if (it.ip6.base.family)
		TRY(link_add_address(nl, it.name, &it.ip6, e));
	return link_set_up(nl, it.name, true, e);
}

int attachment_route(const struct attachment *at, size_t i, int family, struct netlink *nl,
		     struct err *e)
{
	static const struct subnet everything;
	const struct net_interface *it = &at->on[i].interface;
	struct err why = { 0 };
	int r = route_add(nl, it->name, &everything,
			  family == AF_INET ? &it->gateway : &it->gateway6, &why);

	if (r == -EEXIST)
		return 0; /* one of the container's own making */
	if (r < 0 && e)
		*e = why;
	return r;
}

/*
 * In two steps, with the record between them: rules of one target are taken away only with
 * that same target in hand (nft.c), so the record never names another than they may have.
 */
int attachment_move_ports(struct attachment *at, size_t except, bool always, struct err *e)
{
	struct record *r = &at->record;
	auto_buf struct buf old = { 0 }, new = { 0 };
	struct net_addr to, to6;
	int exists;

	attachment_targets(at, except, &to, &to6);
	if (r->helper || (!always && addr_equal(&to, &r->to) && addr_equal(&to6, &r->to6)))
		return 0;
	exists = r->ports.n ? nft_table_exists(e) : 0;
	if (exists < 0)
		return exists;
	if (exists) {
		nft_ports(&old, r, true);
		if (old.len)
			TRY(nft_run(old.text, "take published ports back", e));
	}
	r->to = to;
	r->to6 = to6;
	TRY(record_write(at->dir, r, e));
	if (!r->ports.n)
		return 0;
	TRY(network_restore_rules(at->dir, e));
	nft_ports(&new, r, false);
	if (!new.len)
		return 0;
	TRY(nft_run(new.text, "publish ports", e));
	conntrack_forget(r);
	return 0;
}
