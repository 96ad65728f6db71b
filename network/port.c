#include "network/port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/json.h"

static const struct {
	const char *name;
	enum port_protocol protocol;
} protocols[] = {
	{ "tcp", PORT_TCP },
	{ "udp", PORT_UDP },
	{ "sctp", PORT_SCTP },
};

enum { PUBLISH_MAX = 127 }; /* characters of a --publish */

const char *port_protocol_name(enum port_protocol protocol)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (protocols[i].protocol == protocol)
			return protocols[i].name;
	return "unknown";
}

int port_protocol_parse(const char *name, enum port_protocol *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		if (strcmp(protocols[i].name, name) == 0) {
			*ret = protocols[i].protocol;
			return 0;
		}
	}
	return -EINVAL;
}

static int fail(struct err *e, const char *whole, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int fail(struct err *e, const char *whole, const char *fmt, ...)
{
	auto_buf struct buf why = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&why, fmt, ap);
	va_end(ap);
	return err_set(e, EINVAL, "publish %s: %s", json_quote(whole).text, why.text);
}

static int number(const char *text, uint16_t *ret, const char *whole, struct err *e)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long value = digits && digits <= 6 ? strtoul(text, NULL, 10) : 0;

	if (!digits || text[digits])
		return fail(e, whole, "%s is not a port", json_quote(text).text);
	if (value < 1 || value > UINT16_MAX)
		return fail(e, whole, "%s is not a port between 1 and 65535",
			    json_quote(text).text);
	*ret = (uint16_t)value;
	return 0;
}

/* "80" or "80-89"; cuts `text`. */
static int range(char *text, uint16_t *first, uint32_t *count, const char *whole, struct err *e)
{
	char *dash = strchr(text, '-');
	uint16_t last;

	if (dash)
		*dash = '\0';
	TRY(number(text, first, whole, e));
	last = *first;
	if (dash)
		TRY(number(dash + 1, &last, whole, e));
	if (last < *first)
		return fail(e, whole, "the range %u-%u ends before it begins", *first, last);
	*count = (uint32_t)(last - *first) + 1;
	return 0;
}

static int host_address(const char *text, struct net_addr *ret, const char *whole, struct err *e)
{
	struct err why = { 0 };

	if (addr_parse(text, ret, &why) < 0)
		return fail(e, whole, "%s", why.msg);
	return 0;
}

/* Takes an address and its colon off the front of *rest, if there is one. */
static int take_address(char **rest, struct net_addr *ret, const char *whole, struct err *e)
{
	char *colon, *end;

	if (**rest == '[') {
		end = strchr(*rest, ']');
		if (!end || end[1] != ':')
			return fail(e, whole, "\"[\" begins an IPv6 address, which \"]:\" ends");
		*end = '\0';
		if (!strchr(*rest + 1, ':'))
			return fail(e, whole, "%s is not an IPv6 address",
				    json_quote(*rest + 1).text);
		TRY(host_address(*rest + 1, ret, whole, e));
		*rest = end + 2;
		return 0;
	}
	colon = strrchr(*rest, ':');
	if (!colon || colon == *rest)
		return 0;
	for (end = colon - 1; end > *rest && *end != ':'; end--)
		;
	if (*end != ':')
		return 0;
	*end = '\0';
	if (strchr(*rest, ':'))
		return fail(e, whole, "an IPv6 address stands in brackets: [::]:8080:80");
	TRY(host_address(*rest, ret, whole, e));
	*rest = end + 1;
	return 0;
}

int port_parse(const char *text, struct port *ret, struct err *e)
{
	struct port p = { .protocol = PORT_TCP };
	uint32_t host_count = 0, count = 0;
	char copy[PUBLISH_MAX + 1], *rest = copy, *slash, *colon;

	if (strlen(text) > PUBLISH_MAX)
		return fail(e, text, "longer than %d characters", PUBLISH_MAX);
	strcpy(copy, text);
	slash = strrchr(copy, '/');
	if (slash) {
		*slash = '\0';
		if (port_protocol_parse(slash + 1, &p.protocol) < 0)
			return fail(e, text, "%s is not a protocol: tcp, udp or sctp",
				    json_quote(slash + 1).text);
	}
	TRY(take_address(&rest, &p.ip, text, e));
	colon = strchr(rest, ':');
	if (colon)
		*colon = '\0';
	if (colon && *rest)
		TRY(range(rest, &p.host, &host_count, text, e));
	else if (colon && !p.ip.family)
		return fail(e, text, "there is no host port before \":\"");
	TRY(range(colon ? colon + 1 : rest, &p.container, &count, text, e));
	if (host_count && host_count != count)
		return fail(e, text, "%u host port%s for %u container port%s", host_count,
			    host_count == 1 ? "" : "s", count, count == 1 ? "" : "s");
	if (p.ip.family == AF_INET6 && addr_is_loopback(&p.ip))
		return fail(e, text,
			    "the kernel forwards nothing from ::1: publish on 127.0.0.1 instead");
	p.count = (uint16_t)count;
	*ret = p;
	return 0;
}

struct net_text port_text(const struct port *p)
{
	struct net_text t = addr_text(&p->ip), out = { "" };
	const char *open = p->ip.family == AF_INET6 ? "[" : "", *close = p->ip.family == AF_INET6
										 ? "]:"
									 : p->ip.family ? ":"
											: "";
	char host[16] = "", to[8] = "", host_to[8] = "";

	if (p->count > 1) {
		snprintf(to, sizeof(to), "-%u", (unsigned)p->container + p->count - 1);
		snprintf(host_to, sizeof(host_to), "-%u", (unsigned)p->host + p->count - 1);
	}
	if (p->host)
		snprintf(host, sizeof(host), "%u%s:", p->host, host_to);
	else if (p->ip.family)
		strcpy(host, ":");
	snprintf(out.text, sizeof(out.text), "%s%.39s%s%s%u%s/%s", open, t.text, close, host,
		 p->container, to, port_protocol_name(p->protocol));
	return out;
}

static bool addresses_meet(const struct net_addr *a, const struct net_addr *b)
{
	if (!a->family || !b->family)
		return true;
	return a->family == b->family && (addr_is_any(a) || addr_is_any(b) || addr_equal(a, b));
}

bool port_overlaps(const struct port *a, const struct port *b)
{
	return a->protocol == b->protocol && a->host && b->host &&
	       a->host < (uint32_t)b->host + b->count && b->host < (uint32_t)a->host + a->count &&
	       addresses_meet(&a->ip, &b->ip);
}

int port_list_check(const struct port_list *list, struct err *e)
{
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < i; k++)
			if (port_overlaps(&list->at[i], &list->at[k]))
				return err_set(e, EINVAL, "publish %s and %s: the same host port",
					       port_text(&list->at[k]).text,
					       port_text(&list->at[i]).text);
	return 0;
}

static int compare_bindings(const void *a, const void *b)
{
	const struct port_binding *x = a, *y = b;

	if (x->container != y->container)
		return x->container < y->container ? -1 : 1;
	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	if (x->ip.family != y->ip.family)
		return x->ip.family < y->ip.family ? -1 : 1;
	return x->host < y->host ? -1 : x->host > y->host;
}

static void add_bindings(struct port_bindings *list, const struct port *p,
			 const struct net_addr *ip)
{
	for (unsigned i = 0; i < p->count; i++)
		list->at[list->n++] =
			(struct port_binding){ .container = (uint16_t)(p->container + i),
					       .host = (uint16_t)(p->host + i),
					       .protocol = p->protocol,
					       .ip = *ip };
}

void port_bindings(const struct port_list *list, bool ip4, bool ip6, struct arena *a,
		   struct port_bindings *ret)
{
	static const struct net_addr any4 = { .family = AF_INET }, any6 = { .family = AF_INET6 };
	struct port_bindings all = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += 2 * (size_t)list->at[i].count;
	all.at = arena_array(a, n, sizeof(*all.at));
	for (size_t i = 0; i < list->n; i++) {
		const struct port *p = &list->at[i];

		if (p->ip.family ? (p->ip.family == AF_INET ? ip4 : ip6) : false)
			add_bindings(&all, p, &p->ip);
		if (!p->ip.family && ip4)
			add_bindings(&all, p, &any4);
		if (!p->ip.family && ip6)
			add_bindings(&all, p, &any6);
	}
	if (all.n)
		qsort(all.at, all.n, sizeof(*all.at), compare_bindings);
	*ret = all;
}
