/*
 * port.h - what --publish says: [IP:][HOST[-HOST]:]CONTAINER[-CONTAINER][/PROTOCOL]. Pure.
 */
#ifndef HULL_NETWORK_PORT_H
#define HULL_NETWORK_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/list.h"
#include "network/subnet.h"

enum port_protocol { PORT_TCP = 6, PORT_UDP = 17, PORT_SCTP = 132 };

/* `count` ports from `host` on go to as many from `container` on. */
struct port {
	struct net_addr ip; /* of the host; family 0: all of them */
	uint16_t host;      /* 0: a free one */
	uint16_t container;
	uint16_t count;
	enum port_protocol protocol;
};

struct port_list {
	struct port *at;
	size_t n;
};

/* One port of a container, and where it is reached. */
struct port_binding {
	uint16_t container, host;
	enum port_protocol protocol;
	struct net_addr ip; /* 0.0.0.0, ::: all of the family */
};

struct port_bindings {
	struct port_binding *at;
	size_t n;
};

int port_parse(const char *text, struct port *ret, struct err *e) MUST_CHECK;
/* As port_parse() reads it. */
struct net_text port_text(const struct port *p);
const char *port_protocol_name(enum port_protocol protocol);
int port_protocol_parse(const char *name, enum port_protocol *ret) MUST_CHECK;

/* Whether both want a port of the host. */
bool port_overlaps(const struct port *a, const struct port *b);
/* Refuses two of a list that want the same port of the host. */
int port_list_check(const struct port_list *list, struct err *e) MUST_CHECK;

/*
 * Each port by itself, sorted by container port, protocol and address. What is published on all
 * addresses is on 0.0.0.0 if `ip4`, and on :: if `ip6`: the families that lead anywhere.
 */
void port_bindings(const struct port_list *list, bool ip4, bool ip6, struct arena *a,
		   struct port_bindings *ret);

#endif
