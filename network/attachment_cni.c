/*
 * attachment_cni.c - what CNI plug-ins make for a container, and take away.
 *
 * A plug-in gets the container's network namespace as a path. A pid's is none to give: the number
 * may be another's by the time that it is opened. So DIR/containers/ID.netns leads, for as long as
 * plug-ins run, to the descriptor that was checked. It is the same for ADD, CHECK and DEL, and that
 * must be so: plug-ins answer ADD with it ("sandbox") and compare it at CHECK.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "network/attachment.h"
#include "network/config.h"
#include "network/lock.h"

struct netns_name {
	char text[NAME_MAX + 32];
};

static struct netns_name name_of(const char *id)
{
	struct netns_name name;

	snprintf(name.text, sizeof(name.text), "containers/%s.netns", id);
	return name;
}

int attachment_cni_forget(int state_dir_fd, const char *id, struct err *e)
{
	struct netns_name name = name_of(id);

	if (unlinkat(state_dir_fd, name.text, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove %s", name.text);
	return 0;
}

/* What is there already is of one who was killed: the container's lock is ours. */
static int show_netns(const struct attachment *at, int netns_fd, const char **ret, struct err *e)
{
	struct netns_name name = name_of(at->record.id);
	const char *dir = NULL, *target;

	*ret = NULL;
	if (netns_fd < 0)
		return 0;
	TRY(network_state_path(at->dir, at->a, &dir, e));
	target = arena_printf(at->a, "/proc/%d/fd/%d", (int)getpid(), netns_fd);
	TRY(attachment_cni_forget(at->dir, at->record.id, e));
	if (symlinkat(target, at->dir, name.text) < 0)
		return err_sys(e, "make %s", name.text);
	*ret = arena_printf(at->a, "%s/%s", dir, name.text);
	return 0;
}

/* Runs something of its plug-ins, without the lock of the networks. */
static int run(const struct attachment *at, size_t i, int netns_fd,
	       int (*fn)(const struct cni_call *call, void *ctx, struct err *e), void *ctx,
	       struct err *e)
{
	const struct record_interface *kept = &at->record.interfaces.at[i];
	struct cni_call call = { .prepared = &kept->cni,
				 .result = kept->cni_result,
				 .container = at->record.id,
				 .interface = kept->name };
	struct err why = { 0 };
	int r;

	TRY(show_netns(at, netns_fd, &call.netns, e));
	network_lock_pause(at->lock);
	r = fn(&call, ctx, e);
	if (attachment_cni_forget(at->dir, at->record.id, &why) < 0)
		log_warn("container %s: %s", at->record.id, why.msg);
	if (network_lock_resume(at->lock, &why) == 0 || r < 0)
		return r;
	return err_set(e, why.code, "%s", why.msg);
}

int attachment_cni_plan(struct attachment *at, size_t i, const struct net_join *join,
			const struct port_list *ports, struct err *e)
{
	struct record_interface *kept = &at->record.interfaces.at[i];
	const struct cni_wish wish = { .ip = join->ip,
				       .ip6 = join->ip6,
				       .mac = join->mac,
				       .aliases = join->aliases,
				       .ports = *ports };

	TRY(cni_programs_check(at->on[i].network.cni, e));
	kept->cni_ports = ports->n;
	TRY(cni_prepare(at->on[i].network.cni, &wish, at->a, &kept->cni, e));
	kept->cni.path = arena_strdup(at->a, cni_path());
	return 0;
}

struct addition {
	struct arena *a;
	const char *text;
	struct cni_result made;
};

static int add(const struct cni_call *call, void *ctx, struct err *e)
{
	struct addition *it = ctx;

	return cni_add(call, it->a, &it->text, &it->made, e);
}

static int delete (const struct cni_call *call, void *ctx UNUSED, struct err *e)
{
	return cni_delete(call, e);
}

static int check(const struct cni_call *call, void *ctx UNUSED, struct err *e)
{
	return cni_check(call, e);
}

/*
 * At once, so that whoever takes it away can tell the plug-ins what they had answered. What
 * cannot be remembered is taken away here, where that is still known.
 */
static int remember(struct attachment *at, size_t i, int netns_fd, struct err *e)
{
	struct record_interface *kept = &at->record.interfaces.at[i];
	struct err undo = { 0 };
	int r = record_write(at->dir, &at->record, e);

	if (r >= 0)
		return 0;
	if (run(at, i, netns_fd, delete, NULL, &undo) < 0)
		log_warn("container %s: %s", at->record.id, undo.msg);
	kept->cni_result = NULL;
	return r;
}

int attachment_cni_add(struct attachment *at, size_t i, int netns_fd, struct err *e)
{
	struct record_interface *kept = &at->record.interfaces.at[i];
	struct net_interface *it = &at->on[i].interface;
	struct addition added = { .a = at->a };

	int r = run(at, i, netns_fd, add, &added, e);

	/* Also if the networks' lock is not had again: what undoes it needs the answer. */
	kept->cni_result = added.text;
	TRY(r);
	at->on[i].cni = added.made;
	it->ip = added.made.ip;
	it->ip6 = added.made.ip6;
	it->gateway = added.made.gateway;
	it->gateway6 = added.made.gateway6;
	it->mac = added.made.mac;
	kept->ip = added.made.ip.base;
	kept->ip6 = added.made.ip6.base;
	kept->mac = added.made.mac;
	return remember(at, i, netns_fd, e);
}

int attachment_cni_delete(const struct attachment *at, size_t i, int netns_fd, struct err *e)
{
	return run(at, i, netns_fd, delete, NULL, e);
}

int attachment_cni_check(const struct attachment *at, size_t i, int netns_fd, struct err *e)
{
	return run(at, i, netns_fd, check, NULL, e);
}
