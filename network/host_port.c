#include "network/host_port.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/io.h"

enum {
	FREE_PORTS_FROM = 49152, /* RFC 6335: dynamic ports */
	FREE_PORTS_TRIES = 256,
};

/* Whether the host has the port to give: nobody listens there. */
static int try_port(const struct port *p, const struct net_addr *at, uint16_t number, struct err *e)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = { 0 };
	int one = 1, type = p->protocol == PORT_UDP ? SOCK_DGRAM : SOCK_STREAM;
	auto_fd int fd = socket(at->family, type | SOCK_CLOEXEC, (int)p->protocol);
	socklen_t size = at->family == AF_INET ? sizeof(name.v4) : sizeof(name.v6);

	if (fd < 0) {
		if (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT)
			return 0; /* then nobody on this host listens with it */
		return err_sys(e, "publish %s: try the port", port_text(p).text);
	}
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	name.any.sa_family = (sa_family_t)at->family;
	if (at->family == AF_INET) {
		name.v4.sin_port = htons(number);
		memcpy(&name.v4.sin_addr, at->bytes, 4);
	} else {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
		name.v6.sin6_port = htons(number);
		memcpy(&name.v6.sin6_addr, at->bytes, 16);
	}
	if (bind(fd, &name.any, size) == 0)
		return 0;
	if (errno == EADDRINUSE)
		return err_set(e, EADDRINUSE,
			       "publish %s: a program on this host listens on %s port %u",
			       port_text(p).text, port_protocol_name(p->protocol), number);
	if (errno == EADDRNOTAVAIL)
		return err_set(e, EADDRNOTAVAIL, "publish %s: this host has no address %s",
			       port_text(p).text, addr_text(at).text);
	return err_sys(e, "publish %s: try port %u", port_text(p).text, number);
}

int host_port_check(const struct record *r, const struct port *p, const struct record_list *others,
		    struct err *e)
{
	static const struct net_addr any4 = { .family = AF_INET }, any6 = { .family = AF_INET6 };

	for (size_t i = 0; i < others->n; i++)
		for (size_t k = 0; k < others->at[i].ports.n; k++)
			if (strcmp(others->at[i].id, r->id) != 0 &&
			    port_overlaps(&others->at[i].ports.at[k], p))
				return err_set(e, EADDRINUSE,
					       "publish %s: container %s has published %s already",
					       port_text(p).text, others->at[i].id,
					       port_text(&others->at[i].ports.at[k]).text);
	for (unsigned i = 0; i < p->count; i++) {
		uint16_t number = (uint16_t)(p->host + i);

		if (p->ip.family) {
			TRY(try_port(p, &p->ip, number, e));
			continue;
		}
		if (r->to.family || r->helper)
			TRY(try_port(p, &any4, number, e));
		if (r->to6.family || r->helper)
			TRY(try_port(p, &any6, number, e));
	}
	return 0;
}

int host_port_choose(const struct record *r, const struct record_list *others, struct port *p,
		     struct err *e)
{
	uint32_t room = 65536 - FREE_PORTS_FROM, start;

	if (getrandom(&start, sizeof(start), 0) != sizeof(start))
		return err_sys(e, "get random bytes");
	if (p->count <= room) {
		room -= p->count - 1U;
		for (uint32_t i = 0; i < FREE_PORTS_TRIES; i++) {
			struct port wish = *p;
			struct port_list list = r->ports;

			wish.host = (uint16_t)(FREE_PORTS_FROM + (start + i) % room);
			/* Those of its own that were chosen before count as well. */
			for (size_t k = 0; k < list.n && wish.host; k++)
				if (port_overlaps(&list.at[k], &wish))
					wish.host = 0;
			if (wish.host && host_port_check(r, &wish, others, NULL) == 0) {
				*p = wish;
				return 0;
			}
		}
	}
	return err_set(e, EADDRINUSE, "publish %s: no free port of this host was found",
		       port_text(p).text);
}
