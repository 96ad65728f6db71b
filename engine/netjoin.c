#include "engine/netjoin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "network/attach.h"

enum { ETC_MAX = 1024 * 1024 };

/* In place: the file is bound into the container. */
static int fill_file(int dir, const char *name, const char *text, size_t len, struct err *e)
{
	auto_fd int fd = openat(dir, name, O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "write the container's %s", name);
	r = io_write_all(fd, text, len);
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

/* "bridge" means another thing without root, where no bridge can be made. */
static int mode_of(const struct engine *g, const char *text, struct net_mode_choice *ret,
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

static int read_join(const struct record *r, const char *network, struct net_join *ret,
		     struct err *e)
{
	*ret = (struct net_join){ .network = network, .aliases = r->net_aliases };
	if (r->ip)
		TRY(addr_parse(r->ip, &ret->ip, e));
	return r->mac ? mac_parse(r->mac, &ret->mac, e) : 0;
}

int netjoin_check(const struct engine *g, const struct record *r, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct net_mode_choice choice;
	struct port_list ports = { 0 };
	struct net_join join;

	TRY(mode_of(g, r->network, &choice, e));
	TRY(read_ports(&r->published, &a, &ports, e));
	TRY(read_join(r, choice.network, &join, e));
	if (ports.n && choice.mode != NET_NETWORKS && choice.mode != NET_PASTA &&
	    choice.mode != NET_SLIRP)
		return err_set(e, EINVAL, "--publish: with --network %s there is nothing to publish",
			       r->network);
	if ((r->ip || r->mac) && choice.mode != NET_NETWORKS)
		return err_set(e, EINVAL, "--ip and --mac-address: only in a network of hull's own");
	return 0;
}

bool netjoin_has_own(const struct engine *g, const struct record *r)
{
	struct net_mode_choice choice;

	return mode_of(g, r->network, &choice, NULL) == 0 &&
	       (choice.mode == NET_NETWORKS || choice.mode == NET_PASTA || choice.mode == NET_SLIRP);
}

static int open_state(const struct engine *g, struct err *e)
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

static int attach(struct net_context *n, const struct net_mode_choice *choice, pid_t pid,
		  struct err *e)
{
	const struct record *r = n->record;
	auto_arena struct arena a = { 0 };
	struct net_result result = { 0 };
	struct net_join join;
	char path[64], own[256];
	int filled;
	auto_fd int state = open_state(n->g, e), netns = -1;
	struct net_request req = { .container_id = r->id,
				   .owner = pid,
				   .mode = choice->mode,
				   .hostname = name_of(r, own),
				   .add_hosts = r->add_hosts,
				   .dns = { r->dns, r->dns_search, r->dns_options } };

	TRY(state);
	TRY(network_sweep(state, e));
	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	netns = open(path, O_RDONLY | O_CLOEXEC);
	if (netns < 0)
		return err_sys(e, "open the container's network namespace");
	req.netns_fd = netns;
	TRY(read_ports(&r->published, &a, &req.ports, e));
	TRY(read_join(r, choice->network, &join, e));
	if (choice->mode == NET_NETWORKS) {
		req.networks.at = &join;
		req.networks.n = 1;
	}
	TRY(network_attach(state, &req, &result, e));
	n->attached = true;
	filled = fill_file(n->dir, "hosts", result.hosts, strlen(result.hosts), e);
	if (filled >= 0)
		filled = fill_file(n->dir, "resolv.conf", result.resolv_conf,
			       strlen(result.resolv_conf), e);
	network_result_done(&result);
	return filled;
}

int netjoin_before_start(void *ctx, pid_t pid, struct err *e)
{
	struct net_context *n = ctx;
	struct net_mode_choice choice;

	if (!netjoin_has_own(n->g, n->record))
		return 0;
	TRY(mode_of(n->g, n->record->network, &choice, e));
	return attach(n, &choice, pid, e);
}

void netjoin_leave(struct net_context *n)
{
	struct err e = { 0 };
	auto_fd int state = -1;

	if (!n->attached)
		return;
	state = open_state(n->g, &e);
	if (state < 0 || network_detach(state, n->record->id, &e) < 0)
		log_warn("%s", e.msg);
	n->attached = false;
}
