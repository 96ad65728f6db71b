/* detach.c - taking a container's network away, from its record alone. */
#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "network/attach.h"
#include "network/attachment.h"
#include "network/config.h"
#include "network/ipam.h"
#include "network/link.h"
#include "network/nft.h"
#include "network/record.h"
#include "network/resolver.h"
#include "network/rootless.h"

static int delete_ports(const struct record *r, struct err *e)
{
	auto_buf struct buf rules = { 0 };
	int exists;

	if (!r->ports.n || r->helper)
		return 0;
	exists = nft_table_exists(e);
	if (exists <= 0)
		return exists;
	nft_ports(&rules, r, true);
	if (!rules.len)
		return 0; /* they led nowhere */
	return nft_run(rules.text, "take published ports back", e);
}

static int drop_leases(int state_dir_fd, const struct record *r, struct err *e)
{
	for (size_t i = 0; i < r->interfaces.n; i++) {
		auto_leases struct leases leases = { 0 };
		const char *network = r->interfaces.at[i].network;

		TRY(leases_read(state_dir_fd, network, &leases, e));
		if (leases_drop(&leases, r->id))
			TRY(leases_write(state_dir_fd, network, &leases, e));
	}
	return 0;
}

static int drop_names(int state_dir_fd, const struct record *r, struct err *e)
{
	for (size_t i = 0; i < r->interfaces.n; i++)
		TRY(resolver_drop(state_dir_fd, r->interfaces.at[i].network, r->id, e));
	return 0;
}

/* Also of an earlier boot: what plug-ins keep on disk is theirs to give back. */
static int delete_cni(const struct record *r, const char *boot, struct err *e)
{
	for (size_t i = r->interfaces.n; i-- > 0;)
		if (r->interfaces.at[i].cni.plugins.n)
			TRY(attachment_cni_delete(r, i, record_is_alive(r, boot), e));
	return 0;
}

static int delete_links(const struct record *r, struct netlink *nl, struct err *e)
{
	for (size_t i = 0; i < r->interfaces.n; i++)
		if (r->interfaces.at[i].link)
			TRY(attachment_delete_link(nl, r->id, r->interfaces.at[i].link, e));
	return 0;
}

static int detach(int state_dir_fd, const struct record *r, const char *boot, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;

	TRY(delete_cni(r, boot, e));
	/* Of an earlier boot only files are left. */
	if (strcmp(r->boot, boot) == 0) {
		TRY(rootless_stop(state_dir_fd, r, e));
		if (r->interfaces.n)
			TRY(netlink_open(-1, &nl, e));
		TRY(delete_ports(r, e));
		TRY(delete_links(r, &nl, e));
	}
	TRY(drop_names(state_dir_fd, r, e));
	TRY(drop_leases(state_dir_fd, r, e));
	return record_forget(state_dir_fd, r->id, e);
}

/*
 * The kernel gives a link up only when nobody can be looking at it any more, which takes it many milliseconds. So it
 * is asked to before the lock is taken, and others need not wait for that; what has not worked is tried again,
 * and said, with the lock.
 */
static void delete_links_early(int state_dir_fd, const char *container_id)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	auto_arena struct arena a = { 0 };
	struct record record = { 0 };
	const char *boot;
	struct err e = { 0 };

	if (record_read(state_dir_fd, container_id, &a, &record, &e) < 0 || !record.interfaces.n ||
	    record_boot(&a, &boot, &e) < 0 || strcmp(record.boot, boot) != 0)
		return;
	if (netlink_open(-1, &nl, &e) < 0 || delete_links(&record, &nl, &e) < 0)
		log_debug("container %s: %s", container_id, e.msg);
}

int network_detach(int state_dir_fd, const char *container_id, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct record record = { 0 };
	const char *boot;
	auto_fd int lock = -1;
	int r;

	TRY(record_check_id(container_id, e));
	delete_links_early(state_dir_fd, container_id);
	lock = network_lock(state_dir_fd, e);
	if (lock < 0)
		return lock;
	r = record_read(state_dir_fd, container_id, &a, &record, e);
	if (r == -ENOENT)
		return 0;
	TRY(r);
	TRY(record_boot(&a, &boot, e));
	if (detach(state_dir_fd, &record, boot, e) < 0)
		return err_wrap(e, "take the network of container %s away", container_id);
	return 0;
}

/* What a killed hull left of the networks of one that lives. */
static int repair(int state_dir_fd, const struct record *r, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct attachment at = { .dir = state_dir_fd, .a = &a };
	bool partial = false;

	for (size_t i = 0; i < r->interfaces.n; i++)
		partial = partial || r->interfaces.at[i].partial;
	if (!partial)
		return 0;
	TRY(attachment_load(&at, r->id, e));
	return attachment_repair(&at, e);
}

static bool is_of_cni(const struct record *r)
{
	for (size_t i = 0; i < r->interfaces.n; i++)
		if (r->interfaces.at[i].cni.plugins.n)
			return true;
	return false;
}

int network_sweep(int state_dir_fd, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct record_list records = { 0 };
	const char *boot;
	auto_fd int lock = network_lock(state_dir_fd, e);
	int n = 0;

	if (lock < 0)
		return lock;
	TRY(record_read_all(state_dir_fd, &a, &records, e));
	TRY(record_boot(&a, &boot, e));
	for (size_t i = 0; i < records.n; i++) {
		const struct record *r = &records.at[i];
		struct err why = { 0 };

		if (record_is_alive(r, boot)) {
			/* It is in nobody's way but its own. */
			if (repair(state_dir_fd, r, &why) < 0)
				log_warn("%s", why.msg);
			continue;
		}
		if (detach(state_dir_fd, r, boot, &why) < 0) {
			err_wrap(&why, "take the network of container %s away", r->id);
			/* A plug-in that is not there any more is in the way of its own networks alone. */
			if (is_of_cni(r)) {
				log_warn("%s", why.msg);
				continue;
			}
			if (e)
				*e = why;
			return -why.code;
		}
		log_debug("the network of container %s, which is gone, was taken away", r->id);
		n++;
	}
	return n;
}
