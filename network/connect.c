/* connect.c - networks that a running container joins and leaves. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/log.h"
#include "network/attach.h"
#include "network/attachment.h"
#include "network/host_port.h"
#include "network/ipam.h"
#include "network/link.h"
#include "network/lock.h"
#include "network/resolver.h"

/* Under its lock and the networks': what the container has. Returns its network namespace. */
static int load(struct attachment *at, const char *id, struct err *e)
{
	const char *boot;
	int r = attachment_load(at, id, e);

	if (r == -ENOENT)
		return err_set(e, ENOTCONN, "container %s is not attached to any network", id);
	TRY(r);
	if (at->record.helper)
		return err_set(e, EINVAL,
			       "container %s is connected by %s: without root a container is on no "
			       "further network",
			       id, at->record.helper);
	TRY(record_boot(at->a, &boot, e));
	if (strcmp(at->record.boot, boot) != 0)
		return err_set(e, ENOTCONN, "container %s has ended", id);
	TRY(attachment_repair(at, e));
	r = attachment_netns(at, e);
	return r == -ESRCH ? err_set(e, ENOTCONN, "container %s has ended", id) : r;
}

static size_t find(const struct attachment *at, const char *network)
{
	size_t i = 0;

	if (!network)
		network = NETWORK_DEFAULT;
	while (i < at->record.interfaces.n && strcmp(at->on[i].network.name, network) != 0)
		i++;
	return i;
}

/* Ports that led nowhere in a family and now will: meanwhile somebody may listen there. */
static int check_ports(struct attachment *at, struct err *e)
{
	struct record led = { .id = at->record.id };
	struct record_list others = { 0 };

	attachment_targets(at, SIZE_MAX, &led.to, &led.to6);
	if (at->record.to.family)
		led.to = (struct net_addr){ 0 };
	if (at->record.to6.family)
		led.to6 = (struct net_addr){ 0 };
	if (!at->record.ports.n || (!led.to.family && !led.to6.family))
		return 0;
	TRY(record_read_all(at->dir, at->a, &others, e));
	for (size_t i = 0; i < at->record.ports.n; i++) {
		const struct port *p = &at->record.ports.at[i];

		if (p->ip.family && !(p->ip.family == AF_INET ? led.to.family : led.to6.family))
			continue;
		TRY(host_port_check(&led, p, &others, e));
	}
	return 0;
}

/* Its neighbours on other networks know by which it may be asked for, too. */
static int tell_others(const struct attachment *at, size_t i, struct err *e)
{
	if (!resolver_wanted(&at->on[i].network))
		return 0;
	for (size_t k = 0; k < at->record.interfaces.n; k++)
		if (k != i && resolver_wanted(&at->on[k].network))
			TRY(resolver_tell(at->dir, at->on[k].network.name, at->record.id,
					  at->on[i].network.name, true, e));
	return 0;
}

static int make(struct attachment *at, size_t i, const char *hostname, int netns, struct err *e)
{
	static const int families[] = { AF_INET, AF_INET6 };
	auto_netlink struct netlink outer = NETLINK_CLOSED, inner = NETLINK_CLOSED;

	TRY(attachment_lease(at, i, e));
	TRY(netlink_open(-1, &outer, e));
	TRY(netlink_open(netns, &inner, e));
	TRY(attachment_up(at, i, &outer, e));
	TRY(attachment_names(at, i, hostname, e));
	TRY(tell_others(at, i, e));
	TRY(attachment_link(at, i, &outer, netns, e));
	TRY(attachment_set_up(at, i, &inner, netns, e));
	for (size_t k = 0; k < ARRAY_LEN(families); k++)
		if (attachment_way_out(at, families[k], SIZE_MAX) == i)
			TRY(attachment_route(at, i, families[k], &inner, e));
	TRY(attachment_move_ports(at, SIZE_MAX, false, e));
	at->record.interfaces.at[i].partial = false;
	return record_write(at->dir, &at->record, e);
}

/* The container's files are made of what it has now. */
static int finish(const struct attachment *at, const struct net_request *req,
		  struct net_result *ret, struct err *e)
{
	TRY(attachment_files(at, req, ret, e));
	attachment_result(at, ret);
	return 0;
}

static int connect_it(struct attachment *at, const struct net_request *req, struct net_result *ret,
		      struct err *e)
{
	const struct net_join *join = &req->networks.at[0];
	struct err undo = { 0 };
	auto_fd int netns = load(at, req->container_id, e);
	size_t i = at->record.interfaces.n;
	int r;

	TRY(netns);
	if (find(at, join->network) < i)
		return err_set(e, EEXIST, "container %s is on network %s already",
			       req->container_id, join->network ? join->network : NETWORK_DEFAULT);
	if (i == NETWORKS_MAX)
		return err_set(e, EINVAL, "container %s is on %d networks, and can be on no more",
			       req->container_id, NETWORKS_MAX);
	TRY(attachment_plan(at, join, e));
	TRY(check_ports(at, e));
	at->record.interfaces.at[i].partial = true;
	TRY(record_write(at->dir, &at->record, e));
	r = make(at, i, req->hostname, netns, e);
	if (r >= 0)
		r = finish(at, req, ret, e);
	if (r < 0) {
		at->record.interfaces.at[i].partial = true;
		/* What cannot be taken away now is the next sweep's. */
		if (network_lock_resume(at->lock, &undo) < 0 ||
		    attachment_remove(at, i, netns, true, &undo) < 0)
			log_warn("container %s: it was not connected, and: %s", req->container_id,
				 undo.msg);
	}
	return r;
}

int network_connect(int state_dir_fd, const struct net_request *req, struct net_result *ret,
		    struct err *e)
{
	struct net_result result = { 0 };
	struct attachment at = { .dir = state_dir_fd, .a = &result.arena };
	auto_fd int own = -1, lock = -1;
	int r = attachment_check(req, e);

	TRY(r);
	assert(req->networks.n == 1);
	/* What dead containers hold may be the address that is wanted. */
	TRY(network_sweep(state_dir_fd, e));
	own = container_lock(state_dir_fd, req->container_id, true, e);
	TRY(own);
	at.lock = lock = network_lock(state_dir_fd, e);
	TRY(lock);
	r = connect_it(&at, req, &result, e);
	if (r < 0) {
		network_result_done(&result);
		return r;
	}
	*ret = result;
	return 0;
}

static int disconnect_it(struct attachment *at, const struct net_request *req, const char *network,
			 bool force, struct err *e)
{
	auto_fd int netns = load(at, req->container_id, e);
	size_t i;

	TRY(netns);
	i = find(at, network);
	if (i == at->record.interfaces.n)
		return 1;
	return attachment_remove(at, i, netns, force, e);
}

int network_disconnect(int state_dir_fd, const struct net_request *req, const char *network,
		       bool force, struct net_result *ret, struct err *e)
{
	struct net_result result = { 0 };
	struct attachment at = { .dir = state_dir_fd, .a = &result.arena };
	auto_fd int own = -1, lock = -1;
	int r = attachment_check(req, e);

	TRY(r);
	own = container_lock(state_dir_fd, req->container_id, true, e);
	TRY(own);
	at.lock = lock = network_lock(state_dir_fd, e);
	TRY(lock);
	r = disconnect_it(&at, req, network, force, e);
	if (r == 0)
		r = finish(&at, req, &result, e);
	if (r) {
		network_result_done(&result);
		return r;
	}
	*ret = result;
	return 0;
}

int network_look(int state_dir_fd, const char *container_id, struct net_result *ret, struct err *e)
{
	struct net_result result = { 0 };
	struct attachment at = { .dir = state_dir_fd, .lock = -1, .a = &result.arena };
	const char *boot;
	int r = record_boot(at.a, &boot, e);

	TRY(r);
	r = attachment_load(&at, container_id, e);
	if (r == -ENOENT || (r >= 0 && !record_is_alive(&at.record, boot)))
		r = err_set(e, ENOTCONN, "container %s is not attached to any network",
			    container_id);
	if (r < 0) {
		network_result_done(&result);
		return r;
	}
	attachment_result(&at, &result);
	*ret = result;
	return 0;
}

/* Plug-ins alone are told the namespace, which not everybody may open. */
static int check_cni(const struct attachment *at, size_t i, struct err *e)
{
	auto_fd int netns = -1;

	if (at->record.interfaces.at[i].cni.unchecked)
		return 0;
	netns = attachment_netns(at, e);
	TRY(netns);
	return attachment_cni_check(at, i, netns, e);
}

static int check_link(const struct attachment *at, size_t i, struct netlink *nl, struct err *e)
{
	const struct record_interface *it = &at->record.interfaces.at[i];
	struct link_info link;
	int found;

	if (it->cni.plugins.n)
		return check_cni(at, i, e);
	if (!it->link)
		return 0;
	found = link_get(nl, it->link, &link, e);
	if (found == -ENODEV)
		return err_set(e, ENODEV, "container %s: its link %s to network %s is gone",
			       at->record.id, it->link, it->network);
	return found;
}

int network_check(int state_dir_fd, const char *container_id, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct attachment at = { .dir = state_dir_fd, .lock = -1, .a = &a };
	auto_fd int own = container_lock(state_dir_fd, container_id, true, e);
	const char *boot;
	int found;

	TRY(own);
	TRY(record_boot(&a, &boot, e));
	found = record_read(state_dir_fd, container_id, &a, &at.record, e);
	if (found == -ENOENT || (found >= 0 && !record_is_alive(&at.record, boot)))
		return err_set(e, ENOTCONN, "container %s is not attached to any network",
			       container_id);
	TRY(found);
	TRY(netlink_open(-1, &nl, e));
	for (size_t i = 0; i < at.record.interfaces.n; i++)
		TRY(check_link(&at, i, &nl, e));
	return 0;
}

int network_join_check(int state_dir_fd, const struct net_join *join, struct err *e)
{
	static const int families[] = { AF_INET, AF_INET6 };
	auto_arena struct arena a = { 0 };
	auto_leases struct leases none = { 0 };
	auto_fd int lock = network_lock(state_dir_fd, e);
	struct network n = { 0 };
	struct net_addr got;

	TRY(lock);
	for (size_t i = 0; i < join->aliases.n; i++)
		TRY(host_name_check(join->aliases.at[i], e));
	TRY(network_find(state_dir_fd, join->network, &a, &n, e));
	if (n.driver == NETWORK_CNI)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		const struct net_addr *ip = families[i] == AF_INET ? &join->ip : &join->ip6;

		if (ip->family)
			TRY(leases_take(&none, &n, families[i], ip, "", &got, e));
	}
	return 0;
}
