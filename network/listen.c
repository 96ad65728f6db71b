#include "network/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/json.h"
#include "network/lock.h"
#include "network/record.h"

enum { TEXT_MAX = 200 };

static int fail(struct err *e, const char *text, const char *why)
{
	return err_set(e, EINVAL, "publish socket %s: %s", json_quote(text).text, why);
}

static int take_name(char **rest, struct listen_wish *w, const char *text, struct err *e)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"_.-";
	char *end = strchr(*rest, '=');
	size_t len = end ? (size_t)(end - *rest) : 0;

	if (!end)
		return 0;
	if (!len || len > LISTEN_NAME_MAX || strspn(*rest, allowed) != len)
		return fail(
			e, text,
			"before \"=\" is a name of at most 64 letters, digits, \"_\", \".\" and "
			"\"-\"");
	memcpy(w->name, *rest, len);
	w->name[len] = '\0';
	*rest = end + 1;
	return 0;
}

static int take_address(char **rest, struct net_addr *ret, const char *text, struct err *e)
{
	char *colon = strrchr(*rest, ':'), *from = *rest, *to = colon;

	if (!colon)
		return 0;
	if (*from == '[' && colon > from && colon[-1] == ']') {
		from++;
		to = colon - 1;
	} else if (strchr(from, ':') != colon) {
		return fail(e, text, "an IPv6 address stands in brackets: [::1]:8080");
	}
	*to = '\0';
	if (addr_parse(from, ret, NULL) < 0)
		return fail(e, text, "before the port is an IP address");
	*rest = colon + 1;
	return 0;
}

int listen_parse(const char *text, struct listen_wish *ret, struct err *e)
{
	struct listen_wish w = { .port = { .protocol = PORT_TCP, .count = 1 } };
	char copy[TEXT_MAX + 1], *rest = copy, *slash;
	unsigned long number;

	if (strlen(text) > TEXT_MAX)
		return fail(e, text, "it is longer than 200 characters");
	strcpy(copy, text);
	slash = strrchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (slash &&
	    (port_protocol_parse(slash + 1, &w.port.protocol) < 0 || w.port.protocol == PORT_SCTP))
		return fail(e, text, "behind \"/\" is tcp or udp");
	TRY(take_name(&rest, &w, text, e));
	TRY(take_address(&rest, &w.port.ip, text, e));
	number = strlen(rest) <= 5 ? strtoul(rest, NULL, 10) : 0;
	if (!*rest || rest[strspn(rest, "0123456789")] || number < 1 || number > UINT16_MAX)
		return fail(e, text, "a port is a number between 1 and 65535");
	w.port.host = w.port.container = (uint16_t)number;
	if (!w.name[0])
		snprintf(w.name, sizeof(w.name), "%s-%lu", port_protocol_name(w.port.protocol),
			 number);
	*ret = w;
	return 0;
}

/* Rules come before sockets: the packets would go to the other container. */
static int check_rules(int state_dir_fd, const struct port *p, struct err *e)
{
	auto_arena struct arena a = { 0 };
	struct record_list records = { 0 };

	TRY(record_read_all(state_dir_fd, &a, &records, e));
	for (size_t i = 0; i < records.n; i++)
		for (size_t k = 0; k < records.at[i].ports.n; k++)
			if (port_overlaps(&records.at[i].ports.at[k], p))
				return err_set(
					e, EADDRINUSE,
					"publish socket %s: container %s has published %s already",
					port_text(p).text, records.at[i].id,
					port_text(&records.at[i].ports.at[k]).text);
	return 0;
}

static int bind_to(int fd, const struct port *p, int family)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = { 0 };
	int both = !p->ip.family, zero = !both;
	socklen_t size = family == AF_INET ? sizeof(name.v4) : sizeof(name.v6);

	name.any.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		name.v4.sin_port = htons(p->host);
		memcpy(&name.v4.sin_addr, p->ip.bytes, 4);
	} else {
		if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero)) < 0)
			return -1;
		name.v6.sin6_port = htons(p->host);
		memcpy(&name.v6.sin6_addr, p->ip.bytes, 16);
	}
	return bind(fd, &name.any, size);
}

int listen_open(int state_dir_fd, const struct listen_wish *wish, struct err *e)
{
	const struct port *p = &wish->port;
	int one = 1, type = p->protocol == PORT_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int family = p->ip.family ? p->ip.family : AF_INET6;
	/* Until it listens nobody decides on that port: who does sees either our socket or his own record. */
	auto_fd int lock = network_lock(state_dir_fd, e), fd = -1;

	TRY(lock);
	TRY(check_rules(state_dir_fd, p, e));
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT && !p->ip.family) {
		family = AF_INET;
		fd = socket(family, type | SOCK_CLOEXEC, 0);
	}
	if (fd < 0 || (type == SOCK_STREAM &&
		       setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0))
		return err_sys(e, "publish socket %s: make it", port_text(p).text);
	if (bind_to(fd, p, family) < 0 || (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)) {
		if (errno == EADDRINUSE)
			return err_set(
				e, EADDRINUSE,
				"publish socket %s: a program on this host listens on %s port %u",
				port_text(p).text, port_protocol_name(p->protocol), p->host);
		if (errno == EADDRNOTAVAIL)
			return err_set(e, EADDRNOTAVAIL,
				       "publish socket %s: this host has no address %s",
				       port_text(p).text, addr_text(&p->ip).text);
		return err_sys(e, "publish socket %s: listen", port_text(p).text);
	}
	return take_fd(&fd);
}
