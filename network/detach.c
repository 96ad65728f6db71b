/* detach.c - taking a container's network away, from its record alone. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "network/attach.h"
#include "network/attachment.h"
#include "network/config.h"
#include "network/conntrack.h"
#include "network/ipam.h"
#include "network/link.h"
#include "network/lock.h"
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
	TRY(nft_run(rules.text, "take published ports back", e));
	conntrack_forget(r);
	return 0;
}

/*
 * What is to be taken away is tried in turn, whatever became of what was before it; the first
 * failure is what is said.
 */
static int note(int r, struct err *why, struct err *first)
{
	if (r < 0 && !first->code)
		*first = *why;
	if (r < 0 && !first->code) /* a failure that has no words is one */
		err_neg(first, r, "take it away");
	*why = (struct err){ 0 };
	return r;
}

static int finish(const struct err *first, struct err *e)
{
	if (first->code && e)
		*e = *first;
	return -first->code;
}

static int delete_links(const struct record *r, struct err *e)
{
	auto_netlink struct netlink nl = NETLINK_CLOSED;
	struct err why = { 0 }, first = { 0 };

	if (r->interfaces.n)
		TRY(netlink_open(-1, &nl, e));
	for (size_t i = 0; i < r->interfaces.n; i++)
		if (r->interfaces.at[i].link)
			note(attachment_delete_link(&nl, r->id, r->interfaces.at[i].link, &why),
			     &why, &first);
	return finish(&first, e);
}

static int drop_lease(int state_dir_fd, const char *network, const char *id, struct err *e)
{
	auto_leases struct leases leases = { 0 };

	TRY(leases_read(state_dir_fd, network, &leases, e));
	return leases_drop(&leases, id) ? leases_write(state_dir_fd, network, &leases, e) : 0;
}

static int drop_leases(int state_dir_fd, const struct record *r, struct err *e)
{
	struct err why = { 0 }, first = { 0 };

	for (size_t i = 0; i < r->interfaces.n; i++)
		note(drop_lease(state_dir_fd, r->interfaces.at[i].network, r->id, &why), &why,
		     &first);
	return finish(&first, e);
}

static int drop_names(int state_dir_fd, const struct record *r, struct err *e)
{
	struct err why = { 0 }, first = { 0 };

	for (size_t i = 0; i < r->interfaces.n; i++)
		note(resolver_drop(state_dir_fd, r->interfaces.at[i].network, r->id, &why), &why,
		     &first);
	return finish(&first, e);
}

static bool is_of_cni(const struct record *r)
{
	for (size_t i = 0; i < r->interfaces.n; i++)
		if (r->interfaces.at[i].cni.plugins.n)
			return true;
	return false;
}

/* Also of an earlier boot: what plug-ins keep on disk is theirs to give back. */
static int delete_cni(const struct attachment *at, const char *boot, struct err *e)
{
	const struct record *r = &at->record;
	struct err why = { 0 }, first = { 0 };
	auto_fd int netns = -1;

	if (!is_of_cni(r))
		return 0;
	if (strcmp(r->boot, boot) == 0) {
		netns = attachment_netns(at, e);
		if (netns < 0 && netns != -ESRCH)
			return netns;
	}
	for (size_t i = r->interfaces.n; i-- > 0;)
		if (r->interfaces.at[i].cni.plugins.n)
			note(attachment_cni_delete(at, i, netns < 0 ? -1 : netns, &why), &why,
			     &first);
	note(attachment_cni_forget(at->dir, r->id, &why), &why, &first);
	return finish(&first, e);
}

/* With the container's lock held. */
static int detach(const struct attachment *at, const char *boot, struct err *e)
{
	const struct record *r = &at->record;
	struct err why = { 0 }, first = { 0 };
	bool here = strcmp(r->boot, boot) == 0; /* of an earlier boot only files are left */
	bool led = false;
	auto_fd int lock = -1;

	note(delete_cni(at, boot, &why), &why, &first);
	/* The kernel takes many milliseconds to give a link up; nobody else need wait for that. */
	if (here)
		led = note(delete_links(r, &why), &why, &first) < 0;
	lock = network_lock(at->dir, e);
	TRY(lock);
	if (here) {
		note(rootless_stop(at->dir, r, &why), &why, &first);
		led = note(delete_ports(r, &why), &why, &first) < 0 || led;
	}
	note(drop_names(at->dir, r, &why), &why, &first);
	/* An address to which rules or links of this one may lead is nobody else's yet. */
	if (!led)
		note(drop_leases(at->dir, r, &why), &why, &first);
	TRY(finish(&first, e));
	return record_forget(at->dir, r->id, e);
}

int attachment_detach(int state_dir_fd, const char *id, struct buf *ret_left, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct attachment at = { .dir = state_dir_fd, .lock = -1, .a = &a };
	const char *boot;
	int r = record_read(state_dir_fd, id, &a, &at.record, e);

	if (r == -ENOENT)
		return 0;
	TRY(r);
	TRY(record_boot(&a, &boot, e));
	if (detach(&at, boot, e) < 0)
		return err_wrap(e, "take the network of container %s away", id);
	for (size_t i = 0; ret_left && i < at.record.interfaces.n; i++) {
		const char *name = at.record.interfaces.at[i].network;

		buf_add(ret_left, name, strlen(name) + 1);
	}
	return 0;
}

int network_detach(int state_dir_fd, const char *container_id, struct buf *ret_left, struct err *e)
{
	auto_fd int own = -1;

	TRY(record_check_id(container_id, e));
	own = container_lock(state_dir_fd, container_id, true, e);
	TRY(own);
	return attachment_detach(state_dir_fd, container_id, ret_left, e);
}

static bool is_partial(const struct record *r)
{
	for (size_t i = 0; i < r->interfaces.n; i++)
		if (r->interfaces.at[i].partial)
			return true;
	return false;
}

/* What a killed hull left of the networks of one that lives. */
static int repair(int state_dir_fd, const char *id, struct err *e)
{
	auto_arena struct arena a = { 0 };
	auto_fd int lock = network_lock(state_dir_fd, e);
	struct attachment at = { .dir = state_dir_fd, .lock = lock, .a = &a };

	TRY(lock);
	TRY(attachment_load(&at, id, e));
	return attachment_repair(&at, e);
}

/*
 * One container, as it is now that its lock is ours. Returns 1 if it was detached. Another hull
 * that is at it does what is to be done, and is waited for, but not if its plug-ins may run.
 */
static int sweep_one(int state_dir_fd, const struct record *seen, const char *boot, struct err *e)
{
	bool wait = !record_is_alive(seen, boot) && !is_of_cni(seen);
	auto_fd int own = container_lock(state_dir_fd, seen->id, wait, e);
	auto_arena struct arena a = { 0 };
	struct record now = { 0 };
	int r;

	if (own == -EBUSY && !wait)
		return 0;
	TRY(own);
	r = record_read(state_dir_fd, seen->id, &a, &now, e);
	if (r == -ENOENT)
		return 0;
	TRY(r);
	if (!record_is_alive(&now, boot)) {
		TRY(attachment_detach(state_dir_fd, now.id, NULL, e));
		log_debug("the network of container %s, which is gone, was taken away", now.id);
		return 1;
	}
	/* It is in nobody's way but its own. */
	if (is_partial(&now) && repair(state_dir_fd, now.id, e) < 0)
		log_warn("%s", e->msg);
	return 0;
}

/* What killed ones were about to write. Whoever writes there has the networks' lock. */
static int clear_staged(int state_dir_fd, struct err *e)
{
	static const char *const places[] = { "networks", "leases", "names", "resolvers" };
	auto_fd int lock = network_lock(state_dir_fd, e);

	TRY(lock);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		auto_fd int dir = openat(state_dir_fd, places[i],
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int r = dir < 0 ? -errno : io_clear_staged(dir);

		if (r < 0 && r != -ENOENT)
			return err_neg(e, r, "remove what was not written to its end in %s",
				       places[i]);
	}
	return 0;
}

/* The same of records, which are written with the container's lock. */
static int clear_records(int state_dir_fd, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct strings ids = { 0 };

	TRY(network_files_unwritten(state_dir_fd, "containers", ".json", &a, &ids, e));
	for (size_t i = 0; i < ids.n; i++) {
		const char *path = arena_printf(&a, "containers/.%s.json.new", ids.at[i]);
		auto_fd int own = container_lock(state_dir_fd, ids.at[i], false, e);

		if (own == -EBUSY)
			continue;
		TRY(own);
		if (unlinkat(state_dir_fd, path, 0) < 0 && errno != ENOENT)
			return err_sys(e, "remove %s", path);
	}
	return 0;
}

int network_sweep(int state_dir_fd, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct record_list records = { 0 };
	struct err first = { 0 }, why = { 0 };
	const char *boot;
	int n = 0;

	TRY(record_read_all(state_dir_fd, &a, &records, e));
	TRY(record_boot(&a, &boot, e));
	for (size_t i = 0; i < records.n; i++) {
		const struct record *r = &records.at[i];
		int swept;

		if (record_is_alive(r, boot) && !is_partial(r))
			continue;
		swept = sweep_one(state_dir_fd, r, boot, &why);
		/* A plug-in that is not there any more is in the way of its own networks alone. */
		if (swept < 0 && is_of_cni(r))
			log_warn("%s", why.msg);
		else
			note(swept, &why, &first);
		n += swept > 0;
	}
	note(clear_staged(state_dir_fd, &why), &why, &first);
	note(clear_records(state_dir_fd, &why), &why, &first);
	TRY(finish(&first, e));
	return n;
}
