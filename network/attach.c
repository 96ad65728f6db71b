#include "network/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/log.h"
#include "network/bridge.h"
#include "network/config.h"
#include "network/host_port.h"
#include "network/ipam.h"
#include "network/link.h"
#include "network/nft.h"
#include "network/record.h"
#include "network/resolv.h"
#include "network/resolver.h"
#include "network/rootless.h"

enum { NETWORKS_MAX = 32 /* of one container */ };

/* One attachment under way; `a` is the result's. */
struct attachment {
	int dir;
	const struct net_request *req;
	struct arena *a;
	struct record record;
	struct network networks[NETWORKS_MAX];
	struct net_interface interfaces[NETWORKS_MAX];
	unsigned masters[NETWORKS_MAX]; /* index of the bridge, or of the link a child is on */
	size_t n;
	struct strings resolvers; /* addresses of hull-dns, of the first network that has one */
};

/*
 * Deciding
 */

static int check(const struct net_request *req, struct err *e)
{
	TRY(record_check_id(req->container_id, e));
	TRY(dns_check(&req->dns, e));
	TRY(port_list_check(&req->ports, e));
	if (req->networks.n > NETWORKS_MAX)
		return err_set(e, EINVAL, "container %s joins more than %d networks",
			       req->container_id, NETWORKS_MAX);
	if (req->networks.n && req->mode != NET_NETWORKS)
		return err_set(e, EINVAL,
			       "container %s joins networks, or has none of its own, but not both",
			       req->container_id);
	if (req->ports.n && (req->mode == NET_NONE || req->mode == NET_HOST || req->mode == NET_JOINED))
		return err_set(e, EINVAL,
			       "publish %s: container %s has %s, from where nothing is published",
			       port_text(&req->ports.at[0]).text, req->container_id,
			       req->mode == NET_NONE   ? "no network"
			       : req->mode == NET_HOST ? "the network of the host"
						       : "the network of another container");
	for (size_t i = 0; i < req->networks.n; i++)
		for (size_t k = 0; k < req->networks.at[i].aliases.n; k++)
			TRY(host_name_check(req->networks.at[i].aliases.at[k], e));
	return 0;
}

static int random_link(struct arena *a, const char **ret, struct err *e)
{
	uint32_t bits;

	if (getrandom(&bits, sizeof(bits), 0) != sizeof(bits))
		return err_sys(e, "get random bytes");
	*ret = arena_printf(a, "hv%08x", bits);
	return 0;
}

static const struct net_join *join_at(const struct attachment *at, size_t i)
{
	static const struct net_join by_default;

	return i < at->req->networks.n ? &at->req->networks.at[i] : &by_default;
}

static int plan_interface(struct attachment *at, size_t i, struct err *e)
{
	const struct net_join *join = join_at(at, i);
	struct network *n = &at->networks[i];
	struct net_interface *it = &at->interfaces[i];
	struct record_interface *kept = &at->record.interfaces.at[i];
	auto_leases struct leases leases = { 0 };

	TRY(network_find(at->dir, join->network, at->a, n, e));
	for (size_t k = 0; k < i; k++)
		if (strcmp(at->networks[k].name, n->name) == 0)
			return err_set(e, EINVAL, "container %s joins network %s twice",
				       at->req->container_id, n->name);
	*it = (struct net_interface){ .network = n->name,
				      .name = arena_printf(at->a, "eth%zu", i),
				      .ip.prefix = n->subnet.prefix,
				      .ip6.prefix = n->subnet6.prefix,
				      .gateway = n->gateway,
				      .gateway6 = n->gateway6,
				      .mac = join->mac };
	TRY(leases_read(at->dir, n->name, &leases, e));
	if (n->subnet.base.family || join->ip.family)
		TRY(leases_take(&leases, n, AF_INET, &join->ip, at->req->container_id, &it->ip.base,
				e));
	if (n->subnet6.base.family || join->ip6.family)
		TRY(leases_take(&leases, n, AF_INET6, &join->ip6, at->req->container_id,
				&it->ip6.base, e));
	if (!mac_is_set(&it->mac) && n->driver == NETWORK_BRIDGE)
		it->mac = mac_of_addr(it->ip.base.family ? &it->ip.base : &it->ip6.base);
	*kept = (struct record_interface){ .network = n->name,
					   .name = it->name,
					   .ip = it->ip.base,
					   .ip6 = it->ip6.base };
	if (n->driver == NETWORK_BRIDGE)
		TRY(random_link(at->a, &kept->link, e));
	return 0;
}

static int plan_ports(struct attachment *at, struct err *e)
{
	struct record *r = &at->record;
	struct record_list others = { 0 };

	if (!at->req->ports.n)
		return 0;
	if (!r->helper && !r->to.family && !r->to6.family)
		return err_set(e, EINVAL,
			       "publish %s: container %s is on no network that ports can be published "
			       "from: network %s is %s",
			       port_text(&at->req->ports.at[0]).text, r->id, at->networks[0].name,
			       at->networks[0].internal
				       ? "internal"
				       : network_driver_name(at->networks[0].driver));
	TRY(record_read_all(at->dir, at->a, &others, e));
	r->ports.at = arena_array(at->a, at->req->ports.n, sizeof(*r->ports.at));
	for (size_t i = 0; i < at->req->ports.n; i++) {
		struct port p = at->req->ports.at[i];

		if (p.ip.family && !r->helper &&
		    !(p.ip.family == AF_INET ? r->to.family : r->to6.family))
			return err_set(e, EINVAL, "publish %s: container %s has no %s address",
				       port_text(&p).text, r->id,
				       p.ip.family == AF_INET ? "IPv4" : "IPv6");
		if (p.host)
			TRY(host_port_check(r, &p, &others, e));
		else
			TRY(host_port_choose(r, &others, &p, e));
		r->ports.at[r->ports.n++] = p;
	}
	return 0;
}

/* Ports lead to the first address of each family that the outside can reach. */
static void plan_targets(struct attachment *at)
{
	for (size_t i = 0; i < at->n; i++) {
		if (at->networks[i].internal || at->networks[i].driver != NETWORK_BRIDGE)
			continue;
		if (!at->record.to.family)
			at->record.to = at->interfaces[i].ip.base;
		if (!at->record.to6.family)
			at->record.to6 = at->interfaces[i].ip6.base;
	}
}

static void plan_names(struct attachment *at)
{
	struct strings *names = &at->record.names;
	size_t n = 2;

	for (size_t i = 0; i < at->req->networks.n; i++)
		n += at->req->networks.at[i].aliases.n;
	names->at = arena_array(at->a, n, sizeof(*names->at));
	names->at[names->n++] = at->req->container_id;
	if (at->req->hostname)
		names->at[names->n++] = at->req->hostname;
	for (size_t i = 0; i < at->req->networks.n; i++)
		for (size_t k = 0; k < at->req->networks.at[i].aliases.n; k++)
			names->at[names->n++] = at->req->networks.at[i].aliases.at[k];
}

/* A record of the same id stands for one that died, or for a mistake. */
static int check_free(struct attachment *at, struct err *e)
{
	struct record old = { 0 };
	int r = record_read(at->dir, at->req->container_id, at->a, &old, e);

	if (r == -ENOENT)
		return 0;
	TRY(r);
	return err_set(e, EEXIST, "container %s has its network already", at->req->container_id);
}

static int take_leases(struct attachment *at, struct err *e)
{
	for (size_t i = 0; i < at->n; i++) {
		auto_leases struct leases leases = { 0 };
		struct net_interface *it = &at->interfaces[i];
		const struct network *n = &at->networks[i];
		struct net_addr got;

		TRY(leases_read(at->dir, n->name, &leases, e));
		if (it->ip.base.family) {
			TRY(leases_take(&leases, n, AF_INET, &it->ip.base, at->record.id, &got, e));
			leases.last = got;
		}
		if (it->ip6.base.family) {
			TRY(leases_take(&leases, n, AF_INET6, &it->ip6.base, at->record.id, &got, e));
			leases.last6 = got;
		}
		TRY(leases_write(at->dir, n->name, &leases, e));
	}
	return 0;
}

static int bring_up(struct attachment *at, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;

	if (at->n)
		TRY(netlink_open(-1, &nl, e));
	for (size_t i = 0; i < at->n; i++) {
		struct link_info link = { 0 };

		TRY(network_up(at->dir, &nl, &at->networks[i], &link, e));
		at->masters[i] = link.index;
	}
	return 0;
}

/* The names of the container on its i-th network, and the other networks with names. */
static struct resolver_entry plan_entry(struct attachment *at, size_t i)
{
	const struct net_join *join = join_at(at, i);
	struct resolver_entry entry = { .container = at->record.id,
					.ip = at->interfaces[i].ip.base,
					.ip6 = at->interfaces[i].ip6.base };

	entry.names.at = arena_array(at->a, join->aliases.n + 2, sizeof(*entry.names.at));
	if (at->req->hostname)
		entry.names.at[entry.names.n++] = at->req->hostname;
	entry.names.at[entry.names.n++] = at->record.id;
	for (size_t k = 0; k < join->aliases.n; k++)
		entry.names.at[entry.names.n++] = join->aliases.at[k];
	entry.also.at = arena_array(at->a, at->n, sizeof(*entry.also.at));
	for (size_t k = 0; k < at->n; k++)
		if (k != i && resolver_wanted(&at->networks[k]))
			entry.also.at[entry.also.n++] = at->networks[k].name;
	return entry;
}

static void add_resolver(struct attachment *at, const struct net_addr *gateway)
{
	if (gateway->family)
		at->resolvers.at[at->resolvers.n++] = arena_strdup(at->a, addr_text(gateway).text);
}

static int bring_up_names(struct attachment *at, struct err *e)
{
	for (size_t i = 0; i < at->n; i++) {
		struct resolver_entry entry;
		struct err why = { 0 };
		int r;

		if (!resolver_wanted(&at->networks[i]))
			continue;
		entry = plan_entry(at, i);
		r = resolver_add(at->dir, &at->networks[i], &entry, &why);
		if (r == -ENOENT || r == -EADDRINUSE) {
			log_warn("network %s: names of containers are not answered: %s",
				 at->networks[i].name, why.msg);
			continue;
		}
		if (r < 0) {
			if (e)
				*e = why;
			return r;
		}
		if (at->resolvers.n)
			continue;
		at->resolvers.at = arena_array(at->a, 2, sizeof(*at->resolvers.at));
		add_resolver(at, &at->networks[i].gateway);
		add_resolver(at, &at->networks[i].gateway6);
	}
	return 0;
}

/* Under the lock: decides, writes the record and the leases, brings the networks up. */
static int reserve(struct attachment *at, bool *recorded, struct err *e)
{
	auto_fd int lock = network_lock(at->dir, e);
	struct record *r = &at->record;
	int found;

	if (lock < 0)
		return lock;
	*r = (struct record){ .id = at->req->container_id };
	TRY(check_free(at, e));
	TRY(record_boot(at->a, &r->boot, e));
	found = process_mark(at->req->owner, &r->owner, e);
	if (found == -ESRCH)
		return err_set(e, ESRCH, "container %s has no process %d to own its network", r->id,
			       (int)at->req->owner);
	TRY(found);
	if (at->req->mode == NET_PASTA || at->req->mode == NET_SLIRP)
		r->helper = rootless_program(at->req->mode);
	else if (at->req->mode == NET_NETWORKS)
		at->n = at->req->networks.n ? at->req->networks.n : 1;
	r->interfaces.at = arena_array(at->a, at->n, sizeof(*r->interfaces.at));
	for (size_t i = 0; i < at->n; i++) {
		TRY(plan_interface(at, i, e));
		r->interfaces.n++;
	}
	plan_targets(at);
	plan_names(at);
	TRY(plan_ports(at, e));
	TRY(record_write(at->dir, r, e));
	*recorded = true;
	TRY(take_leases(at, e));
	TRY(bring_up(at, e));
	return bring_up_names(at, e);
}

/*
 * Doing
 */

static int make_link(struct attachment *at, size_t i, struct netlink *nl, struct err *e)
{
	const struct network *n = &at->networks[i];
	const struct net_interface *it = &at->interfaces[i];
	const char *name = at->record.interfaces.at[i].link;
	struct link_wish inner = { .name = it->name,
				   .mac = it->mac,
				   .mtu = n->mtu,
				   .netns_fd = at->req->netns_fd };
	struct link_wish outer = { .name = name, .mtu = n->mtu, .master = at->masters[i], .up = true };
	auto_buf struct buf alias = { 0 };

	if (n->driver == NETWORK_MACVLAN)
		return link_make_child(nl, LINK_MACVLAN, at->masters[i], &inner, e);
	if (n->driver == NETWORK_IPVLAN) {
		inner.mac = (struct net_mac){ 0 }; /* they share that of the parent */
		return link_make_child(nl, LINK_IPVLAN, at->masters[i], &inner, e);
	}
	TRY(link_make_veth(nl, &outer, &inner, e));
	/* With br_netfilter, what a container sends to its own published port is turned round here. */
	TRY(link_set_hairpin(nl, name, e));
	buf_printf(&alias, "hull %.*s", 200, at->record.id);
	return link_set_alias(nl, name, alias.text, e);
}

/* In the container's network namespace. */
struct inner {
	const struct attachment *at;
	struct netlink *nl;
};

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
	const struct attachment *at = ctx;

	for (size_t i = 0; i < at->n; i++) {
		const struct net_interface *it = &at->interfaces[i];

		if (at->networks[i].driver != NETWORK_BRIDGE)
			continue;
		TRY(set_ipv6(it, "accept_ra", "0", e));
		TRY(set_ipv6(it, "disable_ipv6", it->ip6.base.family ? "0" : "1", e));
	}
	return 0;
}

static int set_up_inside(struct attachment *at, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	static const struct subnet everything;
	bool routed = false, routed6 = false;

	TRY(netlink_open(at->req->netns_fd, &nl, e));
	TRY(link_set_up(&nl, "lo", true, e));
	if (at->n)
		TRY(netns_call(at->req->netns_fd, set_values, at, e));
	for (size_t i = 0; i < at->n; i++) {
		const struct net_interface *it = &at->interfaces[i];
		bool internal = at->networks[i].internal;

		if (it->ip.base.family)
			TRY(link_add_address(&nl, it->name, &it->ip, e));
		if (it->ip6.base.family)
			TRY(link_add_address(&nl, it->name, &it->ip6, e));
		TRY(link_set_up(&nl, it->name, true, e));
		if (it->ip.base.family && !internal && !routed) {
			TRY(route_add(&nl, it->name, &everything, &it->gateway, e));
			routed = true;
		}
		if (it->ip6.base.family && !internal && !routed6) {
			TRY(route_add(&nl, it->name, &everything, &it->gateway6, e));
			routed6 = true;
		}
	}
	return 0;
}

static int make(struct attachment *at, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	auto_buf struct buf rules = { 0 };

	if (at->record.helper)
		return rootless_start(at->dir, at->req, &at->record, e);
	if (at->n)
		TRY(netlink_open(-1, &nl, e));
	for (size_t i = 0; i < at->n; i++)
		TRY(make_link(at, i, &nl, e));
	TRY(set_up_inside(at, e));
	if (!at->record.ports.n)
		return 0;
	nft_ports(&rules, &at->record, false);
	return nft_run(rules.text, "publish ports", e);
}

static int write_files(struct attachment *at, struct net_result *ret, struct err *e)
{
	const struct net_request *req = at->req;
	struct hosts_facts hosts = { .hostname = req->hostname ? req->hostname : req->container_id,
				     .extra = req->add_hosts };
	struct resolv host = { 0 };

	TRY(resolv_read_host(at->a, &host, e));
	if (at->n) {
		hosts.own[0] = at->interfaces[0].ip.base;
		hosts.own[1] = at->interfaces[0].ip6.base;
		hosts.gateway = hosts.own[0].family ? at->interfaces[0].gateway
						    : at->interfaces[0].gateway6;
	} else if (req->mode == NET_HOST) {
		hosts.gateway = (struct net_addr){ AF_INET, { 127, 0, 0, 1 } };
	} else if (at->record.helper) {
		rootless_names(req->mode, &host, at->a, &hosts.gateway);
	}
	if (at->resolvers.n)
		host.servers = at->resolvers;
	if (!req->dns.servers.n && req->mode != NET_HOST && req->mode != NET_NONE &&
	    host.servers.n && resolv_is_local(&host))
		log_warn("container %s: all name servers of this host are on its loopback, which the "
			 "container cannot reach: say others with --dns",
			 req->container_id);
	ret->resolv_conf = resolv_text(&host, &req->dns, req->mode == NET_HOST, at->a);
	return hosts_text(&hosts, at->a, &ret->hosts, e);
}

static int attach_own(struct attachment *at, struct err *e)
{
	bool recorded = false;
	struct err undo = { 0 };
	int r = reserve(at, &recorded, e);

	if (r >= 0)
		r = make(at, e);
	if (r < 0 && recorded && network_detach(at->dir, at->req->container_id, &undo) < 0)
		log_warn("container %s: its network was not attached, and: %s",
			 at->req->container_id, undo.msg);
	return r;
}

/* What dead containers still hold may be what is missing. */
static bool may_be_swept(int r)
{
	return r == -ENOSPC || r == -EEXIST || r == -EADDRINUSE;
}

int network_attach(int state_dir_fd, const struct net_request *req, struct net_result *ret,
		   struct err *e)
{
	struct net_result result = { 0 };
	struct attachment at = { .dir = state_dir_fd, .req = req, .a = &result.arena };
	struct err why = { 0 };
	int r = check(req, &why);

	if (r >= 0 && req->mode != NET_HOST && req->mode != NET_JOINED) {
		r = attach_own(&at, &why);
		if (may_be_swept(r) && network_sweep(state_dir_fd, NULL) > 0) {
			at = (struct attachment){ .dir = state_dir_fd, .req = req, .a = &result.arena };
			r = attach_own(&at, &why);
		}
	}
	if (r >= 0) {
		r = write_files(&at, &result, &why);
		if (r < 0 && at.record.id && network_detach(state_dir_fd, req->container_id, NULL) < 0)
			log_warn("container %s: its network could not be taken away",
				 req->container_id);
	}
	if (r < 0) {
		network_result_done(&result);
		if (e)
			*e = why;
		return r;
	}
	result.interfaces.at = arena_array(&result.arena, at.n, sizeof(*result.interfaces.at));
	result.interfaces.n = at.n;
	if (at.n)
		memcpy(result.interfaces.at, at.interfaces, at.n * sizeof(*at.interfaces));
	result.ports = at.record.ports;
	*ret = result;
	return 0;
}

void network_result_done(struct net_result *ret)
{
	arena_done(&ret->arena);
	*ret = (struct net_result){ 0 };
}
