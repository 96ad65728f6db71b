/* netconnect.c - networks that a container joins and leaves after it was made. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "engine/happened_run.h"
#include "engine/netjoin_private.h"
#include "network/config.h"

/* A container whose networks are to be changed: its lock is ours. */
struct changing {
	struct arena arena;
	struct record record;
	struct joins joins;
	int dir, lock, state;
	size_t at; /* which of them it is; joins.list.n: none */
};

/* clang-format off */
#define CHANGING_NONE { .dir = -1, .lock = -1, .state = -1 }
/* clang-format on */
#define auto_changing __attribute__((cleanup(changing_done)))

static void changing_done(struct changing *c)
{
	close_fd(&c->lock);
	close_fd(&c->state);
	close_fd(&c->dir);
	record_done(&c->record);
	arena_done(&c->arena);
}

/* "bridge" and "default" are words for one network. */
static int network_named(const char *text, const char **ret, struct err *e)
{
	struct net_mode_choice choice;

	TRY(network_mode_parse(text, &choice, e));
	if (choice.mode != NET_NETWORKS)
		return err_set(e, EINVAL, "network %s: that is no network of hull's own", text);
	*ret = netjoin_network(&choice);
	return 0;
}

static int change(const struct engine *g, const char *who, const char *network, struct changing *c,
		  struct err *e)
{
	struct net_mode_choice choice;
	char id[RECORD_ID_LEN + 1];

	TRY(record_find(g, who, id, e));
	c->dir = record_open(g, id, &c->record, e);
	TRY(c->dir);
	TRY(netjoin_mode(g, c->record.network, &choice, e));
	if (choice.mode != NET_NETWORKS)
		return err_set(e, EINVAL,
			       "container %s was made with --network %s: only one in a network of "
			       "hull's own is connected to others",
			       who,
			       g->rootless && strcmp(c->record.network, "bridge") == 0
				       ? "pasta"
				       : c->record.network);
	c->state = netjoin_state(g, e);
	TRY(c->state);
	c->lock = joins_lock(c->dir, who, e);
	TRY(c->lock);
	TRY(joins_read(c->dir, &c->record, netjoin_network(&choice), &c->arena, &c->joins, e));
	while (c->at < c->joins.list.n && strcmp(c->joins.list.at[c->at].network, network) != 0)
		c->at++;
	return 0;
}

static void add_join(struct changing *c, const struct join *j)
{
	struct join *list = arena_array(&c->arena, c->joins.list.n + 1, sizeof(*list));

	if (c->joins.list.n)
		memcpy(list, c->joins.list.at, c->joins.list.n * sizeof(*list));
	list[c->joins.list.n++] = *j;
	c->joins.list.at = list;
}

static void drop_join(struct changing *c)
{
	struct join *list = c->joins.list.at;

	memmove(&list[c->at], &list[c->at + 1], (c->joins.list.n - c->at - 1) * sizeof(*list));
	c->joins.list.n--;
}

/* NULL: it is not on it. */
static const char *driver_of(const struct net_result *result, const char *network)
{
	for (size_t i = 0; i < result->interfaces.n; i++)
		if (strcmp(result->interfaces.at[i].network, network) == 0)
			return result->interfaces.at[i].driver;
	return NULL;
}

/* Live first: what is refused there is not written down. */
static int connect_it(const struct engine *g, struct changing *c, struct net_join *join,
		      struct err *e)
{
	char own[256];
	struct net_request req = netjoin_request(&c->record, own);
	struct net_result result = { 0 };
	int r;

	req.networks.at = join;
	req.networks.n = 1;
	r = network_connect(c->state, &req, &result, e);
	if (r == -ENOTCONN) {
		TRY(network_join_check(c->state, join, e));
		return joins_write(c->dir, &c->joins, e);
	}
	TRY(r);
	r = joins_write(c->dir, &c->joins, e);
	if (r >= 0)
		r = netjoin_fill_files(c->dir, &result, e);
	if (r >= 0)
		happened_join(g, "connect", c->record.id, join->network,
			      driver_of(&result, join->network));
	network_result_done(&result);
	if (r < 0) {
		struct err undo = { 0 };
		struct net_result before = { 0 };

		if (network_disconnect(c->state, &req, join->network, true, &before, &undo) < 0)
			log_warn("%s", undo.msg);
		network_result_done(&before);
	}
	return r;
}

int netjoin_connect(const struct engine *g, const char *who, const struct join *wish, struct err *e)
{
	auto_changing struct changing c = CHANGING_NONE;
	struct join named = *wish;
	struct net_join join;

	TRY(network_named(wish->network, &named.network, e));
	TRY(change(g, who, named.network, &c, e));
	if (c.at < c.joins.list.n)
		return err_set(e, EEXIST, "container %s is on network %s already", who,
			       named.network);
	TRY(join_parse(&named, c.record.name, &c.arena, &join, e));
	add_join(&c, &named);
	return connect_it(g, &c, &join, e);
}

static void note_left(const struct engine *g, struct changing *c, const char *network)
{
	struct network n;
	bool known = network_find(c->state, network, &c->arena, &n, NULL) == 0;

	happened_join(g, "disconnect", c->record.id, network,
		      known ? network_driver_name(n.driver) : NULL);
}

int netjoin_disconnect(const struct engine *g, const char *who, const char *network, bool force,
		       struct err *e)
{
	auto_changing struct changing c = CHANGING_NONE;
	struct net_result result = { 0 };
	struct net_request req;
	char own[256];
	int r, filled = 0;

	TRY(network_named(network, &network, e));
	TRY(change(g, who, network, &c, e));
	req = netjoin_request(&c.record, own);
	r = network_disconnect(c.state, &req, network, force, &result, e);
	if (r == 0) {
		filled = netjoin_fill_files(c.dir, &result, e);
		network_result_done(&result);
		note_left(g, &c, network);
	}
	if (r < 0 && r != -ENOTCONN)
		return r;
	if (c.at == c.joins.list.n)
		return r == 0 || force ? filled
				       : err_set(e, ENOENT, "container %s is not on network %s",
						 who, network);
	drop_join(&c);
	TRY(joins_write(c.dir, &c.joins, e));
	return filled;
}

void netjoin_view_done(struct netjoin_view *v)
{
	network_result_done(&v->now);
	arena_done(&v->arena);
}

int netjoin_look(const struct engine *g, int dir, const struct record *r, struct netjoin_view *ret,
		 struct err *e)
{
	auto_netjoin_view struct netjoin_view v = { 0 };
	struct net_mode_choice choice;
	auto_fd int state = -1;
	int now;

	*ret = (struct netjoin_view){ 0 };
	if (!netjoin_has_own(g, r))
		return 0;
	TRY(netjoin_mode(g, r->network, &choice, e));
	if (choice.mode == NET_NETWORKS)
		TRY(joins_read(dir, r, netjoin_network(&choice), &v.arena, &v.joins, e));
	state = netjoin_state(g, e);
	TRY(state);
	now = network_look(state, r->id, &v.now, e);
	if (now < 0 && now != -ENOTCONN)
		return now;
	v.attached = now >= 0;
	*ret = v;
	v = (struct netjoin_view){ 0 };
	return 0;
}

int netjoin_verify(const struct engine *g, const char *who, struct err *e)
{
	char id[RECORD_ID_LEN + 1];
	auto_fd int state = -1;

	TRY(record_find(g, who, id, e));
	state = netjoin_state(g, e);
	TRY(state);
	return network_check(state, id, e);
}
