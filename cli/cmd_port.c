/* cmd_port.c - `hull port CONTAINER [PORT[/PROTOCOL]]`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/netjoin.h"

/* "80" or "80/udp": one port, and nothing of the host's. */
static int parse_wanted(const char *text, struct port *ret, struct err *e)
{
	if (strchr(text, ':') || port_parse(text, ret, NULL) < 0 || ret->count != 1)
		return err_set(e, EINVAL, "port %s: expected PORT or PORT/PROTOCOL",
			       json_quote(text).text);
	return 0;
}

static void print_host(const struct port_binding *b)
{
	printf(b->ip.family == AF_INET6 ? "[%s]:%u\n" : "%s:%u\n", addr_text(&b->ip).text, b->host);
}

static int print_one(const char *who, const struct port_bindings *all, const struct port *wanted,
		     struct err *e)
{
	size_t found = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct port_binding *b = &all->at[i];

		if (b->container != wanted->container || b->protocol != wanted->protocol)
			continue;
		print_host(b);
		found++;
	}
	return found ? 0
		     : err_set(e, ENOENT, "container %s has published no port %u/%s", who,
			       wanted->container, port_protocol_name(wanted->protocol));
}

int cmd_port(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_netjoin_view struct netjoin_view v = { 0 };
	auto_record struct record r = { 0 };
	char id[RECORD_ID_LEN + 1];
	struct port_bindings all;
	struct port wanted = { 0 };
	auto_fd int dir = -1;

	if (args->n == 2)
		TRY(parse_wanted(args->at[1], &wanted, e));
	TRY(people_engine(call, &g, e));
	TRY(record_find(&g, args->at[0], id, e));
	dir = record_open(&g, id, &r, e);
	TRY(dir);
	TRY(netjoin_look(&g, dir, &r, &v, e));
	port_bindings(&v.now.ports, v.now.ports4, v.now.ports6, call->arena, &all);
	if (args->n == 2)
		return print_one(r.name, &all, &wanted, e);
	for (size_t i = 0; i < all.n; i++) {
		printf("%u/%s -> ", all.at[i].container, port_protocol_name(all.at[i].protocol));
		print_host(&all.at[i]);
	}
	return 0;
}
