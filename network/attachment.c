#include "network/attachment.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/log.h"
#include "network/ipam.h"
#include "network/resolv.h"
#include "network/rootless.h"

int attachment_check(const struct net_request *req, struct err *e)
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
	if (req->ports.n &&
	    (req->mode == NET_NONE || req->mode == NET_HOST || req->mode == NET_JOINED))
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

/* What an interface on it is whatever its addresses are. */
static struct net_interface interface_on(const struct network *n, const char *name)
{
	return (struct net_interface){ .network = n->name,
				       .name = name,
				       .ip.prefix = n->subnet.prefix,
				       .ip6.prefix = n->subnet6.prefix,
				       .gateway = n->gateway,
				       .gateway6 = n->gateway6 };
}

/* eth0, eth1...: the first that no interface of the container has. */
static const char *free_name(const struct attachment *at)
{
	for (size_t number = 0;; number++) {
		const char *name = arena_printf(at->a, "eth%zu", number);
		size_t i = 0;

		while (i < at->record.interfaces.n &&
		       strcmp(at->record.interfaces.at[i].name, name) != 0)
			i++;
		if (i == at->record.interfaces.n)
			return name;
	}
}

/* Addresses are the plug-ins' to give. */
static int plan_cni(struct attachment *at, const struct net_join *join, struct err *e)
{
	static const struct port_list none;
	struct record *r = &at->record;
	size_t i = r->interfaces.n;

	r->interfaces.at[i] = (struct record_interface){ .network = at->on[i].network.name,
							 .name = at->on[i].interface.name,
							 .mac = join->mac,
							 .aliases = join->aliases };
	TRY(attachment_cni_plan(at, i, join, &none, e));
	r->interfaces.n++;
	return 0;
}

int attachment_plan(struct attachment *at, const struct net_join *join, struct err *e)
{
	struct record *r = &at->record;
	size_t i = r->interfaces.n;
	struct network *n = &at->on[i].network;
	struct net_interface *it = &at->on[i].interface;
	struct record_interface *kept = &r->interfaces.at[i];
	auto_leases struct leases leases = { 0 };

	TRY(network_find(at->dir, join->network, at->a, n, e));
	for (size_t k = 0; k < i; k++)
		if (strcmp(at->on[k].network.name, n->name) == 0)
			return err_set(e, EINVAL, "container %s joins network %s twice", r->id,
				       n->name);
	*it = interface_on(n, free_name(at));
	it->mac = join->mac;
	it->aliases = join->aliases;
	if (n->driver == NETWORK_CNI)
		return plan_cni(at, join, e);
	TRY(leases_read(at->dir, n->name, &leases, e));
	if (n->subnet.base.family || join->ip.family)
		TRY(leases_take(&leases, n, AF_INET, &join->ip, r->id, &it->ip.base, e));
	if (n->subnet6.base.family || join->ip6.family)
		TRY(leases_take(&leases, n, AF_INET6, &join->ip6, r->id, &it->ip6.base, e));
	if (!mac_is_set(&it->mac) && n->driver == NETWORK_BRIDGE)
		it->mac = mac_of_addr(it->ip.base.family ? &it->ip.base : &it->ip6.base);
	*kept = (struct record_interface){ .network = n->name,
					   .name = it->name,
					   .ip = it->ip.base,
					   .ip6 = it->ip6.base,
					   .mac = it->mac,
					   .aliases = join->aliases };
	if (n->driver == NETWORK_BRIDGE)
		TRY(random_link(at->a, &kept->link, e));
	r->interfaces.n++;
	return 0;
}

static int load_cni(struct attachment *at, size_t i, struct err *e)
{
	const struct record_interface *kept = &at->record.interfaces.at[i];
	struct attached *on = &at->on[i];

	if (cni_result_parse(kept->cni_result, strlen(kept->cni_result), kept->name, at->a,
			     &on->cni, e) < 0)
		return err_wrap(e, "network record of container %s", at->record.id);
	on->interface.ip = on->cni.ip;
	on->interface.ip6 = on->cni.ip6;
	on->interface.gateway = on->cni.gateway;
	on->interface.gateway6 = on->cni.gateway6;
	return 0;
}

int attachment_load(struct attachment *at, const char *id, struct err *e)
{
	struct record *r = &at->record;
	struct record_interface *room;

	TRY(record_read(at->dir, id, at->a, r, e));
	if (r->interfaces.n > NETWORKS_MAX)
		return err_set(e, EINVAL, "network record of container %s: more than %d interfaces",
			       id, NETWORKS_MAX);
	room = arena_array(at->a, NETWORKS_MAX, sizeof(*room));
	if (r->interfaces.n)
		memcpy(room, r->interfaces.at, r->interfaces.n * sizeof(*room));
	r->interfaces.at = room;
	for (size_t i = 0; i < r->interfaces.n; i++) {
		struct attached *on = &at->on[i];

		if (room[i].cni.plugins.n)
			on->network =
				(struct network){ .name = room[i].network, .driver = NETWORK_CNI };
		else if (network_find(at->dir, room[i].network, at->a, &on->network, e) == -ENOENT)
			return err_set(e, EINVAL, "container %s is on network %s, which is gone",
				       id, room[i].network);
		on->interface = interface_on(&on->network, room[i].name);
		if (room[i].cni_result)
			TRY(load_cni(at, i, e));
		on->interface.ip.base = room[i].ip;
		on->interface.ip6.base = room[i].ip6;
		on->interface.mac = room[i].mac;
		on->interface.aliases = room[i].aliases;
	}
	return 0;
}

void attachment_targets(const struct attachment *at, size_t except, struct net_addr *ret,
			struct net_addr *ret6)
{
	*ret = *ret6 = (struct net_addr){ 0 };
	for (size_t i = 0; i < at->record.interfaces.n; i++)
		if (i != except && at->record.interfaces.at[i].cni_ports)
			return; /* plug-ins lead them */
	for (size_t i = 0; i < at->record.interfaces.n; i++) {
		const struct attached *on = &at->on[i];

		if (i == except || on->network.internal || on->network.driver != NETWORK_BRIDGE)
			continue;
		if (!ret->family)
			*ret = on->interface.ip.base;
		if (!ret6->family)
			*ret6 = on->interface.ip6.base;
	}
}

size_t attachment_way_out(const struct attachment *at, int family, size_t except)
{
	for (size_t i = 0; i < at->record.interfaces.n; i++) {
		const struct net_interface *it = &at->on[i].interface;

		if (i != except && !at->on[i].network.internal &&
		    at->on[i].network.driver != NETWORK_CNI &&
		    (family == AF_INET ? it->ip.base.family : it->ip6.base.family))
			return i;
	}
	return SIZE_MAX;
}

/* What the first plug-ins say that say anything of it. */
static void find_cni_dns(const struct attachment *at, struct resolv *ret)
{
	for (size_t i = 0; i < at->record.interfaces.n; i++) {
		const struct cni_result *cni = &at->on[i].cni;

		if (!cni->servers.n)
			continue;
		ret->servers = cni->servers;
		if (cni->searches.n)
			ret->searches = cni->searches;
		if (cni->options.n)
			ret->options = cni->options;
		return;
	}
}

/* Those of hull-dns, on the first network where it answers for the container. */
static void find_servers(const struct attachment *at, struct strings *ret)
{
	for (size_t i = 0; i < at->record.interfaces.n; i++) {
		const struct net_interface *it = &at->on[i].interface;

		if (!at->record.interfaces.at[i].named)
			continue;
		*ret = (struct strings){ .at = arena_array(at->a, 2, sizeof(*ret->at)) };
		if (it->gateway.family)
			ret->at[ret->n++] = arena_strdup(at->a, addr_text(&it->gateway).text);
		if (it->gateway6.family)
			ret->at[ret->n++] = arena_strdup(at->a, addr_text(&it->gateway6).text);
		return;
	}
}

int attachment_files(const struct attachment *at, const struct net_request *req,
		     struct net_result *ret, struct err *e)
{
	struct hosts_facts hosts = { .hostname = req->hostname ? req->hostname : req->container_id,
				     .extra = req->add_hosts };
	struct resolv host = { 0 };

	TRY(resolv_read_host(at->a, &host, e));
	if (at->record.interfaces.n) {
		const struct net_interface *first = &at->on[0].interface;

		hosts.own[0] = first->ip.base;
		hosts.own[1] = first->ip6.base;
		hosts.gateway = hosts.own[0].family ? first->gateway : first->gateway6;
	} else if (req->mode == NET_HOST) {
		hosts.gateway = (struct net_addr){ AF_INET, { 127, 0, 0, 1 } };
	} else if (at->record.helper) {
		rootless_names(req->mode, &host, at->a, &hosts.gateway);
	}
	find_cni_dns(at, &host);
	find_servers(at, &host.servers);
	if (!req->dns.servers.n && req->mode != NET_HOST && req->mode != NET_NONE &&
	    host.servers.n && resolv_is_local(&host))
		log_warn("container %s: all name servers of this host are on its loopback, which "
			 "the "
			 "container cannot reach: say others with --dns",
			 req->container_id);
	ret->resolv_conf = resolv_text(&host, &req->dns, req->mode == NET_HOST, at->a);
	return hosts_text(&hosts, at->a, &ret->hosts, e);
}

static bool cni_leads(const struct attachment *at, int family)
{
	for (size_t i = 0; i < at->record.interfaces.n; i++)
		if (at->record.interfaces.at[i].cni_ports)
			return family == AF_INET ? at->on[i].cni.ip.base.family
						 : at->on[i].cni.ip6.base.family;
	return false;
}

void attachment_result(const struct attachment *at, struct net_result *ret)
{
	size_t n = at->record.interfaces.n;

	ret->interfaces.at = arena_array(&ret->arena, n, sizeof(*ret->interfaces.at));
	for (size_t i = 0; i < n; i++) {
		ret->interfaces.at[i] = at->on[i].interface;
		ret->interfaces.at[i].driver = network_driver_name(at->on[i].network.driver);
	}
	ret->interfaces.n = n;
	ret->ports = at->record.ports;
	ret->ports4 = at->record.helper || at->record.to.family || cni_leads(at, AF_INET);
	ret->ports6 = at->record.helper ? rootless_has_ipv6(at->record.helper)
					: at->record.to6.family || cni_leads(at, AF_INET6);
}
