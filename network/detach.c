/* detach.c - taking a container's network away, from its record alone. */
#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "network/attach.h"
#include "network/config.h"
#include "network/ipam.h"
#include "network/link.h"
#include "network/nft.h"
#include "network/record.h"
#include "network/resolver.h"
#include "network/rootless.h"

static int delete_link(struct netlink *nl, const struct record *r, const char *name, struct err *e)
{
	struct link_info link = { 0 };
	auto_buf struct buf alias = { 0 };
	int found = link_get(nl, name, &link, e);

	if (found < 0)
		return found == -ENODEV ? 0 : found;
	buf_printf(&alias, "hull %.*s", 200, r->id);
	/* Without an alias: we were killed before it had one. */
	if (strcmp(link.kind, "veth") != 0 || (link.alias[0] && strcmp(link.alias, alias.text) != 0))
		return 0;
	return link_delete(nl, name, e);
}

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

static int detach(int state_dir_fd, const struct record *r, const char *boot, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;

	/* Of an earlier boot only files are left. */
	if (strcmp(r->boot, boot) == 0) {
		TRY(rootless_stop(state_dir_fd, r, e));
		if (r->interfaces.n)
			TRY(netlink_open(-1, &nl, e));
		TRY(delete_ports(r, e));
		for (size_t i = 0; i < r->interfaces.n; i++)
			if (r->interfaces.at[i].link)
				TRY(delete_link(&nl, r, r->interfaces.at[i].link, e));
	}
	TRY(drop_names(state_dir_fd, r, e));
	TRY(drop_leases(state_dir_fd, r, e));
	return record_forget(state_dir_fd, r->id, e);
}

int network_detach(int state_dir_fd, const char *container_id, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct record record = { 0 };
	const char *boot;
	auto_fd int lock = -1;
	int r;

	TRY(record_check_id(container_id, e));
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

		if (record_is_alive(r, boot))
			continue;
		if (detach(state_dir_fd, r, boot, e) < 0)
			return err_wrap(e, "take the network of container %s away", r->id);
		log_debug("the network of container %s, which is gone, was taken away", r->id);
		n++;
	}
	return n;
}
