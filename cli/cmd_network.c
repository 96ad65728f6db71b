#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/log.h"
#include "cli/cmd.h"
#include "cli/network_connect.h"
#include "cli/network_table.h"
#include "network/attach.h"
#include "network/bridge.h"
#include "network/cni.h"
#include "network/config.h"
#include "network/record.h"

struct network_values {
	const char *driver, *parent, *format;
	struct strings subnets, gateways;
	const char *ip, *ip6, *mac;
	struct strings aliases, filter;
	bool ipv6, internal, quiet, force;
	unsigned mtu;
};

static const struct option_row rows[] = {
	{ .name = "driver",
	  .letter = 'd',
	  .kind = OPTION_CHOICE,
	  .member = offsetof(struct network_values, driver),
	  .argument = "bridge|macvlan|ipvlan",
	  .help = "create: what the network is (default: bridge)" },
	{ .name = "parent",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct network_values, parent),
	  .argument = "LINK",
	  .help = "create: the link of this host that a macvlan or ipvlan is on" },
	{ .name = "subnet",
	  .kind = OPTION_STRINGS,
	  .member = offsetof(struct network_values, subnets),
	  .argument = "SUBNET",
	  .help = "create: its addresses, 10.89.0.0/24; one of IPv4 and one of IPv6 (default: a "
		  "free one)" },
	{ .name = "gateway",
	  .kind = OPTION_STRINGS,
	  .member = offsetof(struct network_values, gateways),
	  .argument = "ADDRESS",
	  .help = "create: the address of the way out (default: the first of the subnet)" },
	{ .name = "ipv6",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct network_values, ipv6),
	  .help = "create: give it an IPv6 subnet too, a free one unless --subnet names it" },
	{ .name = "internal",
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct network_values, internal),
	  .help = "create: let nothing out of it" },
	{ .name = "mtu",
	  .kind = OPTION_UNSIGNED,
	  .member = offsetof(struct network_values, mtu),
	  .argument = "BYTES",
	  .help = "create: the size of its largest packets" },
	{ .name = "ip",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct network_values, ip),
	  .argument = "ADDRESS",
	  .help = "connect: the container's address there (default: a free one)" },
	{ .name = "ip6",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct network_values, ip6),
	  .argument = "ADDRESS",
	  .help = "connect: its IPv6 address there (default: a free one)" },
	{ .name = "mac-address",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct network_values, mac),
	  .argument = "MAC",
	  .help = "connect: the MAC address of its interface there" },
	{ .name = "alias",
	  .kind = OPTION_STRINGS,
	  .member = offsetof(struct network_values, aliases),
	  .argument = "NAME",
	  .help = "connect: a further name of the container there (may be repeated)" },
	{ .name = "force",
	  .letter = 'f',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct network_values, force),
	  .help = "disconnect: one that is not on it is no failure, nor is a link that it has "
		  "moved away" },
	{ .name = "format",
	  .kind = OPTION_STRING,
	  .member = offsetof(struct network_values, format),
	  .argument = "FORMAT",
	  .help = "ls: table, json, a template like '{{.Name}} {{.Driver}}', or one as a table" },
	{ .name = "filter",
	  .kind = OPTION_STRINGS,
	  .member = offsetof(struct network_values, filter),
	  .argument = "KEY=VALUE",
	  .help = "ls: only those with this name (a regular expression), id (how it begins), "
		  "driver, scope, type=builtin|custom or dangling=true|false (may be repeated: "
		  "several values of a key are alternatives)" },
	{ .name = "quiet",
	  .letter = 'q',
	  .kind = OPTION_FLAG,
	  .member = offsetof(struct network_values, quiet),
	  .help = "ls: print names only, one a line" },
};

const struct option_table network_options = { rows, ARRAY_LEN(rows), sizeof(struct network_values),
					      NULL, false };

/* What the verbs get: the directory of networks, and the words behind the verb. */
struct verb_call {
	int dir;
	const struct network_values *values;
	struct strings names;
	struct arena *arena;
	const struct call *call;
};

static int wish_subnets(const struct network_values *v, struct network_wish *w, struct err *e)
{
	for (size_t i = 0; i < v->subnets.n; i++) {
		struct subnet s = { 0 }, *to;

		TRY(subnet_parse(v->subnets.at[i], &s, e));
		to = s.base.family == AF_INET ? &w->subnet : &w->subnet6;
		if (to->base.family)
			return err_set(e, EINVAL,
				       "network %s: %s and %s: there is one subnet of %s", w->name,
				       subnet_text(to).text, subnet_text(&s).text,
				       s.base.family == AF_INET ? "IPv4" : "IPv6");
		*to = s;
	}
	for (size_t i = 0; i < v->gateways.n; i++) {
		struct net_addr a = { 0 }, *to;

		TRY(addr_parse(v->gateways.at[i], &a, e));
		to = a.family == AF_INET ? &w->gateway : &w->gateway6;
		if (to->family)
			return err_set(e, EINVAL,
				       "network %s: %s and %s: there is one gateway of %s", w->name,
				       addr_text(to).text, addr_text(&a).text,
				       a.family == AF_INET ? "IPv4" : "IPv6");
		*to = a;
	}
	return 0;
}

static int verb_create(const struct verb_call *c, struct err *e)
{
	const struct network_values *v = c->values;
	struct network_wish wish = { .name = c->names.at[0],
				     .parent = v->parent,
				     .ipv6 = v->ipv6,
				     .internal = v->internal,
				     .mtu = v->mtu };
	struct network made = { 0 };

	if (v->driver && network_driver_parse(v->driver, &wish.driver) < 0)
		return err_set(e, EINVAL, "there is no driver %s", v->driver);
	TRY(wish_subnets(v, &wish, e));
	TRY(network_create(c->dir, &wish, c->arena, &made, e));
	network_happened(c->call, "create", made.name, network_driver_name(made.driver));
	printf("%s\n", made.name);
	return 0;
}

static void show_network(struct json_writer *w, const struct network *n,
			 const struct record_list *records)
{
	json_write_object(w, NULL);
	json_write_string(w, "name", n->name);
	json_write_string(w, "driver", network_driver_name(n->driver));
	if (n->cni) {
		json_write_string(w, "file", n->cni->file);
		json_write_string(w, "cniVersion", n->cni->version);
		json_write_strings(w, "plugins", &n->cni->types);
	} else {
		json_write_string(w, n->driver == NETWORK_BRIDGE ? "bridge" : "parent", n->link);
	}
	if (n->subnet.base.family) {
		json_write_string(w, "subnet", subnet_text(&n->subnet).text);
		json_write_string(w, "gateway", addr_text(&n->gateway).text);
	}
	if (n->subnet6.base.family) {
		json_write_string(w, "subnet6", subnet_text(&n->subnet6).text);
		json_write_string(w, "gateway6", addr_text(&n->gateway6).text);
	}
	if (!n->cni) {
		json_write_bool(w, "internal", n->internal);
		json_write_uint(w, "mtu", n->mtu);
	}
	json_write_array(w, "containers");
	for (size_t i = 0; i < records->n; i++) {
		for (size_t k = 0; k < records->at[i].interfaces.n; k++) {
			const struct record_interface *it = &records->at[i].interfaces.at[k];

			if (strcmp(it->network, n->name) != 0)
				continue;
			json_write_object(w, NULL);
			json_write_string(w, "id", records->at[i].id);
			json_write_string(w, "interface", it->name);
			if (it->ip.family)
				json_write_string(w, "ip", addr_text(&it->ip).text);
			if (it->ip6.family)
				json_write_string(w, "ip6", addr_text(&it->ip6).text);
			json_write_end(w);
		}
	}
	json_write_end(w);
	json_write_end(w);
}

static void show_networks(const struct network_list *networks, const struct record_list *records)
{
	auto_buf struct buf text = { 0 };
	struct json_writer w = json_writer(&text, "  ");

	json_write_array(&w, NULL);
	for (size_t i = 0; i < networks->n; i++)
		show_network(&w, &networks->at[i], records);
	json_write_end(&w);
	printf("%s\n", text.text);
}

/* What is shown is right without it: a container that died is only still there. */
static void sweep(const struct verb_call *c)
{
	struct err e = { 0 };

	if (network_sweep(c->dir, &e) < 0)
		log_warn("%s", e.msg);
}

/* Hull's own and then those of CNI, but for one whose name a network of hull's has. */
static int list_all(const struct verb_call *c, struct network_list *ret, struct err *e)
{
	struct network_list own = { 0 }, all = { 0 };
	struct cni_net_list nets = { 0 };

	TRY(network_list_read(c->dir, c->arena, &own, e));
	TRY(cni_list(c->arena, &nets, e));
	all.at = arena_array(c->arena, own.n + nets.n, sizeof(*all.at));
	for (; all.n < own.n; all.n++)
		all.at[all.n] = own.at[all.n];
	for (size_t i = 0; i < nets.n; i++) {
		size_t k = 0;

		while (k < own.n && strcmp(own.at[k].name, nets.at[i].name) != 0)
			k++;
		if (k == own.n)
			all.at[all.n++] = (struct network){ .name = nets.at[i].name,
							    .driver = NETWORK_CNI,
							    .link = "-",
							    .cni = &nets.at[i] };
	}
	*ret = all;
	return 0;
}

static struct strings used_names(const struct record_list *records, struct arena *a)
{
	struct strings names = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < records->n; i++)
		n += records->at[i].interfaces.n;
	names.at = arena_array(a, n, sizeof(*names.at));
	for (size_t i = 0; i < records->n; i++)
		for (size_t k = 0; k < records->at[i].interfaces.n; k++)
			names.at[names.n++] = records->at[i].interfaces.at[k].network;
	return names;
}

static int verb_ls(const struct verb_call *c, struct err *e)
{
	const struct network_values *v = c->values;
	struct network_list networks = { 0 };
	struct record_list records = { 0 };
	struct strings used;
	auto_buf struct buf text = { 0 };

	sweep(c);
	TRY(list_all(c, &networks, e));
	TRY(record_read_all(c->dir, c->arena, &records, e));
	used = used_names(&records, c->arena);
	TRY(network_table(&networks, &used, &v->filter, v->quiet ? "{{.Name}}" : v->format,
			  &text, e));
	fputs(text.text, stdout);
	return 0;
}

static int verb_inspect(const struct verb_call *c, struct err *e)
{
	struct network_list all = { 0 }, chosen = { 0 };
	struct record_list records = { 0 };

	sweep(c);
	TRY(list_all(c, &all, e));
	TRY(record_read_all(c->dir, c->arena, &records, e));
	chosen.at = arena_array(c->arena, c->names.n, sizeof(*chosen.at));
	for (size_t i = 0; i < c->names.n; i++) {
		size_t before = chosen.n;

		for (size_t k = 0; k < all.n; k++)
			if (strcmp(all.at[k].name, c->names.at[i]) == 0)
				chosen.at[chosen.n++] = all.at[k];
		if (chosen.n == before)
			return err_set(e, ENOENT, "there is no network %s",
				       json_quote(c->names.at[i]).text);
	}
	show_networks(&chosen, &records);
	return 0;
}

static void note_removed(const struct verb_call *c, const struct network_list *before,
			 const char *name)
{
	for (size_t i = 0; i < before->n; i++)
		if (strcmp(before->at[i].name, name) == 0)
			network_happened(c->call, "destroy", name,
					 network_driver_name(before->at[i].driver));
}

static int verb_rm(const struct verb_call *c, struct err *e)
{
	struct network_list networks = { 0 };

	TRY(network_list_read(c->dir, c->arena, &networks, e));
	for (size_t i = 0; i < c->names.n; i++) {
		TRY(network_remove(c->dir, c->names.at[i], e));
		note_removed(c, &networks, c->names.at[i]);
		printf("%s\n", c->names.at[i]);
	}
	return 0;
}

/* All that no container is on, but for the default one, which costs nothing. */
static int verb_prune(const struct verb_call *c, struct err *e)
{
	struct network_list networks = { 0 };

	TRY(network_sweep(c->dir, e));
	TRY(network_list_read(c->dir, c->arena, &networks, e));
	for (size_t i = 0; i < networks.n; i++) {
		const char *name = networks.at[i].name;
		int r;

		if (strcmp(name, NETWORK_DEFAULT) == 0)
			continue;
		r = network_remove(c->dir, name, e);
		if (r == -EBUSY)
			continue;
		TRY(r);
		note_removed(c, &networks, name);
		printf("%s\n", name);
	}
	return 0;
}

static int verb_connect(const struct verb_call *c, struct err *e)
{
	const struct network_values *v = c->values;
	const struct network_words words = { .network = c->names.at[0],
					     .container = c->names.at[1],
					     .ip = v->ip,
					     .ip6 = v->ip6,
					     .mac = v->mac,
					     .aliases = v->aliases };

	return network_connect_container(c->call, &words, e);
}

static int verb_disconnect(const struct verb_call *c, struct err *e)
{
	const struct network_words words = { .network = c->names.at[0],
					     .container = c->names.at[1],
					     .force = c->values->force };

	return network_disconnect_container(c->call, &words, e);
}

static int verb_check(const struct verb_call *c, struct err *e)
{
	for (size_t i = 0; i < c->names.n; i++)
		TRY(network_check_container(c->call, c->names.at[i], e));
	return 0;
}

enum { OF_CREATE = 1, OF_LS = 2, OF_CONNECT = 4, OF_DISCONNECT = 8 };

static const struct verb {
	const char *name;
	size_t min, max; /* names */
	unsigned options;
	int (*run)(const struct verb_call *c, struct err *e);
} verbs[] = {
	{ "check", 1, ARGS_MANY, 0, verb_check },
	{ "connect", 2, 2, OF_CONNECT, verb_connect },
	{ "create", 1, 1, OF_CREATE, verb_create },
	{ "disconnect", 2, 2, OF_DISCONNECT, verb_disconnect },
	{ "inspect", 1, ARGS_MANY, 0, verb_inspect },
	{ "ls", 0, 0, OF_LS, verb_ls },
	{ "prune", 0, 0, 0, verb_prune },
	{ "rm", 1, ARGS_MANY, 0, verb_rm },
};

static int check_options(const struct verb *verb, const struct network_values *v, struct err *e)
{
	const struct {
		const char *name;
		unsigned of;
		bool given;
	} given[] = {
		{ "driver", OF_CREATE, v->driver },    { "parent", OF_CREATE, v->parent },
		{ "subnet", OF_CREATE, v->subnets.n }, { "gateway", OF_CREATE, v->gateways.n },
		{ "ipv6", OF_CREATE, v->ipv6 },        { "internal", OF_CREATE, v->internal },
		{ "mtu", OF_CREATE, v->mtu },          { "ip", OF_CONNECT, v->ip },
		{ "ip6", OF_CONNECT, v->ip6 },         { "mac-address", OF_CONNECT, v->mac },
		{ "alias", OF_CONNECT, v->aliases.n }, { "force", OF_DISCONNECT, v->force },
		{ "format", OF_LS, v->format },        { "quiet", OF_LS, v->quiet },
		{ "filter", OF_LS, v->filter.n },
	};

	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		if (given[i].given && !(given[i].of & verb->options))
			return err_set(e, EINVAL, "network %s takes no --%s", verb->name,
				       given[i].name);
	return 0;
}

int cmd_network(const struct call *call, struct err *e)
{
	struct strings words = call->options.args;
	struct verb_call c = { .values = call->options.values, .arena = call->arena, .call = call };
	const struct verb *verb = NULL;
	auto_fd int dir = -1;

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, words.at[0]) == 0)
			verb = &verbs[i];
	if (!verb)
		return err_set(e, EINVAL,
			       "there is no network %s: check, connect, create, disconnect, "
			       "inspect, ls, prune and rm are there",
			       json_quote(words.at[0]).text);
	c.names = (struct strings){ words.at + 1, words.n - 1 };
	if (c.names.n < verb->min || c.names.n > verb->max)
		return err_set(e, EINVAL, "network %s takes %s", verb->name,
			       verb->max == 0   ? "no name"
			       : verb->max == 2 ? "a network and a container"
			       : verb->max == 1 ? "one name"
						: "at least one name");
	TRY(check_options(verb, c.values, e));
	dir = network_state_open(call->data_root
					 ? arena_printf(call->arena, "%s/network", call->data_root)
					 : NULL,
				 e);
	if (dir < 0)
		return dir;
	c.dir = dir;
	return verb->run(&c, e);
}
