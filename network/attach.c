#include "network/attach.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/log.h"
#include "network/attachment.h"
#include "network/conntrack.h"
#include "network/host_port.h"
#include "network/link.h"
#include "network/lock.h"
#include "network/nft.h"
#include "network/rootless.h"

/*
 * Deciding
 */

/* The first of CNI whose plug-ins publish ports; SIZE_MAX: none. */
static size_t find_cni_ports(const struct attachment *at)
{
	for (size_t i = 0; i < at->record.interfaces.n; i++)
		if (at->on[i].network.driver == NETWORK_CNI && at->on[i].network.cni->any.ports)
			return i;
	return SIZE_MAX;
}

static int check_port(const struct record *r, const struct port *p, struct err *e)
{
	if (p->ip.family && !r->helper && !(p->ip.family == AF_INET ? r->to.family : r->to6.family))
		return err_set(e, EINVAL, "publish %s: container %s has no %s address",
			       port_text(p).text, r->id, p->ip.family == AF_INET ? "IPv4" : "IPv6");
	return 0;
}

static int plan_ports(const struct net_request *req, struct attachment *at, struct err *e)
{
	struct record *r = &at->record;
	struct record_list others = { 0 };
	bool leads = r->helper || r->to.family || r->to6.family;
	size_t cni = leads ? SIZE_MAX : find_cni_ports(at);

	if (!req->ports.n)
		return 0;
	if (!r->helper && !r->interfaces.n)
		return err_set(e, EINVAL, "publish %s: container %s is on no network",
			       port_text(&req->ports.at[0]).text, r->id);
	if (!leads && cni == SIZE_MAX)
		return err_set(
			e, EINVAL,
			"publish %s: container %s is on no network that ports can be published "
			"from: network %s is %s",
			port_text(&req->ports.at[0]).text, r->id, at->on[0].network.name,
			at->on[0].network.internal ? "internal"
						   : network_driver_name(at->on[0].network.driver));
	TRY(record_read_all(at->dir, at->a, &others, e));
	r->ports.at = arena_array(at->a, req->ports.n, sizeof(*r->ports.at));
	for (size_t i = 0; i < req->ports.n; i++) {
		struct port p = req->ports.at[i];
		struct record asking = *r;

		/* What plug-ins will make of it is not known yet: that it is IPv4 at least. */
		if (cni != SIZE_MAX)
			asking.to.family = AF_INET;
		else
			TRY(check_port(r, &p, e));
		if (p.host)
			TRY(host_port_check(&asking, &p, &others, e));
		else
			TRY(host_port_choose(&asking, &others, &p, e));
		r->ports.at[r->ports.n++] = p;
	}
	return cni == SIZE_MAX ? 0
			       : attachment_cni_plan(at, cni, &req->networks.at[cni], &r->ports, e);
}

static void plan_names(const struct net_request *req, struct attachment *at)
{
	struct strings *names = &at->record.names;
	size_t n = 2;

	for (size_t i = 0; i < req->networks.n; i++)
		n += req->networks.at[i].aliases.n;
	names->at = arena_array(at->a, n, sizeof(*names->at));
	names->at[names->n++] = req->container_id;
	if (req->hostname)
		names->at[names->n++] = req->hostname;
	for (size_t i = 0; i < req->networks.n; i++)
		for (size_t k = 0; k < req->networks.at[i].aliases.n; k++)
			names->at[names->n++] = req->networks.at[i].aliases.at[k];
}

/* A record of the same id stands for one that died, or for a mistake. */
static int check_free(struct attachment *at, const char *id, struct err *e)
{
	struct record old = { 0 };
	int r = record_read(at->dir, id, at->a, &old, e);

	if (r == -ENOENT)
		return 0;
	TRY(r);
	return err_set(e, EEXIST, "container %s has its network already", id);
}

static int plan_interfaces(const struct net_request *req, struct attachment *at, struct err *e)
{
	static const struct net_join by_default;

	at->record.interfaces.at =
		arena_array(at->a, NETWORKS_MAX, sizeof(*at->record.interfaces.at));
	if (req->mode != NET_NETWORKS)
		return 0;
	if (!req->networks.n && !req->apart)
		return attachment_plan(at, &by_default, e);
	for (size_t i = 0; i < req->networks.n; i++)
		TRY(attachment_plan(at, &req->networks.at[i], e));
	return 0;
}

static int bring_up(const struct net_request *req, struct attachment *at, struct err *e)
{
	size_t n = at->record.interfaces.n;
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	bool named = false;

	for (size_t i = 0; i < n; i++)
		TRY(attachment_lease(at, i, e));
	if (n)
		TRY(netlink_open(-1, &nl, e));
	for (size_t i = 0; i < n; i++)
		TRY(attachment_up(at, i, &nl, e));
	for (size_t i = 0; i < n; i++) {
		TRY(attachment_names(at, i, req->hostname, e));
		named = named || at->record.interfaces.at[i].named;
	}
	return named ? record_write(at->dir, &at->record, e) : 0;
}

/* Under the lock: decides, writes the record and the leases, brings the networks up. */
static int reserve(const struct net_request *req, struct attachment *at, bool *recorded,
		   struct err *e)
{
	auto_fd int lock = network_lock(at->dir, e);
	struct record *r = &at->record;
	int found;

	if (lock < 0)
		return lock;
	*r = (struct record){ .id = req->container_id };
	TRY(check_free(at, r->id, e));
	TRY(record_boot(at->a, &r->boot, e));
	found = process_mark(req->owner, &r->owner, e);
	if (found == -ESRCH)
		return err_set(e, ESRCH, "container %s has no process %d to own its network", r->id,
			       (int)req->owner);
	TRY(found);
	if (req->mode == NET_PASTA || req->mode == NET_SLIRP)
		r->helper = rootless_program(req->mode);
	TRY(plan_interfaces(req, at, e));
	attachment_targets(at, SIZE_MAX, &r->to, &r->to6);
	plan_names(req, at);
	TRY(plan_ports(req, at, e));
	TRY(record_write(at->dir, r, e));
	*recorded = true;
	return bring_up(req, at, e);
}

/*
 * Doing
 */

static int set_up_inside(const struct attachment *at, int netns_fd, struct err *e)
{
	static const int families[] = { AF_INET, AF_INET6 };
	auto_netlink struct netlink nl = NETLINK_CLOSED;

	TRY(netlink_open(netns_fd, &nl, e));
	TRY(link_set_up(&nl, "lo", true, e));
	for (size_t i = 0; i < at->record.interfaces.n; i++)
		TRY(attachment_set_up(at, i, &nl, netns_fd, e));
	for (size_t k = 0; k < ARRAY_LEN(families); k++) {
		size_t i = attachment_way_out(at, families[k], SIZE_MAX);

		if (i != SIZE_MAX)
			TRY(attachment_route(at, i, families[k], &nl, e));
	}
	return 0;
}

/* What is known only now: by which number the container knows its link. */
static int note_links(const struct attachment *at, struct err *e)
{
	auto_fd int lock = -1;
	bool any = false;

	for (size_t i = 0; i < at->record.interfaces.n; i++)
		any = any || at->record.interfaces.at[i].index;
	if (!any)
		return 0;
	lock = network_lock(at->dir, e);
	return lock < 0 ? lock : record_write(at->dir, &at->record, e);
}

static int make(const struct net_request *req, struct attachment *at, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	auto_buf struct buf rules = { 0 };

	if (at->record.helper)
		return rootless_start(at->dir, req, &at->record, e);
	if (at->record.interfaces.n)
		TRY(netlink_open(-1, &nl, e));
	for (size_t i = 0; i < at->record.interfaces.n; i++)
		TRY(attachment_link(at, i, &nl, req->netns_fd, e));
	TRY(set_up_inside(at, req->netns_fd, e));
	TRY(note_links(at, e));
	if (!at->record.ports.n)
		return 0;
	nft_ports(&rules, &at->record, false);
	if (!rules.len)
		return 0; /* plug-ins publish them */
	TRY(nft_run(rules.text, "publish ports", e));
	conntrack_forget(&at->record);
	return 0;
}

static int attach_own(const struct net_request *req, struct attachment *at, struct err *e)
{
	auto_fd int own = container_lock(at->dir, req->container_id, true, e);
	bool recorded = false;
	struct err undo = { 0 };
	int r;

	TRY(own);
	r = reserve(req, at, &recorded, e);
	if (r >= 0)
		r = make(req, at, e);
	if (r < 0 && recorded && attachment_detach(at->dir, req->container_id, NULL, &undo) < 0)
		log_warn("container %s: its network was not attached, and: %s", req->container_id,
			 undo.msg);
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
	struct attachment at = { .dir = state_dir_fd, .lock = -1, .a = &result.arena };
	struct err why = { 0 };
	int r = attachment_check(req, &why);

	if (r >= 0 && req->mode != NET_HOST && req->mode != NET_JOINED) {
		r = attach_own(req, &at, &why);
		if (may_be_swept(r) && network_sweep(state_dir_fd, NULL) > 0) {
			at = (struct attachment){ .dir = state_dir_fd,
						  .lock = -1,
						  .a = &result.arena };
			r = attach_own(req, &at, &why);
		}
	}
	if (r >= 0) {
		r = attachment_files(&at, req, &result, &why);
		if (r < 0 && at.record.id &&
		    network_detach(state_dir_fd, req->container_id, NULL, NULL) < 0)
			log_warn("container %s: its network could not be taken away",
				 req->container_id);
	}
	if (r < 0) {
		network_result_done(&result);
		if (e)
			*e = why;
		return r;
	}
	attachment_result(&at, &result);
	*ret = result;
	return 0;
}

void network_result_done(struct net_result *ret)
{
	arena_done(&ret->arena);
	*ret = (struct net_result){ 0 };
}
