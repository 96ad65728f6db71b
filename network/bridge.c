#include "network/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/log.h"
#include "network/attach.h"
#include "network/ipam.h"
#include "network/lock.h"
#include "network/nft.h"

/* The alias that a bridge of ours has once all of it is made. */
static struct buf alias_of(const struct network *n)
{
	struct buf alias = { 0 };

	buf_printf(&alias, "hull network %s", n->name);
	return alias;
}

static int set_value(const char *path, const char *value, struct err *e)
{
	int r = io_write_value(AT_FDCWD, path, value);

	return r < 0 ? err_neg(e, r, "write %s to %s", value, path) : 0;
}

/* Writes only what is not so: hosts have these read-only in places, and right. */
static int want_value(const char *path, const char *value, struct err *e)
{
	char now[16];

	if (io_read_value(AT_FDCWD, path, now, sizeof(now)) == 0 && strcmp(now, value) == 0)
		return 0;
	log_info("setting %s to %s", path, value);
	return set_value(path, value, e);
}

static int set_link_value(int family, const char *link, const char *name, const char *value,
			  struct err *e)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv%d/conf/%s/%s", family == AF_INET ? 4 : 6,
		 link, name);
	return set_value(path, value, e);
}

static int set_up_ipv4(struct netlink *nl, const struct network *n, struct err *e)
{
	struct subnet address = { n->gateway, n->subnet.prefix };

	if (!n->subnet.base.family)
		return 0;
	TRY(set_link_value(AF_INET, n->link, "route_localnet", "1", e));
	TRY(set_link_value(AF_INET, n->link, "rp_filter", "1", e));
	TRY(link_add_address(nl, n->link, &address, e));
	return n->internal ? 0 : want_value("/proc/sys/net/ipv4/ip_forward", "1", e);
}

/*
 * Containers may play the router; nobody listens to them (CVE-2020-13401). A network
 * without IPv6 has none at all.
 */
static int set_up_ipv6(struct netlink *nl, const struct network *n, struct err *e)
{
	struct subnet address = { n->gateway6, n->subnet6.prefix };
	bool has = n->subnet6.base.family;

	if (!has && access("/proc/sys/net/ipv6", F_OK) < 0)
		return 0;
	TRY(set_link_value(AF_INET6, n->link, "accept_ra", "0", e));
	TRY(set_link_value(AF_INET6, n->link, "disable_ipv6", has ? "0" : "1", e));
	if (!has)
		return 0;
	TRY(link_add_address(nl, n->link, &address, e));
	return n->internal ? 0 : want_value("/proc/sys/net/ipv6/conf/all/forwarding", "1", e);
}

int network_restore_rules(int state_dir_fd, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct network_list networks = { 0 };
	struct record_list records = { 0 };
	auto_buf struct buf text = { 0 };
	int exists = nft_table_exists(e);

	if (exists)
		return exists < 0 ? exists : 0;
	TRY(network_list_read(state_dir_fd, &a, &networks, e));
	TRY(record_read_all(state_dir_fd, &a, &records, e));
	nft_base(&text);
	for (size_t i = 0; i < networks.n; i++)
		nft_network(&text, &networks.at[i], false);
	for (size_t i = 0; i < records.n; i++)
		if (!records.at[i].helper)
			nft_ports(&text, &records.at[i], false);
	return nft_run(text.text, "write the table of rules", e);
}

static int add_rules(int state_dir_fd, const struct network *n, struct err *e)
{
	auto_buf struct buf text = { 0 };
	int exists = nft_table_exists(e);

	if (exists < 0)
		return exists;
	if (!exists)
		return network_restore_rules(state_dir_fd, e);
	nft_base(&text);
	nft_network(&text, n, false);
	return nft_run(text.text, "write the rules of a network", e);
}

static int make_bridge(struct netlink *nl, const struct network *n, struct link_info *ret,
		       struct err *e)
{
	struct link_wish wish = { .name = n->link,
				  .mtu = n->mtu,
				  .up = true,
				  .mac = mac_of_addr(n->gateway.family ? &n->gateway
								       : &n->gateway6) };
	int r = link_make_bridge(nl, &wish, e);

	if (r < 0)
		return r;
	return link_get(nl, n->link, ret, e);
}

int network_up(int state_dir_fd, struct netlink *nl, const struct network *n, struct link_info *ret,
	       struct err *e)
{
	auto_buf struct buf alias = alias_of(n);
	struct link_info link = { 0 };
	int r = link_get(nl, n->link, &link, e);

	if (n->driver != NETWORK_BRIDGE) {
		if (r == -ENODEV)
			return err_set(e, ENODEV, "network %s: this host has no link %s", n->name,
				       n->link);
		TRY(r);
		*ret = link;
		return 0;
	}
	if (r < 0 && r != -ENODEV)
		return r;
	if (r == 0 && strcmp(link.alias, alias.text) == 0) {
		*ret = link;
		return network_restore_rules(state_dir_fd, e);
	}
	/* A bridge of that name without an alias is one of ours whose maker was killed. */
	if (r == 0 && (strcmp(link.kind, "bridge") != 0 || link.alias[0]))
		return err_set(e, EEXIST, "network %s: link %s of this host is not hull's", n->name,
			       n->link);
	if (r == -ENODEV)
		TRY(make_bridge(nl, n, &link, e));
	TRY(set_up_ipv4(nl, n, e));
	TRY(set_up_ipv6(nl, n, e));
	TRY(add_rules(state_dir_fd, n, e));
	TRY(link_set_alias(nl, n->link, alias.text, e));
	*ret = link;
	return 0;
}

int network_down(struct netlink *nl, const struct network *n, struct err *e)
{
	auto_buf struct buf alias = alias_of(n), text = { 0 };
	struct link_info link = { 0 };
	int r;

	if (n->driver != NETWORK_BRIDGE)
		return 0;
	r = link_get(nl, n->link, &link, e);
	if (r < 0 && r != -ENODEV)
		return r;
	if (r == 0 && strcmp(link.kind, "bridge") == 0 &&
	    (!link.alias[0] || strcmp(link.alias, alias.text) == 0))
		TRY(link_delete(nl, n->link, e));
	r = nft_table_exists(e);
	if (r <= 0)
		return r == -ENOTSUP ? 0 : r;
	nft_network(&text, n, true);
	return nft_run(text.text, "take away the rules of a network", e);
}

/* One that is not hull's, or none at all. */
static int refuse_other(const char *name, struct arena *a, struct err *e)
{
	struct cni_net net;
	int found = cni_find(name, a, &net, e);

	if (found == 0)
		return err_set(e, EPERM,
			       "network %s is one of CNI, and not hull's to remove: that is to "
			       "remove %s",
			       name, net.file);
	return found == -ENOENT ? err_set(e, ENOENT, "there is no network %s", name) : found;
}

int network_remove(int state_dir_fd, const char *name, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct record_list records = { 0 };
	struct network_list networks = { 0 };
	const struct network *n = NULL;
	const char *leases;
	auto_fd int lock = -1;

	TRY(network_name_check(name, e));
	leases = arena_printf(&a, "leases/%s", name);
	TRY(network_sweep(state_dir_fd, e));
	lock = network_lock(state_dir_fd, e);
	if (lock < 0)
		return lock;
	TRY(network_list_read(state_dir_fd, &a, &networks, e));
	for (size_t i = 0; i < networks.n; i++)
		if (strcmp(networks.at[i].name, name) == 0)
			n = &networks.at[i];
	if (!n)
		return refuse_other(name, &a, e);
	TRY(record_read_all(state_dir_fd, &a, &records, e));
	for (size_t i = 0; i < records.n; i++)
		for (size_t k = 0; k < records.at[i].interfaces.n; k++)
			if (strcmp(records.at[i].interfaces.at[k].network, name) == 0)
				return err_set(e, EBUSY, "network %s: container %s is on it", name,
					       records.at[i].id);
	TRY(netlink_open(-1, &nl, e));
	TRY(network_down(&nl, n, e));
	if (unlinkat(state_dir_fd, leases, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove the leases of network %s", name);
	return network_forget(state_dir_fd, name, e);
}
