#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "engine/netjoin_private.h"
#include "engine/netsockets.h"
#include "network/attach.h"
#include "network/config.h"
#include "network/resolv.h"

enum { ETC_MAX = 1024 * 1024 };

/*
 * In place: the file is bound into the container. It is cut off at the end, not at the beginning: what ext4 had
 * cut to nothing it writes out when it is closed.
 */
static int fill_file(int dir, const char *name, const char *text, size_t len, struct err *e)
{
	auto_fd int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "write the container's %s", name);
	r = io_write_all(fd, text, len);
	if (r == 0 && ftruncate(fd, (off_t)len) < 0)
		r = -errno;
	return r < 0 ? err_neg(e, r, "write the container's %s", name) : 0;
}

/* What the host has, or what makes sense without a network. */
static int copy_or(const struct net_context *n, const char *host, const char *name,
		   const char *otherwise, struct err *e)
{
	auto_buf struct buf text = { 0 };

	if (!host || io_read_file(AT_FDCWD, host, ETC_MAX, host, &text, NULL) < 0) {
		buf_clear(&text);
		buf_str(&text, otherwise);
	}
	return fill_file(n->dir, name, text.text, text.len, e);
}

int netjoin_mode(const struct engine *g, const char *text, struct net_mode_choice *ret,
		 struct err *e)
{
	TRY(network_mode_parse(text, ret, e));
	if (g->rootless && ret->mode == NET_NETWORKS && !ret->network)
		ret->mode = NET_PASTA;
	return 0;
}

const char *netjoin_default(const struct engine *g)
{
	return g->rootless ? "pasta" : "bridge";
}

static int read_ports(const struct strings *texts, struct arena *a, struct port_list *ret,
		      struct err *e)
{
	ret->at = arena_array(a, texts->n + 1, sizeof(*ret->at));
	for (; ret->n < texts->n; ret->n++)
		TRY(port_parse(texts->at[ret->n], &ret->at[ret->n], e));
	return port_list_check(ret, e);
}

const char *netjoin_network(const struct net_mode_choice *choice)
{
	if (choice->mode != NET_NETWORKS)
		return NULL;
	return choice->network ? choice->network : NETWORK_DEFAULT;
}

/* Addresses that people asked for stay what they are. */
static void take_again(const struct joins *again, struct join *j)
{
	for (size_t i = 0; i < again->list.n; i++) {
		const struct join *had = &again->list.at[i];

		if (strcmp(had->network, j->network) != 0)
			continue;
		j->ip = j->ip ? j->ip : had->ip;
		j->ip6 = j->ip6 ? j->ip6 : had->ip6;
		j->mac = j->mac ? j->mac : had->mac;
	}
}

/* Those that it is on, for the network layer. */
static int read_joins(const struct net_context *n, const struct net_mode_choice *choice,
		      struct arena *a, struct net_request *req, struct err *e)
{
	const struct record *r = n->record;
	struct joins joins = { 0 };

	if (choice->mode != NET_NETWORKS)
		return 0;
	TRY(joins_read(n->dir, r, netjoin_network(choice), a, &joins, e));
	req->networks.at = arena_array(a, joins.list.n, sizeof(*req->networks.at));
	for (; req->networks.n < joins.list.n; req->networks.n++) {
		take_again(&n->again, &joins.list.at[req->networks.n]);
		TRY(join_parse(&joins.list.at[req->networks.n], r->name, a,
			       &req->networks.at[req->networks.n], e));
	}
	req->apart = !req->networks.n;
	return 0;
}

/* Several are all networks of hull's own, and each is another one. */
static int check_join(const struct engine *g, const struct joins *joins, size_t i, struct arena *a,
		      struct err *e)
{
	const struct join *j = &joins->list.at[i];
	struct net_mode_choice choice, other;
	struct net_join join;

	TRY(netjoin_mode(g, j->network, &choice, e));
	TRY(join_parse(j, NULL, a, &join, e));
	if (choice.mode == NET_NETWORKS) {
		for (size_t k = 0; k < join.aliases.n; k++)
			TRY(host_name_check(join.aliases.at[k], e));
	} else if (joins->list.n > 1) {
		return err_set(e, EINVAL,
			       "--network %s: it goes with no other network: that is for networks "
			       "of hull's own",
			       j->network);
	} else if (j->ip || j->ip6 || j->mac) {
		return err_set(
			e, EINVAL,
			"--ip, --ip6 and --mac-address: only in a network of hull's own, which "
			"--network %s is not",
			j->network);
	}
	for (size_t k = 0; k < i; k++) {
		TRY(netjoin_mode(g, joins->list.at[k].network, &other, e));
		if (strcmp(netjoin_network(&choice), netjoin_network(&other)) == 0)
			return err_set(e, EINVAL, "--network %s is given twice", j->network);
	}
	return 0;
}

int netjoin_check(const struct engine *g, const struct record *r, const struct joins *joins,
		  struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct net_mode_choice choice;
	struct port_list ports = { 0 };

	for (size_t i = 0; i < joins->list.n; i++)
		TRY(check_join(g, joins, i, &a, e));
	TRY(netjoin_mode(g, r->network, &choice, e));
	TRY(read_ports(&r->published, &a, &ports, e));
	TRY(netsockets_check(r, e));
	if (ports.n && choice.mode != NET_NETWORKS && choice.mode != NET_PASTA &&
	    choice.mode != NET_SLIRP)
		return err_set(e, EINVAL,
			       "--publish: with --network %s there is nothing to publish",
			       r->network);
	return 0;
}

void netjoin_record(const struct joins *joins, struct record *r)
{
	const struct join *first = &joins->list.at[0];

	r->network = first->network;
	r->ip = first->ip;
	r->mac = first->mac;
	r->net_aliases = first->aliases;
}

int netjoin_keep(const struct engine *g, int dir, const struct joins *joins, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct joins named = { .list.at = arena_array(&a, joins->list.n, sizeof(*named.list.at)) };

	if (joins->list.n == 1 && !joins->list.at[0].ip6)
		return 0;
	for (; named.list.n < joins->list.n; named.list.n++) {
		struct join *j = &named.list.at[named.list.n];
		struct net_mode_choice choice;

		*j = joins->list.at[named.list.n];
		TRY(netjoin_mode(g, j->network, &choice, e));
		j->network = netjoin_network(&choice);
	}
	return joins_write(dir, &named, e);
}

bool netjoin_has_own(const struct engine *g, const struct record *r)
{
	struct net_mode_choice choice;

	return netjoin_mode(g, r->network, &choice, NULL) == 0 &&
	       (choice.mode == NET_NETWORKS || choice.mode == NET_PASTA ||
		choice.mode == NET_SLIRP);
}

int netjoin_state(const struct engine *g, struct err *e)
{
	return network_state_open(g->network_path, e);
}

static const char *name_of(const struct record *r, char name[256])
{
	snprintf(name, 256, "%.*s", RECORD_SHORT, r->id);
	return r->hostname ? r->hostname : name;
}

int netjoin_prepare(struct net_context *n, struct err *e)
{
	bool host = strcmp(n->record->network, "host") == 0;
	auto_buf struct buf hosts = { 0 };
	char own[256];
	const char *name = name_of(n->record, own);

	n->attached = false;
	if (host && !n->record->hostname && gethostname(own, sizeof(own)) < 0)
		return err_sys(e, "find the host's name");
	buf_str(&hosts, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
	buf_printf(&hosts, "127.0.1.1\t%s\n", name);
	TRY(copy_or(n, host ? "/etc/hosts" : NULL, "hosts", hosts.text, e));
	TRY(copy_or(n, host ? "/etc/resolv.conf" : NULL, "resolv.conf", "", e));
	buf_clear(&hosts);
	buf_printf(&hosts, "%s\n", name);
	return fill_file(n->dir, "hostname", hosts.text, hosts.len, e);
}

int netjoin_fill_files(int dir, const struct net_result *result, struct err *e)
{
	TRY(fill_file(dir, "hosts", result->hosts, strlen(result->hosts), e));
	return fill_file(dir, "resolv.conf", result->resolv_conf, strlen(result->resolv_conf), e);
}

struct net_request netjoin_request(const struct record *r, char own[256])
{
	return (struct net_request){ .container_id = r->id,
				     .hostname = name_of(r, own),
				     .add_hosts = r->add_hosts,
				     .dns = { r->dns, r->dns_search, r->dns_options } };
}

static void note_joined(struct net_context *n, const struct net_result *result)
{
	buf_clear(&n->joined);
	for (size_t i = 0; i < result->interfaces.n; i++) {
		const struct net_interface *it = &result->interfaces.at[i];

		buf_add(&n->joined, it->network, strlen(it->network) + 1);
		buf_add(&n->joined, it->driver, strlen(it->driver) + 1);
	}
}

static int attach(struct net_context *n, const struct net_mode_choice *choice, pid_t pid,
		  struct err *e)
{
	const struct record *r = n->record;
	auto_arena struct arena a = { 0 };
	struct net_result result = { 0 };
	char path[64], own[256];
	int filled;
	auto_fd int state = netjoin_state(n->g, e), netns = -1, lock = -1;
	struct net_request req = netjoin_request(r, own);

	TRY(state);
	TRY(network_sweep(state, e));
	lock = joins_lock(n->dir, r->id, e);
	TRY(lock);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return err_sys(e, "open the container's network namespace");
	req.netns_fd = netns;
	req.owner = pid;
	req.mode = choice->mode;
	TRY(read_ports(&r->published, &a, &req.ports, e));
	TRY(read_joins(n, choice, &a, &req, e));
	TRY(network_attach(state, &req, &result, e));
	n->attached = true;
	note_joined(n, &result);
	filled = netjoin_fill_files(n->dir, &result, e);
	network_result_done(&result);
	return filled;
}

int netjoin_before_start(void *ctx, pid_t pid, struct err *e)
{
	struct net_context *n = ctx;
	struct net_mode_choice choice;

	if (!netjoin_has_own(n->g, n->record))
		return 0;
	TRY(netjoin_mode(n->g, n->record->network, &choice, e));
	return attach(n, &choice, pid, e);
}

void netjoin_leave(struct net_context *n)
{
	struct err e = { 0 };
	auto_fd int state = -1;

	buf_clear(&n->left);
	if (!n->attached)
		return;
	state = netjoin_state(n->g, &e);
	if (state < 0 || network_detach(state, n->record->id, &n->left, &e) < 0)
		log_warn("%s", e.msg);
	n->attached = false;
}

int netjoin_release(const struct engine *g, const struct record *r, struct err *e)
{
	auto_fd int state = -1;

	if (!netjoin_has_own(g, r))
		return 0;
	state = netjoin_state(g, e);
	TRY(state);
	return network_detach(state, r->id, NULL, e);
}

void netjoin_done(struct net_context *n)
{
	buf_done(&n->joined);
	buf_done(&n->left);
}
