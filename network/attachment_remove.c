/* attachment_remove.c - one network of a container is taken away, made or half made. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "network/attachment.h"
#include "network/ipam.h"
#include "network/link.h"
#include "network/resolver.h"

int attachment_delete_link(struct netlink *nl, const char *id, const char *name, struct err *e)
{
	struct link_info link = { 0 };
	auto_buf struct buf alias = { 0 };
	int found = link_get(nl, name, &link, e);

	if (found < 0)
		return found == -ENODEV ? 0 : found;
	buf_printf(&alias, "hull %.*s", 200, id);
	/* Without an alias: we were killed before it had one. */
	if (strcmp(link.kind, "veth") != 0 ||
	    (link.alias[0] && strcmp(link.alias, alias.text) != 0))
		return 0;
	return link_delete(nl, name, e);
}

struct child_search {
	unsigned index;
	const char *name, *kind;
	char found[IF_NAMESIZE];
};

/* Without an index: we were killed before it was noted; it has the name that it was given. */
static int find_child(const struct link_info *link, void *ctx)
{
	struct child_search *s = ctx;

	if (strcmp(link->kind, s->kind) == 0 &&
	    (s->index ? link->index == s->index : strcmp(link->name, s->name) == 0))
		snprintf(s->found, sizeof(s->found), "%s", link->name);
	return 0;
}

static int delete_child(const struct attachment *at, size_t i, struct netlink *inner, bool force,
			struct err *e)
{
	const struct record_interface *kept = &at->record.interfaces.at[i];
	struct child_search s = { .index = kept->index,
				  .name = kept->name,
				  .kind = network_driver_name(at->on[i].network.driver) };

	TRY(link_each(inner, find_child, &s, e));
	if (s.found[0])
		return link_delete(inner, s.found, e);
	if (force)
		return 0;
	return err_set(
		e, ENODEV,
		"container %s has moved or deleted its link %s: --force gives its address back "
		"all the same",
		at->record.id, kept->name);
}

static int delete_link(const struct attachment *at, size_t i, int netns_fd, bool force,
		       struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	const char *link = at->record.interfaces.at[i].link;

	if (at->record.interfaces.at[i].cni.plugins.n)
		return attachment_cni_delete(at, i, netns_fd, e);
	if (!link && netns_fd < 0)
		return 0; /* it went with the namespace */
	TRY(netlink_open(link ? -1 : netns_fd, &nl, e));
	return link ? attachment_delete_link(&nl, at->record.id, link, e)
		    : delete_child(at, i, &nl, force, e);
}

/* The next network has the way out then. What the container made of its links is its own affair. */
static void move_routes(const struct attachment *at, size_t i, int netns_fd)
{
	static const int families[] = { AF_INET, AF_INET6 };
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct err e = { 0 };

	for (size_t k = 0; k < ARRAY_LEN(families); k++) {
		size_t next = attachment_way_out(at, families[k], i);

		if (next == SIZE_MAX || attachment_way_out(at, families[k], SIZE_MAX) != i)
			continue;
		if ((nl.fd < 0 && netlink_open(netns_fd, &nl, &e) < 0) ||
		    attachment_route(at, next, families[k], &nl, &e) < 0)
			log_warn("container %s has no way out any more: %s", at->record.id, e.msg);
	}
}

static int drop_names(const struct attachment *at, size_t i, struct err *e)
{
	const char *name = at->on[i].network.name;

	for (size_t k = 0; k < at->record.interfaces.n; k++)
		if (k != i && resolver_wanted(&at->on[k].network))
			TRY(resolver_tell(at->dir, at->on[k].network.name, at->record.id, name,
					  false, e));
	return resolver_drop(at->dir, name, at->record.id, e);
}

static int drop_lease(const struct attachment *at, size_t i, struct err *e)
{
	auto_leases struct leases leases = { 0 };
	const char *network = at->on[i].network.name;

	TRY(leases_read(at->dir, network, &leases, e));
	return leases_drop(&leases, at->record.id) ? leases_write(at->dir, network, &leases, e) : 0;
}

int attachment_remove(struct attachment *at, size_t i, int netns_fd, bool force, struct err *e)
{
	struct record *r = &at->record;
	size_t after = r->interfaces.n - i - 1;
	bool begun = r->interfaces.at[i].partial; /* any part of it may be missing */
	struct err undo = { 0 };
	int gone;

	r->interfaces.at[i].partial = true;
	TRY(record_write(at->dir, r, e));
	gone = delete_link(at, i, netns_fd, begun || force, e);
	if (gone < 0) {
		r->interfaces.at[i].partial = begun;
		if (!begun && record_write(at->dir, r, &undo) < 0)
			log_warn("%s", undo.msg);
		return gone;
	}
	TRY(attachment_move_ports(at, i, begun, e));
	TRY(drop_names(at, i, e));
	if (netns_fd >= 0)
		move_routes(at, i, netns_fd);
	TRY(drop_lease(at, i, e));
	memmove(&r->interfaces.at[i], &r->interfaces.at[i + 1], after * sizeof(*r->interfaces.at));
	memmove(&at->on[i], &at->on[i + 1], after * sizeof(*at->on));
	r->interfaces.n--;
	return record_write(at->dir, r, e);
}

int attachment_repair(struct attachment *at, struct err *e)
{
	for (size_t i = at->record.interfaces.n; i-- > 0;) {
		auto_fd int netns = -1;

		if (!at->record.interfaces.at[i].partial)
			continue;
		log_debug("container %s: taking away what was begun on network %s", at->record.id,
			  at->on[i].network.name);
		netns = attachment_netns(at, e);
		if (netns < 0 && netns != -ESRCH)
			return netns;
		TRY(attachment_remove(at, i, netns < 0 ? -1 : netns, true, e));
	}
	return 0;
}

int attachment_netns(const struct attachment *at, struct err *e)
{
	struct stat theirs, ours;
	auto_fd int fd = -1;
	char path[48];
	bool ending;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)at->record.owner.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	/* One that is ending is without a namespace before it is dead. */
	ending = fd < 0 && errno == ENOENT;
	/* Only now: the number may have been somebody else's when it was opened. */
	if (ending || !process_is_alive(&at->record.owner))
		return err_set(e, ESRCH, "container %s has ended", at->record.id);
	if (fd < 0 || fstat(fd, &theirs) < 0 || stat("/proc/self/ns/net", &ours) < 0)
		return err_sys(e, "open the network namespace of container %s", at->record.id);
	if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
		return err_set(e, EINVAL,
			       "container %s has left its network namespace for hull's own",
			       at->record.id);
	return take_fd(&fd);
}
