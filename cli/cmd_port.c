/* cmd_port.c - `hull port`: by which ports of the host those of a container are reached. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "cli/cmd.h"
#include "cli/people.h"
#include "engine/netjoin.h"
#include "network/port.h"

/* What the second argument asks for: "80", "80/udp". */
struct asked {
	unsigned long port; /* 0: all */
	enum port_protocol protocol;
};

static int parse_asked(const char *text, struct asked *ret, struct err *e)
{
	char *end;

	*ret = (struct asked){ .protocol = PORT_TCP };
	if (!text)
		return 0;
	ret->port = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || ret->port < 1 || ret->port > UINT16_MAX ||
	    (*end && (*end != '/' || port_protocol_parse(end + 1, &ret->protocol) < 0)))
		return err_set(e, EINVAL, "port %s: expected a port like 80 or 53/udp",
			       json_quote(text).text);
	return 0;
}

static void print_host(const struct port *p, unsigned i)
{
	struct net_text ip = addr_text(&p->ip);

	printf(p->ip.family == AF_INET6 ? "[%s]:%u\n" : "%s:%u\n",
	       p->ip.family ? ip.text : "0.0.0.0", p->host + i);
}

/* Returns how many lines that were. */
static unsigned print_port(const struct port *p, const struct asked *asked)
{
	unsigned shown = 0;

	for (unsigned i = 0; i < p->count; i++) {
		if (asked->port &&
		    (p->container + i != asked->port || p->protocol != asked->protocol))
			continue;
		if (!asked->port)
			printf("%u/%s -> ", p->container + i, port_protocol_name(p->protocol));
		print_host(p, i);
		shown++;
	}
	return shown;
}

int cmd_port(const struct call *call, struct err *e)
{
	const struct strings *args = &call->options.args;
	auto_engine struct engine g = ENGINE_CLOSED;
	auto_netjoin_view struct netjoin_view view = { 0 };
	auto_record struct record record = { 0 };
	char id[RECORD_ID_LEN + 1];
	auto_fd int dir = -1;
	struct asked asked;
	unsigned shown = 0;

	TRY(parse_asked(args->n > 1 ? args->at[1] : NULL, &asked, e));
	TRY(people_engine(call, &g, e));
	TRY(record_find(&g, args->at[0], id, e));
	dir = record_open(&g, id, &record, e);
	TRY(dir);
	TRY(netjoin_look(&g, dir, &record, &view, e));
	for (size_t i = 0; view.attached && i < view.now.ports.n; i++)
		shown += print_port(&view.now.ports.at[i], &asked);
	if (asked.port && !shown)
		return err_set(e, ENOENT, "no port of %s is published as %s", args->at[0],
			       args->at[1]);
	return 0;
}
