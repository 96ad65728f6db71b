/* ps_entry.c - what is known of one container: its view, and what has to be looked for. */
#include <errno.h>
#include <sys/socket.h>

#include "base/log.h"
#include "cli/ps_filter.h"
#include "engine/netjoin.h"

/* "8080" or "8080-8090" */
static const char *range_text(unsigned first, unsigned count, struct arena *a)
{
	return count > 1 ? arena_printf(a, "%u-%u", first, first + count - 1)
			 : arena_printf(a, "%u", first);
}

static void add_port(const char *ip, const struct port *p, struct buf *ret, struct arena *a)
{
	buf_printf(ret, "%s%s:%s->%s/%s", ret->len ? ", " : "", ip,
		   range_text(p->host, p->count, a), range_text(p->container, p->count, a),
		   port_protocol_name(p->protocol));
}

static const char *ports_of(const struct net_result *now, struct arena *a)
{
	auto_buf struct buf b = { 0 };

	buf_str(&b, "");
	for (size_t i = 0; i < now->ports.n; i++) {
		const struct port *p = &now->ports.at[i];
		const char *ip = addr_text(&p->ip).text;

		if (p->ip.family)
			add_port(p->ip.family == AF_INET6 ? arena_printf(a, "[%s]", ip)
							  : arena_strdup(a, ip),
				 p, &b, a);
		if (!p->ip.family && now->ports4)
			add_port("0.0.0.0", p, &b, a);
		if (!p->ip.family && now->ports6)
			add_port("[::]", p, &b, a);
	}
	return arena_strdup(a, b.text);
}

static void use_view(const struct netjoin_view *v, struct ps_entry *entry)
{
	struct arena *a = &entry->arena;
	size_t n = v->joins.list.n;

	if (v->attached)
		entry->ports = ports_of(&v->now, a);
	if (!n)
		return;
	entry->networks = (struct strings){ arena_array(a, n, sizeof(char *)), n };
	for (size_t i = 0; i < n; i++)
		entry->networks.at[i] = arena_strdup(a, v->joins.list.at[i].network);
}

/* One whose networks can't be told is listed all the same. -ENOENT: it is gone. */
static int look_at_networks(const struct engine *g, struct ps_entry *entry, struct err *e)
{
	auto_netjoin_view struct netjoin_view v = { 0 };
	auto_record struct record again = { 0 };
	auto_fd int dir = record_open(g, entry->view.id, &again, e);

	TRY(dir);
	if (netjoin_look(g, dir, &entry->view.record, &v, e) < 0)
		log_warn("container %s: %s", entry->view.record.name, e->msg);
	else
		use_view(&v, entry);
	return 0;
}

int ps_entry_read(const struct engine *g, const char *id, unsigned needs, struct ps_entry *ret,
		  struct err *e)
{
	const struct record *r = &ret->view.record;

	TRY(engine_view(g, id, &ret->view, e));
	ret->ports = "";
	ret->networks = (struct strings){ arena_array(&ret->arena, 1, sizeof(char *)), 1 };
	ret->networks.at[0] = r->network;
	if ((needs & PS_NETWORKS) || (r->published.n && ret->view.state != STATE_STOPPED))
		TRY(look_at_networks(g, ret, e));
	if ((needs & PS_MOUNTS) && mounted_read(g, id, &ret->arena, &ret->mounts, e) < 0 &&
	    e->code != ENOENT)
		log_warn("container %s: %s", r->name, e->msg);
	return 0;
}

void ps_entry_done(struct ps_entry *entry)
{
	container_view_done(&entry->view);
	arena_done(&entry->arena);
}
